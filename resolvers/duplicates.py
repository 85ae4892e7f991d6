"""Duplicates: customers who may be one person, and making them one."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from beanie import PydanticObjectId

import documents
import errors
import resolvers.customers
from auth import Viewer
from delivery import addressees, ledger
from documents.records import Record
from ingestion import aliases, duplicates, histories, merging
from resolvers import transactions

log = logging.getLogger(__name__)

MOST_MERGED = 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two customers, as stored, who may be one person."""

    customers: Sequence[Record]
    score: float
    reasons: Sequence[str]


async def candidates(viewer: Viewer, count: int) -> list[Candidate]:
    """The likeliest pairs. Compares all customers: seconds for 100,000. Raises InvalidInput for too many pairs."""
    if not 1 <= count <= duplicates.MOST:
        raise errors.InvalidInput(f"first must be between 1 and {duplicates.MOST}.", ["first"])
    best = await duplicates.best(count)
    people = await resolvers.customers.find_many({id_ for each in best for id_ in each.customer_ids})
    return [
        Candidate([people[one], people[two]], each.likeness.score, each.likeness.reasons)
        for each in best
        for one, two in [each.customer_ids]
        if one in people and two in people and people[one] != people[two]  # some may have been merged meanwhile
    ]


async def merge(viewer: Viewer, keep_id: PydanticObjectId, merge_ids: Sequence[PydanticObjectId]) -> PydanticObjectId:
    """Merge customers into one, whose id it returns. Merging again changes nothing.

    Raises a Fault for what cannot be merged; then nothing is.
    """
    _check(keep_id, merge_ids)
    now = documents.now()

    async def work(entry: ledger.Entry) -> tuple[PydanticObjectId, Sequence[PydanticObjectId]]:
        people = await _find([keep_id, *merge_ids], entry)
        kept = people.get(keep_id)
        if kept is None:
            raise errors.NotFound("There is no such customer.", ["keepId"])
        kept_id = PydanticObjectId(str(kept["_id"]))
        merged = _others(kept_id, merge_ids, people)
        if not merged:
            return kept_id, []
        await _refuse_long_history(list(merged), entry)
        await addressees.hand_over(list(merged), kept_id, entry)
        await merging.merge(kept, list(merged.values()), now, entry.session)
        return kept_id, list(merged)

    with transactions.in_time():
        kept_id, merged_ids = await ledger.write(work, now)
    for merged_id in merged_ids:
        log.info("customer %s: merged into customer %s by user %s", merged_id, kept_id, viewer.id)
    return kept_id


async def merged(customer_ids: Iterable[PydanticObjectId]) -> Mapping[PydanticObjectId, list[Record]]:
    """Those who were merged into each of these customers, as they are remembered, the earliest first."""
    wanted = {"customer_id": {"$in": list(customer_ids)}}
    found: dict[PydanticObjectId, list[Record]] = {}
    async for alias in documents.Alias.get_pymongo_collection().find(wanted).sort("merged_at"):
        found.setdefault(alias["customer_id"], []).append(alias)
    return found


def _check(keep_id: PydanticObjectId, merge_ids: Sequence[PydanticObjectId]) -> None:
    if not merge_ids:
        raise errors.Required("Whom to merge?", ["mergeIds"])
    if len(merge_ids) > MOST_MERGED:
        raise errors.TooLarge(f"At most {MOST_MERGED} customers are merged at once.", ["mergeIds"])
    if keep_id in merge_ids:
        place = str(merge_ids.index(keep_id))
        raise errors.InvalidInput("This is the one to keep.", ["mergeIds", place])


async def _find(ids: Sequence[PydanticObjectId], entry: ledger.Entry) -> Mapping[PydanticObjectId, Record]:
    """The customers whom these ids mean now, by those ids."""
    kept = await aliases.kept(ids, entry.session)
    meant = {id_: kept.get(id_, id_) for id_ in ids}
    customers = documents.Customer.get_pymongo_collection()
    found = await customers.find({"_id": {"$in": list(meant.values())}}, session=entry.session).to_list()
    people = {stored["_id"]: stored for stored in found}
    return {id_: people[now] for id_, now in meant.items() if now in people}


def _others(
    kept_id: PydanticObjectId, merge_ids: Sequence[PydanticObjectId], people: Mapping[PydanticObjectId, Record]
) -> Mapping[PydanticObjectId, Record]:
    """Those who are yet to be merged. Raises Rejected with every fault of the ids."""
    faults: list[errors.Fault] = []
    others = {}
    for place, id_ in enumerate(merge_ids):
        found = people.get(id_)
        if found is None:
            faults.append(errors.NotFound("There is no such customer.", ["mergeIds", str(place)]))
        elif found["_id"] == id_ != kept_id:
            others[id_] = found
        elif found["_id"] != kept_id:
            known = f"This customer was merged before, and is {found['_id']} now: name that one."
            faults.append(errors.Conflict(known, ["mergeIds", str(place)]))
    if faults:
        raise errors.Rejected(faults)
    return others


async def _refuse_long_history(ids: Sequence[PydanticObjectId], entry: ledger.Entry) -> None:
    if await histories.is_long(ids, entry.session):
        raise errors.TooLarge(
            f"They have more than {histories.LONGEST:,} orders, which cannot be moved at once. Keep the one with the "
            "most orders, and merge the others one by one.",
            ["mergeIds"],
        )
