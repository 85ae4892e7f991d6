"""Ingesting orders: counted once, to the cent, in the figures of the right customer."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pymongo
import pytest

import documents
import ingestion.customers
import ingestion.orders
from documents import OrderStatus, PaymentStatus
from ingestion import Outcome, Policy, Report
from tests.factories import a_customer, an_order

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


async def ingest(*rows: Mapping[str, object], policy: Policy | None = None, now: datetime = NOW) -> Report:
    return await ingestion.orders.ingest(rows, policy or Policy(), now)


def an_order_row(number: object = "1", **fields: object) -> dict[str, object]:
    return {
        "external_id": number,
        "customer": {"external_id": "c"},
        "placed_at": NOW,
        "amount": Decimal("100.00"),
        **fields,
    }


def outcomes(report: Report) -> list[str]:
    return [result.outcome.value for result in report.results]


def faults(report: Report) -> list[tuple[str, tuple[str, ...]]]:
    return [(fault.code, fault.field) for result in report.results for fault in result.faults]


async def figures(external_id: str = "c") -> tuple[str, int, int, datetime | None, datetime | None, str]:
    """Spend, orders, visits, first and last purchase, average order."""
    customer = await documents.Customer.find_one({"external_id": external_id})
    assert customer
    return (
        str(customer.total_spend),
        customer.order_count,
        customer.visit_count,
        customer.first_purchase,
        customer.last_purchase,
        f"{customer.average_order_value:.2f}",
    )


async def the_order() -> documents.Order:
    [order] = await documents.Order.find().to_list()
    return order


async def test_everything_that_is_said_is_stored() -> None:
    customer = await a_customer(external_id="c")
    said = an_order_row(
        amount=Decimal("25.50"),
        currency="usd",
        status="PENDING",
        items=[
            {"sku": "A1", "name": "Chappal", "category": "Shoes", "quantity": 2, "unit_price": Decimal("10")},
            {"sku": "B2", "unit_price": Decimal("5.5")},
        ],
        payment={"method": "UPI", "reference": "r-1", "status": "UNPAID"},
        coupon=" DIWALI20 ",
    )
    report = await ingest(said)
    assert outcomes(report) == ["CREATED"]
    order = await the_order()
    assert order.id == report.only.id
    assert order.model_dump(exclude={"id"}) == {
        "external_id": "1",
        "customer_id": customer.id,
        "placed_at": NOW,
        "status": OrderStatus.PENDING,
        "amount": Decimal("25.50"),
        "currency": "USD",
        "items": [
            {
                "sku": "A1",
                "name": "Chappal",
                "category": "Shoes",
                "quantity": 2,
                "unit_price": Decimal("10.00"),
                "folded": {"sku": "a1", "name": "chappal", "category": "shoes"},
            },
            {
                "sku": "B2",
                "name": None,
                "category": None,
                "quantity": 1,
                "unit_price": Decimal("5.50"),
                "folded": {"sku": "b2"},
            },
        ],
        "item_count": 3,
        "payment": {
            "method": "UPI",
            "status": PaymentStatus.UNPAID,
            "reference": "r-1",
            "refunded_amount": Decimal("0.00"),
        },
        "coupon": "DIWALI20",
        "folded": {"currency": "usd", "coupon": "diwali20", "payment_method": "upi"},
        "created_at": NOW,
        "updated_at": NOW,
    }


async def test_a_completed_order_counts_beside_the_opening_figures() -> None:
    opening = {"total_spend": Decimal("50"), "visit_count": 4, "last_purchase": NOW - 9 * DAY}
    await a_customer(external_id="c", **opening)
    await ingest(an_order_row("1", amount=Decimal("10.10")), an_order_row("2", placed_at=NOW - DAY))
    assert await figures() == ("160.10", 2, 6, NOW - 9 * DAY, NOW, "55.05")


async def test_opening_figures_may_come_after_the_orders() -> None:
    await a_customer(external_id="c")
    await ingest(an_order_row())
    row = {"external_id": "c", "total_spend": Decimal("50"), "visit_count": 4, "last_purchase": NOW - 9 * DAY}
    await ingestion.customers.ingest([row], Policy(), NOW)
    assert await figures() == ("150.00", 1, 5, NOW - 9 * DAY, NOW, "100.00")
    await ingestion.customers.ingest([dict.fromkeys(row) | {"external_id": "c"}], Policy(), NOW)
    assert await figures() == ("100.00", 1, 1, NOW, NOW, "100.00")


async def test_the_same_order_again_changes_nothing() -> None:
    await a_customer(external_id="c")
    row = an_order_row(payment={"method": "card"}, coupon="x", items=[{"sku": "a", "unit_price": Decimal("100")}])
    await ingest(row)
    before = await figures()
    assert outcomes(await ingest(row, now=NOW + DAY)) == ["UNCHANGED"]
    assert await figures() == before
    assert (await the_order()).updated_at == NOW


@pytest.mark.parametrize("status", ["PENDING", "CANCELLED", "REFUNDED"])
async def test_only_completed_orders_count(status: str) -> None:
    await a_customer(external_id="c")
    assert outcomes(await ingest(an_order_row(status=status))) == ["CREATED"]
    assert await figures() == ("0.00", 0, 0, None, None, "0.00")
    assert outcomes(await ingest(an_order_row(status="COMPLETED"))) == ["UPDATED"]
    assert await figures() == ("100.00", 1, 1, NOW, NOW, "100.00")
    assert outcomes(await ingest(an_order_row(status=status))) == ["UPDATED"]
    assert await figures() == ("0.00", 0, 0, None, None, "0.00")


async def test_a_partial_refund_is_taken_off() -> None:
    await a_customer(external_id="c")
    await ingest(an_order_row())
    refund = {"status": "PARTIALLY_REFUNDED", "refunded_amount": Decimal("30.25")}
    await ingest(an_order_row(payment=refund))
    assert await figures() == ("69.75", 1, 1, NOW, NOW, "69.75")
    await ingest(an_order_row(payment={"status": "REFUNDED"}))
    assert (await the_order()).payment.refunded_amount == Decimal("100.00")
    assert await figures() == ("0.00", 1, 1, NOW, NOW, "0.00")


@pytest.mark.parametrize("corrected", ["60.00", "140.00"])
async def test_a_whole_refund_stays_whole_when_the_amount_is_corrected(corrected: str) -> None:
    await a_customer(external_id="c")
    await ingest(an_order_row(payment={"status": "REFUNDED"}))
    assert outcomes(await ingest(an_order_row(amount=Decimal(corrected)))) == ["UPDATED"]
    assert (await the_order()).payment.refunded_amount == Decimal(corrected)
    assert await figures() == ("0.00", 1, 1, NOW, NOW, "0.00")


async def test_the_first_and_the_last_purchase_follow_what_still_counts() -> None:
    await a_customer(external_id="c")
    rows = [an_order_row(str(n), placed_at=NOW - n * DAY) for n in range(4)]
    await ingest(*rows)
    assert (await figures())[3:5] == (NOW - 3 * DAY, NOW)
    await ingest({**rows[0], "status": "CANCELLED"}, {**rows[3], "placed_at": NOW - 9 * DAY})
    assert (await figures())[3:5] == (NOW - 9 * DAY, NOW - DAY)


async def test_an_order_may_turn_out_to_be_somebody_elses() -> None:
    await a_customer(external_id="c", total_spend=Decimal("1"))
    await a_customer(external_id="d")
    await ingest(an_order_row("1"), an_order_row("2", placed_at=NOW - DAY))
    assert outcomes(await ingest(an_order_row("1", customer={"external_id": "d"}))) == ["UPDATED"]
    assert await figures("c") == ("101.00", 1, 1, NOW - DAY, NOW - DAY, "100.00")
    assert await figures("d") == ("100.00", 1, 1, NOW, NOW, "100.00")


async def test_one_order_twice_in_a_batch_is_changed_in_order() -> None:
    await a_customer(external_id="c")
    report = await ingest(
        an_order_row(amount=Decimal("5")),
        an_order_row(amount=Decimal("7")),
        an_order_row(amount=Decimal("7")),
        an_order_row("2", status="PENDING"),
        an_order_row("2", status="COMPLETED"),
    )
    assert outcomes(report) == ["CREATED", "UPDATED", "UNCHANGED", "CREATED", "UPDATED"]
    assert await figures() == ("107.00", 2, 2, NOW, NOW, "53.50")


async def test_what_is_left_out_stays_and_null_clears() -> None:
    await a_customer(external_id="c")
    item = {"sku": "a", "unit_price": Decimal("100")}
    await ingest(an_order_row(items=[item], coupon="x", payment={"method": "card"}))
    row = an_order_row(status="REFUNDED")
    await ingest(row)
    order = await the_order()
    assert (len(order.items), order.coupon, order.payment.method) == (1, "x", "card")
    await ingest({**row, "items": None, "coupon": None, "payment": None, "amount": Decimal("7")})
    order = await the_order()
    assert (order.items, order.coupon, order.payment.method, order.amount) == ([], None, None, Decimal("7.00"))


@pytest.mark.parametrize(
    "key", [{"id": ...}, {"external_id": "c"}, {"email": " C@Example.com"}, {"phone": "+1 (415) 555-2671"}]
)
async def test_the_customer_is_named_by_any_key(key: dict[str, object]) -> None:
    customer = await a_customer(external_id="c", email="c@example.com", phone="+14155552671")
    named = {"id": str(customer.id)} if "id" in key else key
    assert outcomes(await ingest(an_order_row(customer=named))) == ["CREATED"]
    assert (await the_order()).customer_id == customer.id


async def test_without_an_amount_the_items_add_up_to_it() -> None:
    await a_customer(external_id="c")
    items = [{"sku": "a", "quantity": 3, "unit_price": Decimal("0.10")}, {"sku": "b", "unit_price": Decimal("1")}]
    await ingest(an_order_row(amount=None, items=items))
    assert (await the_order()).amount == Decimal("1.30")


ITEM = {"sku": "a", "unit_price": Decimal("10")}


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"external_id": None}, "REQUIRED", ("externalId",)),
        ({"external_id": " "}, "INVALID", ("externalId",)),
        ({"customer": None}, "REQUIRED", ("customer",)),
        ({"customer": "c"}, "INVALID", ("customer",)),
        ({"customer": {}}, "INVALID", ("customer",)),
        ({"customer": {"external_id": None}}, "INVALID", ("customer",)),
        ({"customer": {"external_id": "c", "email": "c@example.com"}}, "INVALID", ("customer",)),
        ({"customer": {"email": "no at"}}, "INVALID", ("customer", "email")),
        ({"customer": {"external_id": "nobody"}}, "NOT_FOUND", ("customer",)),
        ({"customer": {"id": "nobody"}}, "NOT_FOUND", ("customer",)),
        ({"customer": {"id": "0" * 24}}, "NOT_FOUND", ("customer",)),
        ({"placed_at": None}, "REQUIRED", ("placedAt",)),
        ({"placed_at": "today"}, "INVALID", ("placedAt",)),
        ({"amount": None}, "REQUIRED", ("amount",)),
        ({"amount": Decimal("-1")}, "INVALID", ("amount",)),
        ({"amount": Decimal("1.005")}, "INVALID", ("amount",)),
        ({"amount": "ten"}, "INVALID", ("amount",)),
        ({"amount": Decimal("11"), "items": [ITEM]}, "INVALID", ("amount",)),
        ({"currency": "EUR"}, "INVALID", ("currency",)),
        ({"status": "LOST"}, "INVALID", ("status",)),
        ({"items": [ITEM, {"unit_price": Decimal("1")}]}, "REQUIRED", ("items", "1", "sku")),
        ({"items": [{**ITEM, "quantity": 0}]}, "INVALID", ("items", "0", "quantity")),
        ({"items": ["a"]}, "INVALID", ("items", "0")),
        ({"items": "a"}, "INVALID", ("items",)),
        ({"items": [ITEM] * 1_001}, "INVALID", ("items",)),
        (
            {"amount": None, "items": [{**ITEM, "quantity": 10**9, "unit_price": Decimal(10**15)}]},
            "INVALID",
            ("items",),
        ),
        ({"payment": {"refunded_amount": Decimal("100.01")}}, "INVALID", ("payment", "refundedAmount")),
        ({"payment": {"status": "PARTIALLY_REFUNDED"}}, "REQUIRED", ("payment", "refundedAmount")),
        ({"payment": "card"}, "INVALID", ("payment",)),
        ({"coupon": "half \udc00"}, "INVALID", ("coupon",)),
    ],
)
async def test_what_cannot_be_stored_is_named_and_nothing_is_stored(
    fields: dict[str, object], code: str, field: tuple[str, ...]
) -> None:
    await a_customer(external_id="c", email="c@example.com")
    assert faults(await ingest(an_order_row(**fields))) == [(code, field)]
    assert await documents.Order.count() == 0
    assert await figures() == ("0.00", 0, 0, None, None, "0.00")


async def test_a_bad_row_harms_no_other() -> None:
    await a_customer(external_id="c")
    report = await ingest(an_order_row("1"), an_order_row("2", amount="x", coupon=7), an_order_row("3", status="?"))
    assert outcomes(report) == ["CREATED", "FAILED", "FAILED"]
    assert [len(result.faults) for result in report.results] == [0, 2, 1]
    assert (await figures())[:2] == ("100.00", 1)


async def test_the_same_orders_from_several_at_once_count_once() -> None:
    for number in range(20):
        await a_customer(external_id=f"c{number}")
    rows = [an_order_row(str(n), customer={"external_id": f"c{n % 20}"}) for n in range(100)]
    reports = await asyncio.gather(*(ingest(*rows) for _ in range(6)))
    assert sum(report.count(Outcome.CREATED) for report in reports) == 100
    assert sum(report.count(Outcome.UNCHANGED) for report in reports) == 500
    for number in range(20):
        assert (await figures(f"c{number}"))[:3] == ("500.00", 5, 5)


async def test_orders_of_one_customer_from_several_at_once_all_count() -> None:
    customer = await a_customer(external_id="c")
    await asyncio.gather(*(an_order(customer, amount=Decimal("0.01")) for _ in range(40)))
    assert (await figures())[:3] == ("0.40", 40, 40)


async def test_when_the_database_does_not_answer_rows_say_so_and_nothing_is_stored() -> None:
    await a_customer(external_id="c")
    with pymongo.timeout(0.000_001):
        report = await ingest(an_order_row("1"), an_order_row("2"), an_order_row("3", amount=None))
    assert [fault[0] for fault in faults(report)] == ["UNAVAILABLE", "UNAVAILABLE", "UNAVAILABLE"]
    assert await documents.Order.count() == 0
    assert outcomes(await ingest(an_order_row("1"))) == ["CREATED"]
