"""The catalogue of fields as the data at hand fills it: attributes that customers have, and values that are common."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import documents
from auth import Viewer
from segmentation import fields as catalogue
from segmentation.fields import ATTRIBUTES, Field, FieldType

SAMPLED = 5_000  # customers of either sample; the whole catalogue takes some 100 ms
MOST_VALUES = 50
MOST_ATTRIBUTES = 100
SAMPLED_FIELDS = ("city", "state", "country", "source", "tags")

Stage = Mapping[str, object]
# The first show what is old, and the latest what has just come; of few customers both are all.
_SAMPLES: Sequence[Sequence[Stage]] = (
    [{"$limit": SAMPLED}],
    [{"$sort": {"updated_at": -1}}, {"$limit": SAMPLED}],
)
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
    rest: list[Stage] = [{"$unwind": f"${path}"}, {"$sortByCount": f"${path}"}, {"$limit": MOST_VALUES}]
    found = dict.fromkeys(str(group["_id"]) for group in await _found(rest))
    return list(found)[:MOST_VALUES]


async def _attributes() -> list[CatalogueField]:
    """The commonest attributes, each of the type that most of its values have."""
    found: dict[str, CatalogueField] = {}
    for group in await _found(_ATTRIBUTES_BY_TYPE):
        match group:
            case {"_id": {"name": str(name), "type": str(stored_type)}, "values": list(values)}:
                found.setdefault(name, _attribute(name, stored_type, values))
    commonest = list(found.values())[:MOST_ATTRIBUTES]
    return sorted(commonest, key=lambda field: field.name)


async def _found(rest: Sequence[Stage]) -> Sequence[Mapping[str, object]]:
    """What a pipeline finds in each of the samples, one after the other."""
    customers = documents.Customer.get_pymongo_collection()
    found: list[Mapping[str, object]] = []
    for sample in _SAMPLES:
        async with await customers.aggregate([*sample, *rest]) as groups:
            found += await groups.to_list()
    return found


def _attribute(name: str, stored_type: str, values: Sequence[str]) -> CatalogueField:
    type_ = _TYPES.get(stored_type, FieldType.STRING)
    operators = [each.value for each in catalogue.ANY_TYPE]
    return CatalogueField(f"{ATTRIBUTES}{name}", name, type_, operators, values)


# A text that only one customer has, as an id or a remark, says little: it is not among the values.
_TELLING = {"$and": [{"$eq": ["$_id.type", "string"]}, {"$gt": ["$count", 1]}]}
_ATTRIBUTES_BY_TYPE: list[Stage] = [
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
