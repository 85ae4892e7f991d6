"""The audience: the customers whom some rules select, as of one instant.

    count     how many                              sieve    to page through them, in any order
    sample    the first few                         batches  all of them, a thousand at a time
    members   which of these                        person   one customer, with all that rules can be about

Rules about customers alone are one filter. For the others see `selection`: it finds members one by one or all at once,
and here is decided which, by how many customers the plain rules leave.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

from beanie import PydanticObjectId
from bson import ObjectId
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.command_cursor import AsyncCommandCursor

import documents
from documents import records
from segmentation.dates import AsOf
from segmentation.evaluator import Person
from segmentation.filters import Filter, Stage, all_of
from segmentation.selection import CUSTOMERS, Selection
from segmentation.tree import Group

Record = dict[str, object]

FEW = 5_000  # looked up one by one they take 0.4 s; grouping the orders of a year takes longer
MOST_NAMED = 20_000  # ids in a filter, which make 400 KB of it
BATCH = 1_000
ID_BYTES = 12


@dataclass(frozen=True, slots=True)
class Sieve:
    """What lets the members among customers through: a filter, and then stages that keep their order.

    Stages look every customer up, so sort before them, by an index, and stop when there are enough.
    """

    filter: Filter
    stages: Sequence[Stage] = ()


async def sieve(rules: Group, as_of: AsOf, among: Filter | None = None) -> Sieve:
    """The sieve for a page of those whom the rules select; among those who pass a filter, if one is given.

    Good within one evaluation. For all of them, `count` and `batches` know better.
    """
    selection = Selection.of(rules, as_of, among or {})
    if selection.is_plain:
        return Sieve(selection.filter)
    ids = await _ids(selection, {"$limit": MOST_NAMED + 1})
    if len(ids) <= MOST_NAMED:
        return Sieve({"_id": {"$in": ids}})
    # So many are soon met on the way.
    return Sieve(selection.filter, selection.lookups())


async def count(rules: Group, as_of: AsOf, among: Filter | None = None) -> int:
    """How many customers the rules select; among those who pass a filter, if one is given."""
    selection = Selection.of(rules, as_of, among or {})
    if selection.is_plain:
        if selection.filter:
            return await _customers().count_documents(selection.filter)
        # Without a hint MongoDB reads every document to count them all.
        return await _customers().count_documents({}, hint="_id_")
    async with await _aggregate(*await _ids_of(selection), {"$count": "count"}) as counted:
        return sum([int(str(record["count"])) async for record in counted])


async def sample(rules: Group, as_of: AsOf, size: int) -> list[Record]:
    """Some of the customers whom the rules select: those who came first."""
    selection = Selection.of(rules, as_of, {})
    if selection.is_plain:
        return await _customers().find(selection.filter).sort("_id", 1).limit(size).to_list()
    ids = await _ids(selection, {"$sort": {"_id": 1}}, {"$limit": size})
    return await _customers().find({"_id": {"$in": ids}}).sort("_id", 1).to_list()


async def members(rules: Group, as_of: AsOf, ids: Collection[PydanticObjectId]) -> list[PydanticObjectId]:
    """Those of these customers whom the rules select."""
    selection = Selection.of(rules, as_of, {"_id": {"$in": list(ids)}})
    chosen: list[Stage] = [{"$match": selection.filter}, *selection.lookups(), {"$project": {"_id": 1}}]
    async with await _customers().aggregate(chosen) as found:
        return [PydanticObjectId(str(record["_id"])) async for record in found]


async def batches(
    rules: Group, as_of: AsOf, after: PydanticObjectId | None, fields: Sequence[str]
) -> AsyncIterator[Sequence[Record]]:
    """All customers whom the rules select, with these stored fields, in the order of their ids, behind `after`.

    Each batch is a query of its own, so the walk may take as long as it likes and be taken up again anywhere. Records
    are as `documents.records` reads them: a decimal is a Decimal128, and an instant does not say that it is in UTC.
    """
    selection = Selection.of(rules, as_of, {})
    walk = _filtered(selection, after, fields) if selection.is_plain else _named(selection, after, fields)
    async for batch in walk:
        yield batch


async def person(customer_id: PydanticObjectId) -> Person | None:
    """The customer with all orders and messages, for the evaluator; None when there is no such customer."""
    customer = await _customers().find_one({"_id": customer_id})
    if customer is None:
        return None
    theirs, unread = {"customer_id": customer_id}, {"body": 0, "subject": 0}
    return Person(
        customer,
        # A batch is read at one go, and one as large as it may be would hold everybody else up.
        await documents.Order.get_pymongo_collection().find(theirs).batch_size(BATCH).to_list(),
        await documents.Message.get_pymongo_collection().find(theirs, unread).batch_size(BATCH).to_list(),
    )


async def _filtered(
    selection: Selection, after: PydanticObjectId | None, fields: Sequence[str]
) -> AsyncIterator[Sequence[Record]]:
    while True:
        behind: Filter = {"_id": {"$gt": after}} if after else {}
        found = records.of(documents.Customer).find(all_of([behind, selection.filter]), dict.fromkeys(fields, 1))
        # By any other index every batch would begin with a sort of all that is left.
        batch = await found.sort("_id", 1).hint("_id_").limit(BATCH).batch_size(BATCH).to_list()
        if batch:
            yield batch
        if len(batch) < BATCH:
            return
        after = PydanticObjectId(str(batch[-1]["_id"]))


async def _named(
    selection: Selection, after: PydanticObjectId | None, fields: Sequence[str]
) -> AsyncIterator[Sequence[Record]]:
    """The ids of all members are found first, and kept packed: those of a million take 12 MB."""
    behind: list[Stage] = [{"$match": {"_id": {"$gt": after}}}] if after else []
    ids = bytearray()
    async with await _aggregate(*await _ids_of(selection), *behind, {"$sort": {"_id": 1}}) as found:
        async for record in found:
            ids += ObjectId(str(record["_id"])).binary
    for start in range(0, len(ids), BATCH * ID_BYTES):
        part = bytes(ids[start : start + BATCH * ID_BYTES])
        named = [ObjectId(part[at : at + ID_BYTES]) for at in range(0, len(part), ID_BYTES)]
        theirs = records.of(documents.Customer).find({"_id": {"$in": named}}, dict.fromkeys(fields, 1))
        batch = await theirs.sort("_id", 1).batch_size(BATCH).to_list()
        if batch:
            yield batch


async def _ids(selection: Selection, *more: Stage) -> list[ObjectId]:
    async with await _aggregate(*await _ids_of(selection), *more) as found:
        return [ObjectId(str(record["_id"])) async for record in found]


async def _ids_of(selection: Selection) -> tuple[str, list[Stage]]:
    """The collection and the stages that leave the `_id` of every member."""
    if await _leaves_few(selection):
        return CUSTOMERS, [{"$match": selection.filter}, *selection.lookups(), {"$project": {"_id": 1}}]
    return selection.at_once()


async def _leaves_few(selection: Selection) -> bool:
    """Whether the plain rules leave so few customers that each can be looked up."""
    if not selection.filter:
        return False
    return await _customers().count_documents(selection.filter, limit=FEW + 1) <= FEW


async def _aggregate(collection: str, stages: Sequence[Stage], *more: Stage) -> AsyncCommandCursor[Record]:
    return await _customers().database[collection].aggregate([*stages, *more], allowDiskUse=True)


def _customers() -> AsyncCollection[Record]:
    return documents.Customer.get_pymongo_collection()
