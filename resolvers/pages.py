"""Pages of a collection, by key and not by offset: page 1,000 costs what page 1 does.

A page begins where a cursor points: at a sort value and, because values tie, an `_id`. Values compare as MongoDB
sorts them, nothing (null or missing) before everything.
"""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Generic, Literal, TypeVar, overload

import bson
import bson.errors
from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.collection import AsyncCollection

import documents
import errors
from documents import finding
from segmentation.audience import Sieve

DEFAULT_SIZE = 50
LARGEST_SIZE = 500
LONGEST_CURSOR = 8192
_PLACE = "place in the union"  # the name that a record's pipeline has, which no stored field has

K = TypeVar("K")
T = TypeVar("T")
U = TypeVar("U")

Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class Sort:
    """An order: by the stored `field`, then by `_id`, both in the same direction."""

    field: str
    descending: bool = False

    @property
    def name(self) -> str:
        """What a cursor of this order carries, so that no other order accepts it."""
        return f"-{self.field}" if self.descending else self.field


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The `first` after a cursor, or the `last` before one; raises InvalidInput for what makes no sense."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def __post_init__(self) -> None:
        if self.first is not None and self.last is not None:
            raise errors.InvalidInput("Give first or last, not both.", ["last"])
        for name, size in (("first", self.first), ("last", self.last)):
            if size is not None and not 0 <= size <= LARGEST_SIZE:
                raise errors.InvalidInput(f"{name} must be between 0 and {LARGEST_SIZE}.", [name])

    @property
    def backwards(self) -> bool:
        """Whether the page ends at its cursor instead of beginning there."""
        return self.last is not None

    @property
    def size(self) -> int:
        """How many items at most."""
        size = self.last if self.backwards else self.first
        return DEFAULT_SIZE if size is None else size


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items in a row, with a cursor for each. `count` asks how many there are in all, and costs a query."""

    items: Sequence[T]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool
    count: Callable[[], Awaitable[int]]

    def map(self, make: Callable[[T], U]) -> "Page[U]":
        """The same page of what `make` makes of each item."""
        items = [make(item) for item in self.items]
        return Page(items, self.cursors, self.has_next, self.has_previous, self.count)


@dataclass(frozen=True, slots=True)
class Cursors(Sequence[str]):
    """The cursors of records, each written when it is looked at: most clients look at the last, and many at none."""

    records: Sequence[Record]
    sort: Sort

    def __len__(self) -> int:
        return len(self.records)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> "Cursors": ...
    def __getitem__(self, place: int | slice) -> "str | Cursors":
        if isinstance(place, slice):
            return Cursors(self.records[place], self.sort)
        record = self.records[place]
        return _cursor(_value_at(record, self.sort.field), record["_id"], self.sort)


async def fetch(
    collection: AsyncCollection[Record],
    filter: Mapping[str, object],
    request: PageRequest,
    sort: Sort,
    projection: Sequence[str] | None = None,
) -> Page[Record]:
    """One page of the records that match; a `projection` must hold the sort's field."""

    async def count() -> int:
        if filter:
            return await collection.count_documents(filter)
        # Without a hint MongoDB reads every document to count them all.
        return await collection.count_documents({}, hint="_id_")

    matching = {"$and": [dict(filter), *keyset]} if (keyset := _keyset(request, sort)) else filter
    found = await finding.find(collection, matching, _ordering(request, sort), request.size + 1, projection)
    return _page(found, request, sort, count)


async def fetch_sieved(
    collection: AsyncCollection[Record],
    sieve: Sieve,
    request: PageRequest,
    sort: Sort,
    count: Callable[[], Awaitable[int]],
) -> Page[Record]:
    """One page of what a sieve lets through. The sort needs an index, for a sieve's stages come after it."""
    stages: list[Mapping[str, object]] = [
        {"$match": {"$and": [sieve.filter, *_keyset(request, sort)]}},
        {"$sort": dict(_ordering(request, sort))},
        *sieve.stages,
        {"$limit": request.size + 1},
    ]
    # By another index everything would be sorted before the first is looked up.
    options: dict[str, Any] = {"hint": _index(sort)} if sieve.stages else {}
    async with await collection.aggregate(stages, **options) as found:
        return _page(await found.to_list(), request, sort, count)


async def fetch_each(
    collection: AsyncCollection[Record], filters: Mapping[K, Mapping[str, object]], request: PageRequest, sort: Sort
) -> dict[K, Page[Record]]:
    """A page of what matches each of these filters, in one command; the counts are another, if any is asked for."""
    keyset, ordering = _keyset(request, sort), dict(_ordering(request, sort))
    bounded: list[Mapping[str, object]] = [{"$sort": ordering}, {"$limit": request.size + 1}]
    found = await _united(
        collection, [[{"$match": {"$and": [dict(filter), *keyset]}}, *bounded] for filter in filters.values()]
    )
    counts = _Counts(collection, list(filters.values()))
    return {
        key: _page(records, request, sort, partial(counts.of, place))
        for place, (key, records) in enumerate(zip(filters, found, strict=True))
    }


class _Counts:
    """How many records match each of some filters, counted together when the first of the counts is asked for."""

    def __init__(self, collection: AsyncCollection[Record], filters: Sequence[Mapping[str, object]]) -> None:
        self._collection = collection
        self._filters = filters
        self._counting: asyncio.Task[list[list[Record]]] | None = None

    async def of(self, place: int) -> int:
        if self._counting is None:
            counted: Mapping[str, object] = {"$count": "count"}
            pipelines = [[{"$match": dict(filter)}, counted] for filter in self._filters]
            self._counting = asyncio.create_task(_united(self._collection, pipelines), name="counts of pages")
        found = (await self._counting)[place]
        return int(str(found[0]["count"])) if found else 0


async def _united(
    collection: AsyncCollection[Record], pipelines: Sequence[Sequence[Mapping[str, object]]]
) -> list[list[Record]]:
    """What each of these pipelines finds, each by the index that suits it, asked in one command."""
    first, *others = [[*pipeline, {"$set": {_PLACE: place}}] for place, pipeline in enumerate(pipelines)]
    united = [{"$unionWith": {"coll": collection.name, "pipeline": other}} for other in others]
    found: list[list[Record]] = [[] for _ in pipelines]
    async with await collection.aggregate([*first, *united]) as records:
        async for record in records:
            found[int(str(record.pop(_PLACE)))].append(record)
    return found


def _index(sort: Sort) -> dict[str, int]:
    return {sort.field: ASCENDING, "_id": ASCENDING}


def _page(records: list[Record], request: PageRequest, sort: Sort, count: Callable[[], Awaitable[int]]) -> Page[Record]:
    more = len(records) > request.size
    items = records[: request.size]
    if request.backwards:
        items.reverse()
    return Page(
        items=items,
        cursors=Cursors(items, sort),
        has_next=request.before is not None if request.backwards else more,
        has_previous=more if request.backwards else request.after is not None,
        count=count,
    )


def _ordering(request: PageRequest, sort: Sort) -> list[tuple[str, int]]:
    direction = DESCENDING if sort.descending != request.backwards else ASCENDING
    return [("_id", direction)] if sort.field == "_id" else [(sort.field, direction), ("_id", direction)]


def _keyset(request: PageRequest, sort: Sort) -> list[dict[str, object]]:
    conditions = []
    if request.after is not None:
        conditions.append(_beyond(sort.field, *_point(request.after, sort, "after"), up=not sort.descending))
    if request.before is not None:
        conditions.append(_beyond(sort.field, *_point(request.before, sort, "before"), up=sort.descending))
    return conditions


def _beyond(field: str, value: object, id_: object, *, up: bool) -> dict[str, object]:
    """What sorts after the point, going up or going down.

    As alternatives with exact bounds, which MongoDB merges from the one index; comparing bounds first and ties in a
    filter reads through every tie. $gt and $lt never match nothing, which is why it is named wherever it belongs.
    """
    further = "$gt" if up else "$lt"
    if field == "_id":
        return {"_id": {further: id_}}
    tie = {field: value, "_id": {further: id_}}
    match value, up:
        case None, True:
            return {"$or": [tie, {field: {"$ne": None}}]}
        case None, False:
            return tie
        case _, True:
            return {"$or": [tie, {field: {"$gt": value}}]}
        case _:
            return {"$or": [tie, {field: {"$lt": value}}, {field: None}]}


def _value_at(record: Mapping[str, object], path: str) -> object:
    value: object = record
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _cursor(value: object, id_: object, sort: Sort) -> str:
    # BSON keeps the value's type: a datetime, a decimal and a text that look alike are different points.
    packed = bson.encode({"sort": sort.name, "value": value, "id": id_}, codec_options=documents.CODEC_OPTIONS)
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def _point(cursor: str, sort: Sort, argument: Literal["after", "before"]) -> tuple[object, object]:
    try:
        if len(cursor) > LONGEST_CURSOR:
            raise ValueError("longer than any cursor of ours")
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        point = bson.decode(packed, codec_options=documents.CODEC_OPTIONS)
    except (ValueError, binascii.Error, bson.errors.BSONError) as malformed:
        raise errors.InvalidInput("This is not a cursor.", [argument]) from malformed
    if point.keys() != {"sort", "value", "id"} or point["sort"] != sort.name:
        raise errors.InvalidInput("This cursor belongs to another list or order.", [argument])
    value, id_ = point["value"], point["id"]
    # Anybody can write a cursor: an embedded document here would be an operator in our query.
    if not isinstance(value, str | int | float | Decimal | datetime | bson.ObjectId | None) or not isinstance(
        id_, str | bson.ObjectId
    ):
        raise errors.InvalidInput("This is not a cursor.", [argument])
    return value, id_
