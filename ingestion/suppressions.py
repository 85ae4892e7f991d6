"""Suppressions: who was erased, known by keyed hashes of what they were known by, and not taken in again.

Without the key, which is not in the database, nobody can tell whose hashes they are, nor try out all phone numbers.
"""

import hmac
from collections.abc import Iterable

from beanie import PydanticObjectId
from pymongo import ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession

import documents
import errors
from documents import Suppression
from ingestion.aliases import N, Name

_SAID = {"_id": "id", "external_id": "externalId", "email": "e-mail", "phone": "phone"}


async def know(key: bytes) -> bool:
    """Whether all suppressions were made with this key; those of another one would let everybody in again."""
    return await Suppression.get_pymongo_collection().find_one({"key": {"$ne": _mark(key)}}, ["_id"]) is None


async def among(names: Iterable[N], key: bytes, session: AsyncClientSession | None = None) -> set[N]:
    """Those of these keys and ids that are suppressed."""
    suppressions = Suppression.get_pymongo_collection()
    # Most have erased nobody.
    if await suppressions.find_one({}, ["_id"], session=session) is None:
        return set()
    digests = {_digest(key, name): name for name in names}
    found = suppressions.find({"_id": {"$in": list(digests)}}, ["_id"], session=session)
    return {digests[stored["_id"]] for stored in await found.to_list()}


def refusal(name: Name, field: str) -> errors.Conflict:
    """What is said of a record that names somebody who was erased."""
    return errors.Conflict(
        f"Whoever had this {_SAID[name[0]]} was erased, and is not taken in again until an ADMIN lifts that.", [field]
    )


async def add(names: Iterable[Name], key: bytes, erased_by: PydanticObjectId, session: AsyncClientSession) -> None:
    """Suppress all that one person was known by."""
    shared = {
        "key": _mark(key),
        "erasure_id": PydanticObjectId(),
        "created_by": erased_by,
        "created_at": documents.now(),
    }
    digests = {_digest(key, name) for name in names}
    writes = [ReplaceOne({"_id": digest}, shared, upsert=True) for digest in digests]
    await Suppression.get_pymongo_collection().bulk_write(writes, ordered=False, session=session)


async def lift(name: Name, key: bytes) -> int:
    """Let somebody be taken in again, by whichever key or id: how many of that person there were; 0 for none."""
    suppressions = Suppression.get_pymongo_collection()
    found = await suppressions.find_one({"_id": _digest(key, name)})
    if found is None:
        return 0
    return (await suppressions.delete_many({"erasure_id": found["erasure_id"]})).deleted_count


def _mark(key: bytes) -> str:
    return _digest(key, ("nobody", ""))[:16]


def _digest(key: bytes, name: Name) -> str:
    kind, value = name
    return hmac.digest(key, f"{kind}:{value}".encode(), "sha256").hex()
