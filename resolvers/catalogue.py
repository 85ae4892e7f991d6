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
    pipeline: list[Mapping[str, object]] = [
        {"$limit": SAMPLED},
        {"$project": {"pair": {"$objectToArray": "$attributes"}}},
        {"$unwind": "$pair"},
        {"$group": {"_id": {"name": "$pair.k", "type": {"$type": "$pair.v"}}, "count": {"$sum": 1}}},
        {"$sort": {"count": -1, "_id": 1}},
    ]
    types: dict[str, FieldType] = {}
    async with await documents.Customer.get_pymongo_collection().aggregate(pipeline) as found:
        async for row in found:
            types.setdefault(row["_id"]["name"], _TYPES.get(row["_id"]["type"], FieldType.STRING))
    return [
        CatalogueField(f"{ATTRIBUTES}{name}", name, type_, [each.value for each in catalogue.ANY_TYPE])
        for name, type_ in sorted(list(types.items())[:MOST_ATTRIBUTES])
    ]
