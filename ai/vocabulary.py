"""Vocabulary: the values that the database has, so that sentences can name them; sampled, and kept for a minute.

A minute is long for whoever has just sent an attribute and asks for it, so what was not understood is read again with
the values of now, if the data has news.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

import documents
from ai.conditions import Ranking
from segmentation import fields

SAMPLE = 20_000  # customers, and as many orders: 0.2 s on a million
NEWEST = 2_000  # of either, whether in the sample or not: what has just come is likely to be asked for
MOST_VALUES = 1_000  # of one field, the commonest first
LONGEST_VALUE = 60
KEPT_SECONDS = 60
QUERY_MS = 5_000
CUSTOMER_FIELDS = ("city", "state", "country", "source", "tags")
ORDER_FIELDS = {"coupon": "$coupon", "payment.method": "$payment.method"}
ITEM_FIELDS = {"items.category": "$items.category", "items.name": "$items.name"}


@dataclass(frozen=True, slots=True)
class Attribute:
    """What an attribute's values are: texts and booleans as they are, numbers only that there are some."""

    values: tuple[str | bool, ...] = ()
    is_numeric: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """The values of each field by its name, and the attributes by theirs."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attributes: Mapping[str, Attribute] = field(default_factory=dict)

    def says_the_same_as(self, other: "Vocabulary") -> bool:
        """Whether the two have the same values, whichever are commoner; as objects they stay apart."""
        return self._contents == other._contents

    @property
    def _contents(self) -> object:
        values = {name: frozenset(found) for name, found in self.values.items()}
        return values, {name: (frozenset(kept.values), kept.is_numeric) for name, kept in self.attributes.items()}


class Library:
    """Keeps the vocabulary for a minute, and works out thresholds."""

    def __init__(self) -> None:
        self._vocabulary = Vocabulary()
        self._newest: Sequence[object] = ()
        self._until = 0.0
        self._reading = asyncio.Lock()

    async def vocabulary(self) -> Vocabulary:
        """The vocabulary of now, or of a minute ago."""
        async with self._reading:
            if time.monotonic() > self._until:
                await self._read()
            return self._vocabulary

    async def has_news(self, known: Vocabulary) -> bool:
        """Whether the data says something else than this vocabulary does; then it is that of now from here on."""
        async with self._reading:
            if self._vocabulary is known and await _newest() != self._newest:
                await self._read()
            return self._vocabulary is not known

    async def _read(self) -> None:
        self._newest = await _newest()
        fresh = await read()
        if not fresh.says_the_same_as(self._vocabulary):  # what is made of one is worth keeping
            self._vocabulary = fresh
        self._until = time.monotonic() + KEPT_SECONDS

    async def threshold(self, ranking: Ranking) -> Decimal:
        """The value from which the share begins, by nearest rank over all customers; 0 without any."""
        return await threshold(ranking)


async def read() -> Vocabulary:
    """Look the values up, of a sample where there are many records."""
    customers, orders = await asyncio.gather(_facets(_CUSTOMERS, "customers"), _facets(_ORDERS, "orders"))
    found = {**customers, **{name: orders.get(_facet(name), ()) for name in (*ORDER_FIELDS, *ITEM_FIELDS)}}
    values = {name: _texts(groups) for name, groups in found.items() if name != "attributes"}
    return Vocabulary(values, _attributes(customers.get("attributes", ())))


async def threshold(ranking: Ranking) -> Decimal:
    """The value from which the share begins, by nearest rank over all customers; 0 without any."""
    named = fields.find(ranking.field)
    collection = documents.Customer.get_pymongo_collection()
    count = await collection.count_documents({}, maxTimeMS=QUERY_MS)
    if not count or named is None:
        return Decimal(0)
    rest = (100 - ranking.percent) if ranking.top else ranking.percent
    rank = max(1, int((rest * count / 100).to_integral_value(ROUND_CEILING)))
    from_top = count - rank
    direction, skipped = (-1, from_top) if from_top < rank else (1, rank - 1)
    found = collection.find({}, {named.path: True, "_id": False}).sort(named.path, direction).skip(skipped).limit(1)
    for stored in await found.max_time_ms(QUERY_MS).to_list():
        value = stored.get(named.path)
        if isinstance(value, Decimal | int | float):
            return Decimal(str(value))
    return Decimal(0)


async def _newest() -> Sequence[object]:
    """When a customer was written last, and which order came last; both by an index, at once."""
    customers, orders = documents.Customer.get_pymongo_collection(), documents.Order.get_pymongo_collection()
    customer = await customers.find_one({}, {"updated_at": True}, sort=[("updated_at", -1)], max_time_ms=QUERY_MS)
    order = await orders.find_one({}, {"_id": True}, sort=[("_id", -1)], max_time_ms=QUERY_MS)
    return (customer or {}).get("updated_at"), (order or {}).get("_id")


Found = Sequence[Mapping[str, object]]
Stage = Mapping[str, object]


async def _facets(pipelines: Mapping[str, list[dict[str, object]]], name: str) -> Mapping[str, Found]:
    """What the facets find in all records, or where there are many in a sample and in the newest, by their name."""
    model, newest = (documents.Customer, "updated_at") if name == "customers" else (documents.Order, "_id")
    many = await model.get_pymongo_collection().estimated_document_count(maxTimeMS=QUERY_MS) > SAMPLE
    sample: list[Stage] = [{"$sample": {"size": SAMPLE}}]
    latest: list[Stage] = [{"$sort": {newest: -1}}, {"$limit": NEWEST}]
    some = (sample, latest) if many else ([],)
    facets = [await _found(model, [*stages, {"$facet": pipelines}]) for stages in some]
    return {facet: [group for found in facets for group in found[facet]] for facet in pipelines}


async def _found(model: type[documents.Customer | documents.Order], pipeline: Sequence[Stage]) -> Mapping[str, Found]:
    async with await model.get_pymongo_collection().aggregate(pipeline, maxTimeMS=QUERY_MS) as cursor:
        facets: Sequence[Mapping[str, Found]] = await cursor.to_list()
    return facets[0]


def _facet(name: str) -> str:
    """What a facet may be called: MongoDB wants no dots."""
    return name.replace(".", "_")


def _commonest(path: str, *before: dict[str, object]) -> list[dict[str, object]]:
    return [*before, {"$sortByCount": path}, {"$limit": MOST_VALUES}]


_CUSTOMERS: Mapping[str, list[dict[str, object]]] = {
    **{name: _commonest(f"${name}") for name in CUSTOMER_FIELDS if name != "tags"},
    "tags": _commonest("$tags", {"$unwind": "$tags"}),
    "attributes": [
        {"$project": {"pair": {"$objectToArray": "$attributes"}}},
        {"$unwind": "$pair"},
        {
            "$group": {
                "_id": {
                    "name": "$pair.k",
                    "value": {"$cond": [{"$in": [{"$type": "$pair.v"}, ["string", "bool"]]}, "$pair.v", None]},
                    "is_numeric": {"$isNumber": "$pair.v"},
                },
                "count": {"$sum": 1},
            }
        },
        {"$sort": {"count": -1}},
        {"$limit": MOST_VALUES},
    ],
}
_ORDERS: Mapping[str, list[dict[str, object]]] = {
    **{_facet(name): _commonest(path) for name, path in ORDER_FIELDS.items()},
    **{_facet(name): _commonest(path, {"$unwind": "$items"}) for name, path in ITEM_FIELDS.items()},
}


def _texts(found: Found) -> tuple[str, ...]:
    """The values, one of those that differ in case only: the commonest."""
    spelt: dict[str, str] = {}
    for group in found:
        value = group.get("_id")
        if isinstance(value, str) and 0 < len(value.strip()) <= LONGEST_VALUE:
            spelt.setdefault(documents.fold(value), value.strip())
    return tuple(spelt.values())


def _attributes(found: Found) -> Mapping[str, Attribute]:
    values: dict[str, list[str | bool]] = {}
    numeric: set[str] = set()
    for group in found:
        match group.get("_id"):
            case {"name": str(name), "is_numeric": True} if fields.is_attribute_key(name):
                values.setdefault(name, [])
                numeric.add(name)
            case {"name": str(name), "value": str(value)} if fields.is_attribute_key(name):
                values.setdefault(name, []).append(value)
            case {"name": str(name), "value": bool(value)} if fields.is_attribute_key(name):
                values.setdefault(name, []).append(value)
            case {"name": str(name)} if fields.is_attribute_key(name):
                values.setdefault(name, [])
    return {name: Attribute(_distinct(found), name in numeric) for name, found in values.items()}


def _distinct(values: Iterable[str | bool]) -> tuple[str | bool, ...]:
    spelt: dict[str | bool, str | bool] = {}
    for value in values:
        if isinstance(value, bool) or 0 < len(value.strip()) <= LONGEST_VALUE:
            spelt.setdefault(documents.fold(value) if isinstance(value, str) else value, value)
    return tuple(spelt.values())
