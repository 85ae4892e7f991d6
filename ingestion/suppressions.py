"""Suppressions: who was erased, known by keyed hashes of what they were known by, and not taken in again.

Without the key, which is not in the database, nobody can tell whose hashes they are, nor try out all phone numbers.
"""

import hmac
from collections.abc import Iterable, Mapping

from beanie import PydanticObjectId
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

import documents
import errors
from documents import Suppression
from ingestion.aliases import N, Name

_SAID = {"_id": "id", "external_id": "externalId", "email": "e-mail", "phone": "phone"}
# The hash of this name of nobody's tells whether the key is the one that the others were made with.
_NOBODY = ("nobody", "nobody")


async def adopt(secret: bytes) -> bool:
    """Have suppressions made with this key from now on; False when the database has some of another key's."""
    suppressions = Suppression.get_pymongo_collection()
    mark = {"digest": _digest(secret, _NOBODY)}
    try:
        stored = await suppressions.find_one_and_update(
            {"_id": "key"}, {"$setOnInsert": mark}, upsert=True, return_document=ReturnDocument.AFTER
        )
    except DuplicateKeyError:  # another process was adopting its key at the same instant
        return await adopt(secret)
    return bool(stored and stored["digest"] == mark["digest"])


async def among(names: Iterable[N], secret: bytes, session: AsyncClientSession | None = None) -> set[N]:
    """Those of these keys and ids that are suppressed."""
    suppressions = Suppression.get_pymongo_collection()
    if await suppressions.find_one(_REAL, ["_id"], session=session) is None:
        return set()
    digests = {_digest(secret, name): name for name in names}
    found = suppressions.find({"_id": {"$in": list(digests)}}, ["_id"], session=session)
    return {digests[stored["_id"]] for stored in await found.to_list()}


def refusal(name: Name, field: str) -> errors.Conflict:
    """What is said of a record that names somebody who was erased."""
    return errors.Conflict(
        f"Whoever had this {_SAID[name[0]]} was erased, and is not taken in again until an ADMIN lifts that.", [field]
    )


async def add(names: Iterable[Name], secret: bytes, erased_by: PydanticObjectId, session: AsyncClientSession) -> None:
    """Suppress all that one person was known by."""
    shared: Mapping[str, object] = {
        "erasure_id": PydanticObjectId(),
        "created_by": erased_by,
        "created_at": documents.now(),
    }
    rows = [{"_id": digest, **shared} for digest in {_digest(secret, name) for name in names}]
    suppressions = Suppression.get_pymongo_collection()
    # A name that was suppressed before and has come back since, by lifting only in part, belongs to this erasure now.
    await suppressions.delete_many({"_id": {"$in": [row["_id"] for row in rows]}}, session=session)
    await suppressions.insert_many(rows, session=session)


async def lift(name: Name, secret: bytes) -> int:
    """Let somebody be taken in again, by whichever key: how many names of that person were suppressed; 0 for none."""
    suppressions = Suppression.get_pymongo_collection()
    found = await suppressions.find_one({"_id": _digest(secret, name)})
    if found is None:
        return 0
    return (await suppressions.delete_many({"erasure_id": found["erasure_id"]})).deleted_count


_REAL = {"erasure_id": {"$type": "objectId"}}


def _digest(secret: bytes, name: Name) -> str:
    kind, value = name
    return hmac.digest(secret, f"{kind}:{value}".encode(), "sha256").hex()
