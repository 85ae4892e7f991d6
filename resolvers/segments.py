"""Segments: saying who is meant, saving it, and seeing whom it means now."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from beanie import PydanticObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

import documents
import errors
from auth import Viewer
from documents import CampaignStatus, Segment, records
from ingestion import aliases
from resolvers import pages, sentences, texts
from resolvers.pages import Page, PageRequest, Record, Sort
from resolvers.sentences import Reading
from segmentation import audience, explanation, query, rfm, rules
from segmentation.dates import AsOf
from segmentation.evaluator import Person
from segmentation.explanation import Trace
from segmentation.rfm import Suggestion
from segmentation.tree import Group

LONGEST_NAME = 200
LONGEST_DESCRIPTION = 2_000
LARGEST_SAMPLE = 100
FINISHED = (CampaignStatus.COMPLETED, CampaignStatus.CANCELLED, CampaignStatus.FAILED)

_NEWEST_FIRST = Sort("created_at", descending=True)


@dataclass(frozen=True, slots=True)
class Definition:
    """Exactly one way to say who is meant."""

    rules: object | None = None
    query: str | None = None
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What some rules select."""

    rules: Group
    audience_size: int
    sample: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether a customer is in a segment, and why."""

    segment: Segment
    customer: Record
    trace: Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to become of a segment; what is None stays, but an empty description goes."""

    name: str | None = None
    description: str | None = None
    definition: Definition | None = None


async def read(definition: Definition, reading: Reading | None = None) -> Group:
    """The rules that a definition means. Raises a Fault with its place in the definition."""
    match definition:
        case Definition(query=str(text)):
            return _placed("query", lambda: query.parse(text))
        case Definition(prompt=str(sentence)):
            return (await sentences.read(sentence, reading)).rules
        case _:
            return _placed("rules", lambda: rules.read(definition.rules))


async def rules_of(segment_id: PydanticObjectId) -> Group:
    """The rules of a saved segment. Raises NotFound."""
    segment = await Segment.get(segment_id)
    if segment is None:
        raise errors.NotFound("There is no such segment.", ["segmentId"])
    return rules.read(segment.rules)


async def preview(viewer: Viewer, definition: Definition, reading: Reading, sample_size: int) -> Preview:
    """Whom these rules select now. Raises a Fault for what cannot be read."""
    if not 0 <= sample_size <= LARGEST_SAMPLE:
        raise errors.InvalidInput(f"A sample has 0 to {LARGEST_SAMPLE} customers.", ["sampleSize"])
    try:
        group = await read(definition, reading)
    except errors.Fault as fault:
        raise fault.under("definition") from fault
    sample = await audience.sample(group, reading.as_of, sample_size) if sample_size else []
    return Preview(group, await audience.count(group, reading.as_of), sample)


async def create(
    viewer: Viewer, name: str, description: str | None, definition: Definition, reading: Reading
) -> Segment:
    """Save who is meant. Raises Rejected with every fault."""
    faults = _faults(name, description)
    group = None
    try:
        group = await read(definition, reading)
    except errors.Fault as fault:
        faults += fault.under("definition").faults
    if faults or group is None:
        raise errors.Rejected(faults)
    segment = Segment(
        name=name.strip(),
        name_folded=documents.fold(name),
        description=_text(description),
        rules=rules.write(group),
        prompt=definition.prompt,
        created_by=viewer.id,
    )
    await segment.insert()
    return segment


async def update(viewer: Viewer, segment_id: PydanticObjectId, change: Change, reading: Reading) -> Segment:
    """Change a segment; campaigns that were launched keep the rules they had. Raises NotFound, Rejected."""
    faults = _faults(change.name, change.description)
    changes: dict[str, object] = {"updated_at": documents.now()}
    if change.name is not None:
        changes |= {"name": change.name.strip(), "name_folded": documents.fold(change.name)}
    if change.description is not None:
        changes["description"] = _text(change.description)
    if change.definition is not None:
        try:
            changes["rules"] = rules.write(await read(change.definition, reading))
            changes["prompt"] = change.definition.prompt
        except errors.Fault as fault:
            faults += fault.under("definition").faults
    if faults:
        raise errors.Rejected(faults)
    await Segment.get_pymongo_collection().update_one({"_id": segment_id}, {"$set": changes})
    segment = await Segment.get(segment_id)
    if segment is None:
        raise errors.NotFound("There is no such segment.")
    return segment


async def delete(viewer: Viewer, segment_id: PydanticObjectId) -> None:
    """Delete a segment. Raises NotFound, and IllegalState while a campaign that is not finished uses it."""

    async def work(session: AsyncClientSession) -> None:
        using = {"segment_id": segment_id, "status": {"$nin": [status.value for status in FINISHED]}}
        campaign = await documents.Campaign.get_pymongo_collection().find_one(using, session=session)
        if campaign:
            raise errors.IllegalState(f"The campaign {campaign['name']!r} uses it, and is {campaign['status']}.")
        result = await Segment.get_pymongo_collection().delete_one({"_id": segment_id}, session=session)
        if not result.deleted_count:
            raise errors.NotFound("There is no such segment.")

    async with Segment.get_pymongo_collection().database.client.start_session() as session:
        await session.with_transaction(work)


async def find(viewer: Viewer, segment_id: PydanticObjectId) -> Segment | None:
    """One segment."""
    return await Segment.get(segment_id)


async def find_many(ids: Iterable[PydanticObjectId]) -> Mapping[PydanticObjectId, Segment]:
    """Segments by id."""
    return {segment.id: segment async for segment in Segment.find({"_id": {"$in": list(ids)}})}


async def page(viewer: Viewer, search: str | None, request: PageRequest) -> Page[Segment]:
    """Segments whose name has this in it, the newest first."""
    searched = texts.searched(search, "search")
    matching = {"name_folded": searched} if searched else {}
    found = await pages.fetch(Segment.get_pymongo_collection(), matching, request, _NEWEST_FIRST)
    return found.map(Segment.model_validate)


async def explain(
    viewer: Viewer, segment_id: PydanticObjectId, customer_id: PydanticObjectId, as_of: AsOf
) -> Membership | None:
    """Why this customer is or is not in this segment; None when there is no such customer or segment.

    Raises TooLarge for too many orders or messages. In a thread: a long history would hold up everybody else.
    """
    segment = await Segment.get(segment_id)
    person = await audience.person(customer_id) or await _merged_person(customer_id)
    if segment is None or person is None:
        return None
    trace = await asyncio.to_thread(explanation.of, rules.read(segment.rules), person, as_of)
    return Membership(segment, dict(person.customer), trace)


async def suggest(viewer: Viewer, as_of: AsOf) -> Sequence[Suggestion]:
    """The segments that the customers' purchases suggest, the best customers first."""
    return await rfm.suggestions(as_of)


async def size(segment: Segment, as_of: AsOf) -> int:
    """How many customers the segment has now."""
    return await audience.count(rules.read(segment.rules), as_of)


async def customers(segment: Segment, as_of: AsOf, request: PageRequest) -> Page[Record]:
    """The customers of the segment now, in the order in which they came."""
    group = rules.read(segment.rules)
    sieve = await audience.sieve(group, as_of)
    customers = records.of(documents.Customer)
    return await pages.fetch_sieved(customers, sieve, request, Sort("_id"), lambda: audience.count(group, as_of))


async def of_customers(
    customer_ids: Iterable[PydanticObjectId], as_of: AsOf
) -> Mapping[PydanticObjectId, list[Segment]]:
    """The saved segments that each of these customers belongs to now: one query a segment, however many customers."""
    found: dict[PydanticObjectId, list[Segment]] = {id_: [] for id_ in customer_ids}
    async for segment in Segment.find().sort("+_id"):
        for member in await audience.members(rules.read(segment.rules), as_of, list(found)):
            found[member].append(segment)
    return found


async def _merged_person(customer_id: PydanticObjectId) -> Person | None:
    kept = (await aliases.kept([customer_id])).get(customer_id)
    return await audience.person(kept) if kept else None


def _placed(name: str, read_it: Callable[[], Group]) -> Group:
    try:
        return read_it()
    except errors.Fault as fault:
        raise fault.under(name) from fault


def _faults(name: str | None, description: str | None) -> list[errors.Fault]:
    faults = [*texts.faults(name, "name"), *texts.faults(description, "description")]
    if name is not None and not name.strip():
        faults.append(errors.Required("A segment has a name.", ["name"]))
    if name is not None and len(name) > LONGEST_NAME:
        faults.append(errors.InvalidInput(f"A name has at most {LONGEST_NAME} characters.", ["name"]))
    if description is not None and len(description) > LONGEST_DESCRIPTION:
        wanted = f"A description has at most {LONGEST_DESCRIPTION} characters."
        faults.append(errors.InvalidInput(wanted, ["description"]))
    return faults


def _text(text: str | None) -> str | None:
    return (text or "").strip() or None
