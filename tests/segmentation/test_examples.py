"""The meaning of rules, by example: who is selected, told by name, by MongoDB and by plain Python alike."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from pymongo.asynchronous.database import AsyncDatabase

from segmentation import query
from segmentation.dates import AsOf
from segmentation.evaluator import Person
from tests.segmentation import people
from tests.segmentation.people import a_person, an_item, an_order
from tests.segmentation.test_meaning import meant, selected

Database = AsyncDatabase[dict[str, object]]

NOW = datetime(2026, 3, 31, 18, 30, tzinfo=UTC)
UTC_NOW = AsOf(NOW, ZoneInfo("UTC"))


async def names(population: Sequence[Person], text: str, as_of: AsOf = UTC_NOW) -> str:
    """The names of those whom a query selects, once everybody agrees who that is."""
    rules = query.parse(text)
    ids = meant(rules, population, as_of)
    assert await selected(rules, as_of, at_once=True) == ids
    assert await selected(rules, as_of, at_once=False) == ids
    return " ".join(str(person.customer["name"]) for person in population if person.customer["_id"] in ids)


def stored(day: date) -> datetime:
    """A birthday as it is stored."""
    return datetime.combine(day, time(), UTC)


@pytest.mark.parametrize(
    ("text", "selects"),
    [
        ('city = "pune"', "asha"),
        ('city = " PUNE "', "asha"),
        ('city != "Pune"', "bela citra"),
        ('NOT city = "Pune"', "bela citra"),
        ('city IN ("pune", "x")', "asha"),
        ('city NOT IN ("pune", "x")', "bela citra"),
        ('city CONTAINS "un"', "asha"),
        ('city NOT CONTAINS "un"', "bela citra"),
        ('city CONTAINS "."', "bela"),
        ('city CONTAINS ".*"', ""),
        ('city STARTS WITH "st."', "bela"),
        ('city ENDS WITH "$"', "bela"),
        ('city NOT ENDS WITH "ne"', "bela citra"),
        ("city IS SET", "asha bela"),
        ("city IS NOT SET", "citra"),
        ("tags IS SET", "asha bela"),
        ("tags IS NOT SET", "citra"),
        ('tags CONTAINS "VIP"', "asha"),
        ('tags CONTAINS "vi"', ""),
        ('tags NOT CONTAINS "vip"', "bela citra"),
        ('tags IN ("vip", "new")', "asha bela"),
        ('tags NOT IN ("vip", "new")', "citra"),
        ("visitCount NOT BETWEEN 2 AND 4", "asha citra"),
        ("totalSpend = 0", "citra"),
        ("totalSpend > 0.10", "bela"),
        ("totalSpend BETWEEN 0.1 AND 0.3", "asha bela"),
        ("EVERYONE", "asha bela citra"),
        ("NOT EVERYONE", ""),
        ('attributes.nothing = "x"', ""),
        ('attributes.nothing != "x"', "asha bela citra"),
        ("attributes.age > 30", "asha"),
        ('attributes.age = "42"', "bela"),
        ("attributes.vip = true", "asha"),
        ("attributes.vip = 1", "bela"),
        ("attributes.score = 0.1", "asha"),
        ("attributes.score <= 0.1", "asha"),
        ("attributes.score < 0.1", ""),
        ("attributes.renewal <= 2026-03-01", "asha"),
        ("attributes.renewal = 2026-03-01", "asha"),
        ('attributes."Loyalty tier" = "gold"', "bela"),
        ('attributes.likes = "tea"', "asha"),
        ('attributes.likes CONTAINS "te"', "asha"),
        ("attributes.likes IS NOT SET", "bela citra"),
    ],
)
async def test_values(database: Database, text: str, selects: str) -> None:
    asha = a_person(
        "asha",
        city=" Pune",
        tags=["Vip"],
        visit_count=1,
        total_spend=Decimal("0.1"),
        attributes={"age": 42, "vip": True, "score": 0.1, "renewal": "2026-03-01T23:00:00Z", "likes": ["Tea", "rum"]},
    )
    bela = a_person(
        "bela",
        city="St. Cruz$",
        tags=["new"],
        visit_count=3,
        total_spend=Decimal("0.3"),
        attributes={"age": "42", "vip": 1, "renewal": "soon", "Loyalty tier": "Gold", "likes": []},
    )
    citra = a_person("citra", visit_count=5)
    await people.store([asha, bela, citra])
    assert await names([asha, bela, citra], text) == selects


@pytest.mark.parametrize(
    ("text", "timezone", "selects"),
    [
        ("lastPurchase = 2026-03-08", "UTC", "dawn noon"),
        ("lastPurchase > 2026-03-08", "UTC", "next"),
        ("lastPurchase >= 2026-03-08", "UTC", "dawn noon next"),
        ("lastPurchase <= 2026-03-08", "UTC", "eve dawn noon"),
        ("lastPurchase < 2026-03-08", "UTC", "eve"),
        ("lastPurchase BETWEEN 2026-03-07 AND 2026-03-08", "UTC", "eve dawn noon"),
        ("lastPurchase NOT BETWEEN 2026-03-07 AND 2026-03-08", "UTC", "next never"),
        ("lastPurchase != 2026-03-08", "UTC", "eve next never"),
        # In New York this day begins at 05:00 UTC and, with the clocks going forward, ends at 04:00.
        ("lastPurchase = 2026-03-08", "America/New_York", "noon next"),
        ("lastPurchase = 2026-03-07", "America/New_York", "eve dawn"),
        ("lastPurchase < 2026-03-08T12:00:00Z", "UTC", "eve dawn"),
        ("lastPurchase = 2026-03-08T17:30:00+05:30", "UTC", "noon"),
        ("lastPurchase >= 552 hours ago", "UTC", "next"),
        ("lastPurchase >= 1 month ago", "UTC", "eve dawn noon next"),
        ("lastPurchase = 23 days before today", "UTC", "dawn noon"),
        ("lastPurchase >= start of month", "UTC", "eve dawn noon next"),
        ("lastPurchase >= 7 days after start of month", "UTC", "dawn noon next"),
        ("lastPurchase < start of quarter", "UTC", ""),
        ("lastPurchase < start of week", "UTC", "eve dawn noon next"),
        ("lastPurchase IS NOT SET", "UTC", "never"),
    ],
)
async def test_dates(database: Database, text: str, timezone: str, selects: str) -> None:
    day = datetime(2026, 3, 8, tzinfo=UTC)
    moments = {"eve": -1, "dawn": 0, "noon": 12 * 3600, "next": 24 * 3600}
    population = [a_person(name, last_purchase=day + timedelta(seconds=offset)) for name, offset in moments.items()] + [
        a_person("never")
    ]
    await people.store(population)
    assert await names(population, text, AsOf(NOW, ZoneInfo(timezone))) == selects


@pytest.mark.parametrize(
    ("text", "today", "selects"),
    [
        ("birthday IS TODAY", date(2026, 3, 1), "march"),
        ("birthday IN NEXT 1 DAYS", date(2026, 2, 28), "leap march"),
        ("birthday IS TODAY", date(2026, 2, 28), "leap"),
        ("birthday IS TODAY", date(2028, 2, 28), ""),
        ("birthday IS TODAY", date(2028, 2, 29), "leap"),
        ("birthday IN NEXT 7 DAYS", date(2026, 12, 28), "newyear"),
        ("birthday IN NEXT 366 DAYS", date(2026, 12, 28), "leap march newyear"),
        ("NOT birthday IS TODAY", date(2026, 3, 1), "leap newyear unknown"),
        ("birthday < 2000-03-01", date(2026, 3, 1), "leap"),
        ("birthday = 2000-03-01", date(2026, 3, 1), "march"),
        ("birthday <= 26 years ago", date(2026, 3, 1), "leap march"),
    ],
)
async def test_birthdays(database: Database, text: str, today: date, selects: str) -> None:
    days = {"leap": date(2000, 2, 29), "march": date(2000, 3, 1), "newyear": date(2001, 1, 1)}
    population = [*(a_person(name, birthday=stored(day)) for name, day in days.items()), a_person("unknown")]
    await people.store(population)
    for zone in ("UTC", "Asia/Kolkata", "America/Los_Angeles"):
        timezone = ZoneInfo(zone)
        for hour in (0, 23):
            as_of = AsOf(datetime.combine(today, time(hour), timezone).astimezone(UTC), timezone)
            assert await names(population, text, as_of) == selects


@pytest.mark.parametrize(
    ("text", "selects"),
    [
        ("COUNT(orders) >= 1", "one mixed two ten"),
        ("COUNT(orders) = 0", "none refunded"),
        ("COUNT(orders) != 0", "one mixed two ten"),
        ("COUNT(orders) <= 1", "none refunded one mixed"),
        ("orders IS SET", "one mixed two ten"),
        ("orders IS NOT SET", "none refunded"),
        ('COUNT(orders WHERE status = "refunded") >= 1', "refunded"),
        ('COUNT(orders WHERE status != "COMPLETED") >= 1', "refunded"),
        ("COUNT(orders WHERE status IS SET) >= 1", "refunded one mixed two ten"),
        ("COUNT(orders WHERE NOT EVERYONE) = 0", "none refunded one mixed two ten"),
        ("SUM(orders.amount) = 0", "none refunded"),
        ("SUM(orders.amount) >= 25", "two ten"),
        ("AVG(orders.amount) = 12.5", "two"),
        ("AVG(orders.amount) != 12.5", "none refunded one mixed ten"),
        ("AVG(orders.amount) IS NOT SET", "none refunded"),
        ("AVG(orders.itemCount) = 2.1", "ten"),
        ("MIN(orders.amount) < 10", "one"),
        ("MAX(orders.amount) BETWEEN 15 AND 16", "two"),
        ('COUNT(orders WHERE items.sku = "A" AND items.quantity >= 2) >= 1', "two"),
        ('COUNT(orders WHERE items.sku = "A") >= 1 AND COUNT(orders WHERE items.quantity >= 2) >= 1', "mixed two"),
        ('COUNT(orders WHERE items.sku = "A" AND (items.quantity >= 2 OR amount < 10)) >= 1', "one two"),
        ('COUNT(orders WHERE items.sku != "A") >= 1', "two ten"),
        ('COUNT(orders WHERE items.sku = "B" AND items.sku != "A") >= 1', "two"),
        ('COUNT(orders WHERE NOT (items.sku = "A" AND items.quantity >= 2)) = 1', "one mixed two"),
        ("COUNT(orders WHERE items.sku IS NOT SET) >= 1", "ten"),
        ('COUNT(orders) >= 2 OR name = "none"', "none two ten"),
        ('NOT (COUNT(orders) >= 2 OR name = "none")', "refunded one mixed"),
        ('COUNT(messages WHERE channel = "sms" AND deliveredAt IS SET) >= 1', "two"),
        ("COUNT(messages) = 0 AND COUNT(orders) = 1", "one mixed"),
    ],
)
async def test_orders_and_messages(database: Database, text: str, selects: str) -> None:
    population = [
        a_person("none"),
        a_person("refunded", orders=[an_order(status="REFUNDED")]),
        a_person("one", orders=[an_order("9.99", items=[an_item("a")])]),
        a_person("mixed", orders=[an_order(items=[an_item("A", quantity=1), an_item("B", quantity=2)])]),
        a_person(
            "two",
            orders=[an_order(items=[an_item("A", quantity=2)]), an_order("15", items=[an_item("b")])],
            messages=[{"channel": "SMS", "status": "DELIVERED", "delivered_at": NOW}],
        ),
        a_person("ten", orders=[*(an_order(item_count=2) for _ in range(9)), an_order(item_count=3)]),
    ]
    await people.store(population)
    assert await names(population, text) == selects


async def test_orders_of_erased_people_belong_to_nobody(database: Database) -> None:
    asha = a_person("asha", orders=[an_order()])
    await people.store([asha])
    await database["orders"].update_many({}, {"$unset": {"customer_id": 1}})
    forgotten = Person(asha.customer)
    assert await names([forgotten], "COUNT(orders) >= 1") == ""
    assert await names([forgotten], "COUNT(orders) = 0") == "asha"
