"""Figures in the database: what orders mean for their customers, written in the transaction that writes the orders."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

import documents
from documents import OrderStatus
from ingestion import totals
from ingestion.totals import Change


async def move(changes: Mapping[ObjectId, Change], session: AsyncClientSession) -> None:
    """Move the figures; in the order of ids, so that two transactions meet at their first customer in common."""
    bounds = await _bounds([customer_id for customer_id, change in changes.items() if change.may_narrow], session)
    updates = [
        UpdateOne({"_id": customer_id}, changes[customer_id].update(bounds.get(customer_id)))
        for customer_id in sorted(changes)
    ]
    if updates:
        await documents.Customer.get_pymongo_collection().bulk_write(updates, ordered=False, session=session)


async def meet(customer_ids: Collection[ObjectId], session: AsyncClientSession) -> None:
    """Write those who got orders that do not count, and so to speak nothing: an order must not come to a customer who
    is merged or erased at this moment, and only what is written meets there."""
    if customer_ids:
        which = {"_id": {"$in": sorted(customer_ids)}}
        await documents.Customer.get_pymongo_collection().update_many(which, totals.MET, session=session)


async def _bounds(
    customer_ids: Sequence[ObjectId], session: AsyncClientSession
) -> Mapping[object, tuple[datetime, datetime]]:
    """The first and the last purchase by all counted orders; the index holds all that is asked for."""
    if not customer_ids:
        return {}
    counted = {"customer_id": {"$in": customer_ids}, "status": OrderStatus.COMPLETED}
    bounds = {"_id": "$customer_id", "first": {"$min": "$placed_at"}, "last": {"$max": "$placed_at"}}
    pipeline = [{"$match": counted}, {"$group": bounds}]
    async with await documents.Order.get_pymongo_collection().aggregate(pipeline, session=session) as found:
        return {group["_id"]: (group["first"], group["last"]) async for group in found}
