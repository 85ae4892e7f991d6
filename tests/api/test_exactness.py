"""Whatever happens to customers at once, merging and erasing too: figures, counters and links against a recount."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

import pytest
from beanie import PydanticObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.asynchronous.database import AsyncDatabase

import documents
import errors
import ingestion.customers
import ingestion.orders
import resolvers.duplicates
import resolvers.erasures
from auth import Viewer
from delivery import ledger
from documents import Alias, Customer, Message, Order, OrderStatus, Role, Suppression
from ingestion import Outcome, Policy, Report, RowResult
from tests.delivery.conftest import launched
from tests.ingestion.test_exactness import NOW, assert_exact, batches, customers

ADMIN = Viewer(PydanticObjectId(), Role.ADMIN)
POLICY = Policy(suppression_key=b"a key")
PHONES = {"a": "+919876543210", "b": "+919876543211", "c": "+919876543212"}

Act = tuple[Literal["merge"], str, str] | tuple[Literal["erase", "lift"], str]

acts: st.SearchStrategy[Act] = st.one_of(
    st.tuples(st.just("merge"), customers, customers),
    st.tuples(st.just("erase"), customers),
    st.tuples(st.just("lift"), customers),
)
histories = st.lists(st.lists(batches | batches | acts, min_size=2, max_size=6), min_size=2, max_size=4)


@dataclass(slots=True)
class Told:
    """What the writers were told of what they did."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def row(self, result: RowResult) -> None:
        """Note what became of a row about an order."""
        self.outcomes[result.outcome] += 1
        self.faults.update(fault.code for fault in result.faults)


@given(history=histories)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_recount_agrees_after_everything_at_once(
    database: AsyncDatabase[dict[str, object]], history: list[list[list[dict[str, object]] | Act]]
) -> None:
    for collection in (Customer, Alias, Suppression, Order, Message, documents.Tally, documents.Batch):
        await collection.delete_all()
    told = Told()
    await ingest([{"external_id": name, "phone": phone} for name, phone in PHONES.items()])
    campaign = await launched()
    await asyncio.gather(*(tell(acts, told) for acts in history))
    await assert_exact()
    await assert_linked()
    assert await Order.count() == told.outcomes[Outcome.CREATED]
    assert told.faults.keys() <= {"CONFLICT", "NOT_FOUND"}
    check = await ledger.verify(campaign.id)
    assert (check.consistent, check.recount.audience) == (True, len(PHONES))


async def tell(acts: list[list[dict[str, object]] | Act], told: Told) -> None:
    """One writer, doing one thing after another."""
    for act in acts:
        try:
            await do(act, told)
        except errors.Fault as fault:
            told.faults.update(each.code for each in fault.faults)


async def do(act: list[dict[str, object]] | Act, told: Told) -> None:
    match act:
        case list() if "customer" in act[0]:
            for result in (await ingestion.orders.ingest(act, POLICY, NOW)).results:
                told.row(result)
        case list():
            await ingest(act)
        case "merge", kept, other:
            ids = [await id_of(kept), await id_of(other)]
            if ids[0] != ids[1]:
                await resolvers.duplicates.merge(ADMIN, ids[0], ids[1:])
        case "erase", name:
            await resolvers.erasures.erase(ADMIN, await id_of(name), POLICY)
        case "lift", name:
            await resolvers.erasures.lift(ADMIN, {"external_id": name}, POLICY)


async def ingest(rows: list[dict[str, object]]) -> Report:
    return await ingestion.customers.ingest(rows, POLICY, NOW)


async def id_of(external_id: str) -> PydanticObjectId:
    found = await Customer.find_one({"external_id": external_id}) or await Alias.find_one({"external_id": external_id})
    if found is None:
        raise errors.NotFound("There is no such customer.")
    return found.id


async def assert_linked() -> None:
    """Orders, messages and aliases are of customers whom there are, or of nobody; and sums are those of the orders."""
    ids = {customer.id async for customer in Customer.find()}
    orders = await Order.find().to_list()
    for collection in (Order, Message, Alias):
        assert {each.customer_id async for each in collection.find()} <= ids | {None}
    counted = [order for order in orders if order.status is OrderStatus.COMPLETED and order.customer_id]
    spent = sum((order.amount - order.payment.refunded_amount for order in counted), Decimal(0))
    assert sum([customer.purchases.spend async for customer in Customer.find()], Decimal(0)) == spent


@pytest.mark.parametrize("writers", [2, 6])
async def test_one_customer_is_merged_back_and_forth_while_orders_come_in(
    database: AsyncDatabase[dict[str, object]], writers: int
) -> None:
    names = "abcdef"
    await ingest([{"external_id": name, "total_spend": Decimal("1.00")} for name in names])
    told = Told()
    order = {"placed_at": NOW, "amount": Decimal("1.01")}
    told_orders: list[list[list[dict[str, object]] | Act]] = [
        [[{**order, "external_id": f"{writer}-{n}", "customer": {"external_id": names[n]}}] for n in range(6)]
        for writer in range(writers)
    ]
    merging: list[list[dict[str, object]] | Act] = [("merge", names[n + 1], names[n]) for n in range(5)]
    await asyncio.gather(tell(merging, told), *(tell(each, told) for each in told_orders))
    [only] = await Customer.find().to_list()
    assert only.total_spend == 6 + 6 * writers * Decimal("1.01")
    assert (only.order_count, told.faults) == (6 * writers, Counter())
    await assert_exact()
