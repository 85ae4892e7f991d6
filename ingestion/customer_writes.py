"""Writing drafts of customers: one bulk write for all, and who of them could not be written as they are."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import InsertOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError

import documents
from ingestion import chunks, totals
from ingestion.identities import Draft

_DUPLICATE_KEY = 11000
_OPENING = "opening."

Document = dict[str, object]


async def write(drafts: Sequence[Draft], now: datetime, transaction: AsyncClientSession | None = None) -> set[Draft]:
    """Store what changed. Returns those of whom nothing was stored, because somebody else was faster: took one of
    their keys, gave them another externalId, or removed them. In a transaction that is raised: it is over then."""
    operations = [
        _insertion(draft, now) if draft.is_new else _change(draft, now) async for draft in chunks.unhurried(drafts)
    ]
    if not operations:
        return set()
    try:
        customers = documents.Customer.get_pymongo_collection()
        result = await customers.bulk_write(operations, ordered=False, session=transaction)
        failed, matched = set[Draft](), result.matched_count
    except BulkWriteError as error:
        faults = error.details["writeErrors"]
        if transaction or not faults or any(fault["code"] != _DUPLICATE_KEY for fault in faults):
            raise
        failed, matched = {drafts[fault["index"]] for fault in faults}, error.details["nMatched"]
    changes = [draft for draft in drafts if not draft.is_new and draft not in failed]
    return failed if matched == len(changes) else failed | await _missed(changes)


async def _missed(drafts: Sequence[Draft]) -> set[Draft]:
    customers = documents.Customer.get_pymongo_collection()
    found = customers.find({"_id": {"$in": [draft.id for draft in drafts]}}, {"external_id": True})
    external_ids = {stored["_id"]: stored.get("external_id") for stored in await found.to_list()}
    return {
        draft
        for draft in drafts
        if draft.id not in external_ids
        or ("external_id" in draft.changed and external_ids[draft.id] != draft.values.get("external_id"))
    }


def _insertion(draft: Draft, now: datetime) -> InsertOne[Document]:
    plain, opening = Document(), Document()
    for path, value in draft.values.items():
        if value is not None:
            into, name = (opening, path.removeprefix(_OPENING)) if path.startswith(_OPENING) else (plain, path)
            into[name] = value
    figures = totals.of_newcomer(opening)
    stamps = {"created_at": now, "updated_at": now}
    return InsertOne({"_id": draft.id, **plain, **figures, "folded": documents.folded(plain), **stamps})


def _change(draft: Draft, now: datetime) -> UpdateOne:
    said = {path: draft.values[path] for path in draft.changed}
    folded = documents.folded(said)
    sets: Document = {path: value for path, value in said.items() if value is not None}
    sets |= {f"folded.{path}": text for path, text in folded.items()} | {"updated_at": now}
    unsets = [path for path, value in said.items() if value is None]
    unsets += [f"folded.{path}" for path, value in said.items() if value in (None, [], {}) and path not in folded]
    # Who had no externalId when the row's was matched must not have got another since.
    external_id = {"external_id": draft.stored_external_id} if "external_id" in draft.changed else {}
    whom = {"_id": draft.id, **external_id}
    if any(path.startswith(_OPENING) for path in draft.changed):
        return UpdateOne(whom, totals.updated_with(sets, unsets))
    return UpdateOne(whom, {"$set": sets, **({"$unset": dict.fromkeys(unsets, "")} if unsets else {})})
