"""Histories: all orders of a customer, and how many of them one transaction can take."""

from collections.abc import Collection

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

import documents
from ingestion import figures, totals

# The embedded MongoDB gives a transaction 15 s, and 30,000 orders take it 3.4.
LONGEST = 50_000
PIECE = 5_000

# What an order keeps of nobody: the payment's number leads to whoever paid.
_NOBODYS = {"$unset": {"customer_id": "", "payment.reference": ""}}
_COUNTED = ("status", "amount", "payment.refunded_amount", "placed_at", "customer_id")


async def is_long(customer_ids: Collection[ObjectId], session: AsyncClientSession | None = None) -> bool:
    """Whether these customers have more orders together than one transaction takes."""
    theirs = {"customer_id": {"$in": list(customer_ids)}}
    orders = documents.Order.get_pymongo_collection()
    return await orders.count_documents(theirs, limit=LONGEST + 1, session=session) > LONGEST


async def shorten(customer_id: ObjectId, session: AsyncClientSession, by: int = PIECE) -> None:
    """Make so many of a customer's orders nobody's; the figures are those of the others."""
    orders = documents.Order.get_pymongo_collection()
    piece = await orders.find({"customer_id": customer_id}, _COUNTED, limit=by, session=session).to_list()
    which = {"_id": {"$in": [order["_id"] for order in piece]}}
    await orders.update_many(which, _NOBODYS, session=session)
    await figures.move(totals.changes((order, {}) for order in piece), session)


async def forget(customer_id: ObjectId, session: AsyncClientSession) -> None:
    """Make all of a customer's orders nobody's, who is being erased with all figures."""
    orders = documents.Order.get_pymongo_collection()
    await orders.update_many({"customer_id": customer_id}, _NOBODYS, session=session)
