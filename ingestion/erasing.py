"""Erasing a person: what customers, aliases, orders and imports hold of one is removed; what is counted stays."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from beanie import PydanticObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

import documents
from documents import ImportStatus
from documents.records import Record
from ingestion import histories, suppressions
from ingestion.aliases import Name
from ingestion.customer_rows import KEYS

# A shorter text stands in too many others.
SHORTEST_TRACE = 5
FORGOTTEN = "What was said here quoted somebody who has been erased."


@dataclass(frozen=True, slots=True)
class Person:
    """A customer with those who were merged into it."""

    customer: Record
    aliases: Sequence[Record]

    @property
    def id(self) -> PydanticObjectId:
        """The customer's id."""
        return PydanticObjectId(str(self.customer["_id"]))

    @property
    def ids(self) -> Sequence[PydanticObjectId]:
        """Every id that means this person."""
        return [PydanticObjectId(str(each["_id"])) for each in (self.customer, *self.aliases)]

    def names(self) -> Iterator[Name]:
        """Every key and id that means this person."""
        for id_ in self.ids:
            yield "_id", id_
        for each in (self.customer, *self.aliases):
            for kind in KEYS:
                if isinstance(value := each.get(kind), str):
                    yield kind, value

    def traces(self) -> set[str]:
        """The texts that give the person away wherever they stand."""
        name = self.customer.get("name")
        return {str(value) for _, value in self.names()} | ({name} if isinstance(name, str) else set())


async def find(customer_id: PydanticObjectId, session: AsyncClientSession | None = None) -> Person | None:
    """The person with this id, now or before a merger."""
    aliases = documents.Alias.get_pymongo_collection()
    former = await aliases.find_one({"_id": customer_id}, session=session)
    current = former["customer_id"] if former else customer_id
    customer = await documents.Customer.get_pymongo_collection().find_one({"_id": current}, session=session)
    if customer is None:
        return None
    return Person(customer, await aliases.find({"customer_id": current}, session=session).to_list())


async def erase(person: Person, key: bytes, erased_by: PydanticObjectId, session: AsyncClientSession) -> None:
    """Remove a person, as this transaction has read them, and remember not to take them in again."""
    await documents.Customer.get_pymongo_collection().delete_one({"_id": person.id}, session=session)
    await documents.Alias.get_pymongo_collection().delete_many({"customer_id": person.id}, session=session)
    await histories.forget(person.id, session)
    await suppressions.add(person.names(), key, erased_by, session)


async def forget_imports(person: Person) -> None:
    """Remove what imports have kept of a person: the files of those that have ended, and what quotes them.

    The file of one that is under way is gone when it ends; its rows about the person are refused.
    """
    jobs, blocks = documents.ImportJob.get_pymongo_collection(), documents.ImportBlock.get_pymongo_collection()
    ended = await jobs.distinct("_id", {"status": {"$in": [ImportStatus.COMPLETED, ImportStatus.FAILED]}})
    await blocks.delete_many({"job_id": {"$in": ended}})
    quotes = "|".join(re.escape(trace) for trace in person.traces() if len(trace) >= SHORTEST_TRACE)
    if quotes:
        await documents.FaultyRow.get_pymongo_collection().update_many(
            {"faults.message": {"$regex": quotes, "$options": "i"}}, {"$set": {"faults.$[].message": FORGOTTEN}}
        )
