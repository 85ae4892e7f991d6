"""Customers: taking them in, finding one, paging through many.

Reading gives records as the driver does: a model for each would take ten times as long as the query.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from beanie import PydanticObjectId

import documents
import errors
import ingestion.customers
import resolvers.segments
from auth import Viewer
from documents import finding, records
from ingestion import Policy, Report, Row, aliases, values
from resolvers import pages
from resolvers.pages import Page, PageRequest, Record, Sort
from resolvers.segments import Definition
from segmentation import audience
from segmentation.dates import AsOf
from segmentation.tree import Group, all_of

_SEARCHED = ("folded.name", "folded.email", "folded.external_id")
_FORMAT_OF_PHONES = str.maketrans("", "", " ()-./")


class CustomerSort(StrEnum):
    """What customers can be listed by."""

    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"
    NAME = "NAME"
    TOTAL_SPEND = "TOTAL_SPEND"
    VISIT_COUNT = "VISIT_COUNT"
    LAST_PURCHASE = "LAST_PURCHASE"


class SortDirection(StrEnum):
    """Which end comes first."""

    ASC = "ASC"
    DESC = "DESC"


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """Which customers; all parts that are given must hold."""

    search: str | None = None
    tags: Sequence[str] | None = None
    city: str | None = None
    segment_id: PydanticObjectId | None = None
    rules: object | None = None
    query: str | None = None


async def ingest(viewer: Viewer, rows: Sequence[Row], policy: Policy) -> Report:
    """Store these rows about customers; raises TooLarge for too many."""
    return await ingestion.customers.ingest(rows, policy, documents.now())


async def find(viewer: Viewer, customer_id: PydanticObjectId) -> Record | None:
    """One customer; one who was merged is the one who was kept."""
    return (await find_many([customer_id])).get(customer_id)


async def find_many(ids: Iterable[PydanticObjectId]) -> Mapping[PydanticObjectId, Record]:
    """Customers by id; by that of one who was merged, the one who was kept."""
    wanted = set(ids)
    found = await _load(wanted)
    if missing := wanted - found.keys():
        kept = await aliases.kept(missing)
        people = await _load(set(kept.values()))
        found |= {id_: people[now] for id_, now in kept.items() if now in people}
    return found


async def current(customer_id: PydanticObjectId) -> PydanticObjectId:
    """The id of the one into whom this customer was merged, if that was done; else the same id."""
    return (await aliases.kept([customer_id])).get(customer_id, customer_id)


async def _load(ids: Collection[PydanticObjectId]) -> dict[PydanticObjectId, Record]:
    if not ids:
        return {}
    found = await finding.find(records.of(documents.Customer), {"_id": {"$in": list(ids)}}, [("_id", 1)], len(ids))
    return {PydanticObjectId(str(record["_id"])): record for record in found}


async def page(
    viewer: Viewer,
    filter: CustomerFilter,
    request: PageRequest,
    order: CustomerSort | None,
    direction: SortDirection,
    as_of: AsOf,
    fields: Collection[str] | None = None,
) -> Page[Record]:
    """Customers that match, in the order asked for, else in that in which they came. `fields` limits what is read.

    Raises a Fault, with its place in the filter, for rules that cannot be read and for a segment that is not there.
    """
    sort = Sort(_sort_field(order), descending=direction is SortDirection.DESC)
    projection = None if fields is None else [*fields, sort.field]
    customers = records.of(documents.Customer)
    if not (rules := await _rules(filter)):
        return await pages.fetch(customers, _matching(filter), request, sort, projection)
    group, among = all_of(*rules), _matching(filter)
    sieve = await audience.sieve(group, as_of, among)
    return await pages.fetch_sieved(customers, sieve, request, sort, lambda: audience.count(group, as_of, among))


async def _rules(filter: CustomerFilter) -> list[Group]:
    """The rules of the filter, however they are given; all of them must hold."""
    given = []
    try:
        if filter.segment_id is not None:
            given.append(await resolvers.segments.rules_of(filter.segment_id))
        for definition in (Definition(rules=filter.rules), Definition(query=filter.query)):
            if definition != Definition():
                given.append(await resolvers.segments.read(definition))
    except errors.Fault as fault:
        raise fault.under("filter") from fault
    return given


def _sort_field(order: CustomerSort | None) -> str:
    match order:
        case None:
            return "_id"
        case CustomerSort.NAME:
            return "folded.name"
        case _:
            return order.lower()


def _matching(filter: CustomerFilter) -> dict[str, object]:
    conditions: dict[str, object] = {}
    if filter.search is not None and (search := _text(filter.search, "search")):
        conditions["$or"] = _search(documents.fold(search))
    if filter.tags:
        if len(filter.tags) > values.MOST_TAGS:
            raise errors.InvalidInput(f"A customer has at most {values.MOST_TAGS} tags.", ["filter", "tags"])
        conditions["folded.tags"] = {"$all": [documents.fold(_text(tag, "tags")) for tag in filter.tags]}
    if filter.city is not None:
        conditions["folded.city"] = documents.fold(_text(filter.city, "city"))
    return conditions


def _search(folded: str) -> list[dict[str, object]]:
    # Nothing that a user types is a pattern. A phone is found however it is written.
    patterns = dict.fromkeys(_SEARCHED, re.escape(folded))
    if digits := folded.translate(_FORMAT_OF_PHONES):
        patterns["folded.phone"] = re.escape(digits)
    return [{field: {"$regex": pattern}} for field, pattern in patterns.items()]


def _text(sent: str, name: str) -> str:
    try:
        return values.text(sent) or ""
    except errors.Fault as fault:
        raise fault.under("filter", name) from fault
