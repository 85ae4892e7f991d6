"""The catalogue of fields as the data at hand fills it: attributes that customers have, and values that are common."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import documents
from auth import Viewer
from segmentation import fields as catalogue
from segmentation.fields import ATTRIBUTES, Field, FieldType

SAMPLED = 10_000  # customers looked at; the whole catalogue takes some 50 ms
MOST_VALUES = 50
MOST_ATTRIBUTES = 100
SAMPLED_FIELDS = ("city", "state", "country", "source", "tags")

_TYPES = {
    "string": FieldType.STRING,
    "int": FieldType.NUMBER,
    "long": FieldType.NUMBER,
    "double": FieldType.NUMBER,
    "decimal": FieldType.NUMBER,
    "bool": FieldType.BOOLEAN,
}


@dataclass(frozen=True, slots=True)
class CatalogueField:
    """A field, with what is known of its values."""

    name: str
    label: str
    type: FieldType
    operators: Sequence[str]
    values: Sequence[str] = ()
    fields: Sequence["CatalogueField"] = ()


async def fields(viewer: Viewer) -> list[CatalogueField]:
    """Every field that rules can be about, attributes last."""
    samples = dict(zip(SAMPLED_FIELDS, await asyncio.gather(*map(_common, SAMPLED_FIELDS)), strict=True))
    known = [_described(field, samples) for field in catalogue.CATALOGUE]
    return [*known, *await _attributes()]


def _described(field: Field, samples: Mapping[str, Sequence[str]]) -> CatalogueField:
    return CatalogueField(
        name=field.name,
        label=field.label,
        type=field.type or FieldType.STRING,
        operators=[operator.value for operator in field.operators],
        values=field.values or samples.get(field.name, ()),
        fields=[_described(each, {}) for each in field.fields],
    )


async def _common(path: str) -> list[str]:
    pipeline: list[Mapping[str, object]] = [
        {"$limit": SAMPLED},
        {"$unwind": f"${path}"},
        {"$sortByCount": f"${path}"},
        {"$limit": MOST_VALUES},
    ]
    async with await documents.Customer.get_pymongo_collection().aggregate(pipeline) as found:
        return [str(row["_id"]) async for row in found]


async def _attributes() -> list[CatalogueField]:
    """The commonest attributes, each of the type that most of its values have."""
    found: dict[str, CatalogueField] = {}
    async with await documents.Customer.get_pymongo_collection().aggregate(_ATTRIBUTES_BY_TYPE) as groups:
        async for group in groups:
            name = group["_id"]["name"]
            found.setdefault(name, _attribute(name, group["_id"]["type"], group["values"]))
    commonest = list(found.values())[:MOST_ATTRIBUTES]
    return sorted(commonest, key=lambda field: field.name)


def _attribute(name: str, stored_type: str, values: Sequence[str]) -> CatalogueField:
    type_ = _TYPES.get(stored_type, FieldType.STRING)
    operators = [each.value for each in catalogue.ANY_TYPE]
    return CatalogueField(f"{ATTRIBUTES}{name}", name, type_, operators, values)


# A text that only one customer has, as an id or a remark, says little: it is not among the values.
_TELLING = {"$and": [{"$eq": ["$_id.type", "string"]}, {"$gt": ["$count", 1]}]}
_ATTRIBUTES_BY_TYPE: list[Mapping[str, object]] = [
    {"$limit": SAMPLED},
    {"$project": {"pair": {"$objectToArray": "$attributes"}}},
    {"$unwind": "$pair"},
    {"$project": {"name": "$pair.k", "type": {"$type": "$pair.v"}, "value": "$pair.v"}},
    {
        "$group": {
            "_id": {
                "name": "$name",
                "type": "$type",
                "value": {"$cond": [{"$eq": ["$type", "string"]}, "$value", None]},
            },
            "count": {"$sum": 1},
        }
    },
    {"$sort": {"count": -1, "_id": 1}},
    {
        "$group": {
            "_id": {"name": "$_id.name", "type": "$_id.type"},
            "count": {"$sum": "$count"},
            "values": {"$push": {"$cond": [_TELLING, "$_id.value", "$$REMOVE"]}},
        }
    },
    {"$addFields": {"values": {"$slice": ["$values", MOST_VALUES]}}},
    {"$sort": {"count": -1, "_id": 1}},
]
