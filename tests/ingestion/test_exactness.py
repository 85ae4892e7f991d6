"""Figures are exact whatever happens: random histories, told by several writers at once, against a recount."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.asynchronous.database import AsyncDatabase

import documents
import ingestion.customers
import ingestion.orders
from documents import OrderStatus
from ingestion import Outcome, Policy

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
CENT = Decimal("0.01")

Rows = list[dict[str, object]]

cents = st.integers(0, 1_000_000).map(lambda number: number * CENT)
instants = st.integers(0, 30).map(lambda days: NOW - timedelta(days=days))
customers = st.sampled_from("abc")


@st.composite
def orders(draw: st.DrawFn) -> dict[str, object]:
    """A row about one of a few orders, whose every field may be another the next time."""
    amount = draw(cents)
    refund = {
        "status": "PARTIALLY_REFUNDED",
        "refunded_amount": (amount * draw(st.sampled_from([0, 1])) / 3).quantize(CENT),
    }
    return {
        "external_id": draw(st.sampled_from("123456")),
        "customer": {"external_id": draw(customers)},
        "placed_at": draw(instants),
        "amount": amount,
        "status": draw(st.sampled_from([OrderStatus.COMPLETED, *OrderStatus])),
        "payment": draw(st.sampled_from([None, refund])),
    }


openings = st.fixed_dictionaries(
    {"external_id": customers},
    optional={
        "total_spend": st.none() | cents,
        "visit_count": st.none() | st.integers(0, 50),
        "last_purchase": st.none() | instants,
    },
)
batches = st.lists(orders(), min_size=1, max_size=5) | st.lists(openings, min_size=1, max_size=3)
writers = st.lists(st.lists(batches, min_size=1, max_size=5), min_size=1, max_size=4)


@given(history=writers)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_figures_of_every_customer_are_those_of_a_recount(
    database: AsyncDatabase[dict[str, object]], history: list[list[Rows]]
) -> None:
    await documents.Customer.delete_all()
    await documents.Order.delete_all()
    await tell([{"external_id": each} for each in "abc"])
    await asyncio.gather(*(tell(*batches) for batches in history))
    await assert_exact()


@pytest.mark.parametrize("batches", [1, 2, 5])
async def test_the_figures_are_exact_after_a_writer_was_killed(
    mongo_uri: str, database: AsyncDatabase[dict[str, object]], batches: int
) -> None:
    await tell([{"external_id": each} for each in "abc"])
    command = (sys.executable, "-m", "tests.ingestion.order_writer", mongo_uri, database.name)
    writer = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    try:
        assert writer.stdout
        for _ in range(batches):
            assert await asyncio.wait_for(writer.stdout.readline(), timeout=30)
    finally:
        writer.kill()
        await writer.wait()
    # MongoDB gives up a transaction that nobody ends after a minute; until then its documents are locked.
    await database.client.admin.command("killAllSessions", [])
    assert await documents.Order.count() == 100
    await assert_exact()


async def tell(*batches: Rows) -> None:
    """Ingest the batches one after another; none of their rows may fail."""
    for rows in batches:
        ingest = ingestion.orders.ingest if "customer" in rows[0] else ingestion.customers.ingest
        report = await ingest(rows, Policy(), NOW)
        assert report.count(Outcome.FAILED) == 0, report


async def orders_of(customer: documents.Customer) -> list[documents.Order]:
    return await documents.Order.find({"customer_id": customer.id}).to_list()


async def assert_exact() -> None:
    for customer in await documents.Customer.find().to_list():
        assert figures(customer) == recount(customer, await orders_of(customer))


def figures(customer: documents.Customer) -> dict[str, object]:
    names = ("total_spend", "order_count", "visit_count", "first_purchase", "last_purchase")
    return {name: getattr(customer, name) for name in names} | {"average": average(customer.average_order_value)}


def recount(customer: documents.Customer, orders: list[documents.Order]) -> dict[str, object]:
    """The figures as they are defined, from what is stored of the customer's openings and orders."""
    counted = [order for order in orders if order.status is OrderStatus.COMPLETED]
    spend = sum((order.amount - order.payment.refunded_amount for order in counted), Decimal(0))
    opening = customer.opening
    purchases = [order.placed_at for order in counted] + ([opening.last_purchase] if opening.last_purchase else [])
    return {
        "total_spend": opening.total_spend + spend,
        "order_count": len(counted),
        "visit_count": opening.visit_count + len(counted),
        "first_purchase": min(purchases, default=None),
        "last_purchase": max(purchases, default=None),
        "average": average(spend / len(counted) if counted else Decimal(0)),
    }


def average(exact: Decimal) -> Decimal:
    """To a millionth of a cent: Python divides to 28 digits, MongoDB to 34."""
    return exact.quantize(Decimal("1e-8"))
