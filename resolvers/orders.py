"""Orders: taking them in, finding one, paging through many."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from beanie import PydanticObjectId

import documents
import ingestion.orders
import resolvers.customers
from auth import Viewer
from documents import OrderStatus, records
from ingestion import Policy, Report, Row
from resolvers import pages
from resolvers.pages import Page, PageRequest, Record, Sort

_LATEST_FIRST = Sort("placed_at", descending=True)


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders; all parts that are given must hold."""

    customer_id: PydanticObjectId | str | None = None  # a text that is no id is nobody's
    status: OrderStatus | None = None
    placed_after: datetime | None = None
    placed_before: datetime | None = None


async def ingest(viewer: Viewer, rows: Sequence[Row], policy: Policy) -> Report:
    """Store these rows about orders; raises TooLarge for too many."""
    return await ingestion.orders.ingest(rows, policy, documents.now())


async def find(viewer: Viewer, order_id: PydanticObjectId) -> Record | None:
    """One order."""
    return await records.of(documents.Order).find_one({"_id": order_id})


async def page(viewer: Viewer, filter: OrderFilter, request: PageRequest) -> Page[Record]:
    """Orders that match, the latest first; of a customer who was merged, those of the one who was kept."""
    if isinstance(filter.customer_id, PydanticObjectId):
        filter = replace(filter, customer_id=await resolvers.customers.current(filter.customer_id))
    orders = records.of(documents.Order)
    return await pages.fetch(orders, _matching(filter), request, _LATEST_FIRST)


async def pages_of_customers(
    customer_ids: Iterable[PydanticObjectId], request: PageRequest
) -> Mapping[PydanticObjectId, Page[Record]]:
    """The orders of each of these customers, the latest first."""
    filters = {id_: {"customer_id": id_} for id_ in customer_ids}
    return await pages.fetch_each(records.of(documents.Order), filters, request, _LATEST_FIRST)


def _matching(filter: OrderFilter) -> Mapping[str, object]:
    bounds = {"$gt": filter.placed_after, "$lt": filter.placed_before}
    placed = {operator: instant for operator, instant in bounds.items() if instant is not None}
    conditions = {"customer_id": filter.customer_id, "status": filter.status, "placed_at": placed}
    return {name: condition for name, condition in conditions.items() if condition}
