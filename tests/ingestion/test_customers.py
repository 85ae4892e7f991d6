"""Ingesting customers: who a row is about, what it changes, and what is said about one that is at fault."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pymongo
import pytest

import documents
import errors
import ingestion.customers
from ingestion import Outcome, Policy, Report
from tests.factories import a_customer

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


async def ingest(*rows: Mapping[str, object], policy: Policy | None = None, now: datetime = NOW) -> Report:
    return await ingestion.customers.ingest(rows, policy or Policy(), now)


def outcomes(report: Report) -> list[str]:
    return [result.outcome.value for result in report.results]


def faults(report: Report) -> list[tuple[str, tuple[str, ...]]]:
    return [(fault.code, fault.field) for result in report.results for fault in result.faults]


async def everyone() -> list[documents.Customer]:
    return await documents.Customer.find().sort("+_id").to_list()


async def the_only_one() -> documents.Customer:
    [customer] = await everyone()
    return customer


async def test_everything_that_is_said_is_stored() -> None:
    said = {
        "external_id": " C-1 ",
        "name": " Asha Rao ",
        "email": "  Asha@Example.COM ",
        "phone": "098765 43210",
        "city": "Pune",
        "state": "Maharashtra",
        "country": "in",
        "postal_code": "411001",
        "birthday": "1990-02-28",
        "timezone": "asia/kolkata",
        "locale": "en_in",
        "source": "web",
        "tags": ["VIP", "new", "vip "],
        "attributes": {"plan": "Pro", "age": 36, "nothing": None},
        "sms_consent": "SUBSCRIBED",
        "email_consent": documents.ConsentState.UNSUBSCRIBED,
        "total_spend": Decimal("1234.5"),
        "visit_count": 7,
        "last_purchase": NOW - timedelta(days=3),
    }
    report = await ingest(said)
    assert outcomes(report) == ["CREATED"]
    customer = await the_only_one()
    assert customer.id == report.only.id
    assert customer.model_dump(exclude={"id", "folded", "opening", "purchases"}) == {
        "external_id": "C-1",
        "name": "Asha Rao",
        "email": "asha@example.com",
        "phone": "+919876543210",
        "city": "Pune",
        "state": "Maharashtra",
        "country": "IN",
        "postal_code": "411001",
        "birthday": datetime(1990, 2, 28, tzinfo=UTC),
        "timezone": "Asia/Kolkata",
        "locale": "en-IN",
        "source": "web",
        "tags": ["VIP", "new"],
        "attributes": {"plan": "Pro", "age": 36},
        "sms_consent": documents.ConsentState.SUBSCRIBED,
        "email_consent": documents.ConsentState.UNSUBSCRIBED,
        "total_spend": Decimal("1234.50"),
        "order_count": 0,
        "visit_count": 7,
        "first_purchase": NOW - timedelta(days=3),
        "last_purchase": NOW - timedelta(days=3),
        "average_order_value": Decimal(0),
        "rfm": None,
        "alive_probability": None,
        "predicted_orders_90d": None,
        "predicted_spend_90d": None,
        "created_at": NOW,
        "updated_at": NOW,
    }
    assert customer.folded["name"] == "asha rao"
    assert customer.folded["tags"] == ["vip", "new"]
    assert customer.folded["attributes"] == {"plan": "pro", "age": 36}


async def test_the_same_again_changes_nothing() -> None:
    row = {"email": "a@example.com", "tags": ["x"], "attributes": {"n": 1}, "total_spend": Decimal("5"), "name": None}
    await ingest(row)
    assert outcomes(await ingest(row, now=NOW + timedelta(days=1))) == ["UNCHANGED"]
    assert (await the_only_one()).updated_at == NOW


async def test_what_is_left_out_stays_and_null_clears() -> None:
    await ingest({"external_id": "c", "name": "Asha", "city": "Pune", "tags": ["x"], "total_spend": Decimal("5")})
    later = NOW + timedelta(days=1)
    report = await ingest({"external_id": "c", "city": None, "tags": None, "total_spend": None}, now=later)
    assert outcomes(report) == ["UPDATED"]
    customer = await the_only_one()
    assert (customer.name, customer.city, customer.tags, customer.total_spend) == ("Asha", None, [], Decimal(0))
    assert customer.folded == {"external_id": "c", "name": "asha"}
    assert (customer.created_at, customer.updated_at) == (NOW, later)
    stored = await documents.Customer.get_pymongo_collection().find_one()
    assert stored
    assert "city" not in stored


async def test_true_and_one_are_different_attributes() -> None:
    await ingest({"external_id": "c", "attributes": {"x": 1}})
    assert outcomes(await ingest({"external_id": "c", "attributes": {"x": True}})) == ["UPDATED"]
    assert (await the_only_one()).attributes == {"x": True}


async def test_a_text_that_looks_like_an_operator_is_a_text() -> None:
    await ingest({"external_id": "c"})
    await ingest({"external_id": "c", "name": "$total_spend", "attributes": {"a": {"b": "$x"}}, "visit_count": 3})
    customer = await the_only_one()
    assert (customer.name, customer.attributes) == ("$total_spend", {"a": {"b": "$x"}})


@pytest.mark.parametrize(
    "row",
    [
        {"external_id": "c", "email": "new@example.com"},
        {"email": " ASHA@example.com ", "phone": "+14155550123"},
        {"phone": "(415) 555-2671", "country": "US", "email": "new@example.com"},
        {"phone": "+1 415-555-2671"},
    ],
)
async def test_a_customer_is_known_by_any_key(row: dict[str, object]) -> None:
    await a_customer(external_id="c", email="asha@example.com", phone="+14155552671", name="Asha")
    assert outcomes(await ingest({**row, "name": "Asha Rao"})) == ["UPDATED"]
    assert (await the_only_one()).name == "Asha Rao"


async def test_a_customer_without_an_external_id_gains_one() -> None:
    await ingest({"email": "a@example.com"})
    assert outcomes(await ingest({"email": "a@example.com", "external_id": "c"})) == ["UPDATED"]
    assert (await the_only_one()).external_id == "c"


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"external_id": "a", "email": "b@example.com"}, "email"),
        ({"external_id": "a", "phone": "+14155552672"}, "phone"),
        ({"email": "a@example.com", "phone": "+14155552672"}, "phone"),
        ({"external_id": "c", "email": "a@example.com"}, "email"),
    ],
)
async def test_keys_of_two_customers_are_a_conflict(row: dict[str, object], field: str) -> None:
    await a_customer(external_id="a", email="a@example.com")
    await a_customer(external_id="b", email="b@example.com", phone="+14155552672")
    before = await everyone()
    assert faults(await ingest(row)) == [("CONFLICT", (field,))]
    assert await everyone() == before


async def test_a_local_phone_is_read_by_the_stored_country() -> None:
    await a_customer(external_id="c", country="IN")
    assert outcomes(await ingest({"external_id": "c", "phone": "98765 43210"})) == ["UPDATED"]
    assert (await the_only_one()).phone == "+919876543210"


async def test_a_local_phone_is_read_by_the_country_of_a_row_before() -> None:
    await ingest({"external_id": "c", "country": "IN"}, {"external_id": "c", "phone": "98765 43210"})
    assert (await the_only_one()).phone == "+919876543210"


async def test_a_local_phone_is_read_by_the_policy_at_last() -> None:
    await ingest({"phone": "98765 43210"}, policy=Policy(default_region="IN"))
    assert (await the_only_one()).phone == "+919876543210"
    assert outcomes(await ingest({"phone": "098765 43210"}, policy=Policy(default_region="IN"))) == ["UNCHANGED"]


async def test_a_local_phone_of_nowhere_is_at_fault() -> None:
    assert faults(await ingest({"external_id": "c", "phone": "98765 43210"})) == [("INVALID", ("phone",))]


@pytest.mark.parametrize("row", [{}, {"name": "Asha"}, {"email": None, "name": "Asha"}])
async def test_somebody_without_a_key_is_refused(row: dict[str, object]) -> None:
    assert faults(await ingest(row)) == [("REQUIRED", ())]


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("external_id", ""),
        ("external_id", 7),
        ("external_id", "x" * 201),
        ("email", "no at"),
        ("email", "a@b"),
        ("email", ""),
        ("phone", "12"),
        ("phone", "+91 12345"),
        ("phone", 919876543210),
        ("name", "nul\0"),
        ("name", "half \ud800"),
        ("name", ["Asha"]),
        ("country", "India"),
        ("country", "ZZ"),
        ("birthday", "0000-01-01"),
        ("birthday", "2026-02-30"),
        ("birthday", "20260101"),
        ("birthday", "2027-01-01"),
        ("timezone", "Pune"),
        ("timezone", "../../etc/passwd"),
        ("locale", "english language"),
        ("tags", "vip"),
        ("tags", [1]),
        ("tags", ["x"] * 101),
        ("attributes", []),
        ("attributes", {"a.b": 1}),
        ("attributes", {"$a": 1}),
        ("attributes", {"": 1}),
        ("attributes", {"a\0": 1}),
        ("attributes", {"a": float("nan")}),
        ("attributes", {"a": 2**63}),
        ("attributes", {"a": "x" * 20_000}),
        ("attributes", {"a": [[[[[[[[1]]]]]]]]}),
        ("sms_consent", "MAYBE"),
        ("total_spend", "ten"),
        ("total_spend", Decimal("-0.01")),
        ("total_spend", Decimal("0.001")),
        ("total_spend", Decimal("NaN")),
        ("total_spend", Decimal("1e30")),
        ("visit_count", -1),
        ("visit_count", True),
        ("visit_count", 1.5),
        ("visit_count", 2**31),
        ("last_purchase", "yesterday"),
        ("shoe_size", 43),
    ],
)
async def test_what_cannot_be_stored_is_named_and_nothing_is_stored(field: str, sent: object) -> None:
    name = {"external_id": "externalId", "total_spend": "totalSpend", "visit_count": "visitCount"}.get(field, field)
    name = {"sms_consent": "smsConsent", "last_purchase": "lastPurchase", "shoe_size": "shoeSize"}.get(name, name)
    assert faults(await ingest({"external_id": "c", field: sent})) == [("INVALID", (name,))]
    assert await everyone() == []


async def test_every_fault_of_a_row_is_told() -> None:
    report = await ingest({"email": "no", "phone": "+1", "country": "nowhere", "name": "Asha"})
    assert faults(report) == [("INVALID", ("email",)), ("INVALID", ("country",)), ("INVALID", ("phone",))]


async def test_a_bad_row_harms_no_other() -> None:
    report = await ingest({"email": "a@example.com"}, {"email": "no"}, {}, {"email": "b@example.com"})
    assert outcomes(report) == ["CREATED", "FAILED", "FAILED", "CREATED"]
    assert [result.index for result in report.results] == [0, 1, 2, 3]
    assert report.count(Outcome.CREATED) == 2
    assert len(await everyone()) == 2


async def test_one_customer_twice_in_a_batch_is_changed_in_order() -> None:
    report = await ingest(
        {"external_id": "c", "email": "a@example.com", "city": "Pune"},
        {"email": "a@example.com", "city": "Delhi", "phone": "+14155552671"},
        {"phone": "+14155552671", "city": "Delhi"},
        {"external_id": "c", "name": "Asha"},
    )
    assert outcomes(report) == ["CREATED", "UPDATED", "UNCHANGED", "UPDATED"]
    customer = await the_only_one()
    assert (customer.city, customer.name, customer.phone) == ("Delhi", "Asha", "+14155552671")


async def test_a_key_that_is_given_up_is_free_for_the_next_row() -> None:
    await a_customer(external_id="a", email="x@example.com")
    report = await ingest(
        {"external_id": "a", "email": "y@example.com"},
        {"external_id": "b", "email": "x@example.com"},
    )
    assert outcomes(report) == ["UPDATED", "CREATED"]
    assert {c.external_id: c.email for c in await everyone()} == {"a": "y@example.com", "b": "x@example.com"}


async def test_two_customers_may_trade_keys_in_one_batch() -> None:
    await a_customer(external_id="a", email="a@example.com")
    await a_customer(external_id="b", email="b@example.com")
    report = await ingest(
        {"external_id": "a", "email": "x@example.com"},
        {"external_id": "b", "email": "a@example.com"},
        {"external_id": "a", "email": "b@example.com"},
    )
    assert outcomes(report) == ["UPDATED", "UPDATED", "UPDATED"]
    assert {c.external_id: c.email for c in await everyone()} == {"a": "b@example.com", "b": "a@example.com"}


async def test_too_many_rows_are_refused_and_nothing_is_stored() -> None:
    rows = [{"external_id": str(number)} for number in range(3)]
    with pytest.raises(errors.TooLarge):
        await ingest(*rows, policy=Policy(max_batch=2))
    assert await everyone() == []
    assert outcomes(await ingest(*rows[:2], policy=Policy(max_batch=2))) == ["CREATED", "CREATED"]


async def test_a_batch_of_many_chunks_keeps_its_order() -> None:
    rows = [{"external_id": str(number % 700), "name": str(number)} for number in range(1_500)]
    report = await ingest(*rows)
    assert [result.index for result in report.results] == list(range(1_500))
    assert (report.count(Outcome.CREATED), report.count(Outcome.UPDATED)) == (700, 800)
    assert {c.external_id: c.name for c in await everyone()}["42"] == "1442"


async def test_money_has_the_decimals_of_the_currency() -> None:
    assert faults(await ingest({"external_id": "c", "total_spend": Decimal("1.5")}, policy=Policy(currency="JPY")))
    await ingest({"external_id": "c", "total_spend": Decimal("1.5")}, policy=Policy(currency="KWD"))
    assert str((await the_only_one()).total_spend) == "1.500"


async def test_the_same_newcomers_from_several_at_once_are_stored_once() -> None:
    rows = [{"external_id": f"c{n}", "email": f"c{n}@example.com", "name": f"C {n}"} for n in range(300)]
    reports = await asyncio.gather(*(ingest(*rows) for _ in range(4)))
    assert len(await everyone()) == 300
    for index in range(300):
        ended = sorted(report.results[index].outcome.value for report in reports)
        assert ended == ["CREATED", "UNCHANGED", "UNCHANGED", "UNCHANGED"]
    assert len({result.id for report in reports for result in report.results}) == 300


async def test_of_two_external_ids_for_one_e_mail_at_once_one_is_a_conflict() -> None:
    for number in range(20):
        email = f"c{number}@example.com"
        await ingest({"email": email})
        reports = await asyncio.gather(*(ingest({"email": email, "external_id": f"{who}{number}"}) for who in "ab"))
        assert sorted(outcomes(reports[0]) + outcomes(reports[1])) == ["FAILED", "UPDATED"]


async def test_when_the_database_does_not_answer_rows_say_so() -> None:
    with pymongo.timeout(0.000_001):
        report = await ingest({"external_id": "a"}, {}, {"external_id": "b"})
    assert faults(report) == [("UNAVAILABLE", ()), ("REQUIRED", ()), ("UNAVAILABLE", ())]
    assert await everyone() == []
