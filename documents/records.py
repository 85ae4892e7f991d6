"""Records as the driver gives them, for hot paths that a model per record would slow down."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

from beanie import Document
from bson import Decimal128
from bson.codec_options import CodecOptions, TypeRegistry
from pymongo.asynchronous.collection import AsyncCollection

from documents.values import DecimalEncoder, decimal_of_bson

T = TypeVar("T")

Record = Mapping[str, object]

# With zones and a decoder of decimals the driver takes twice as long to read a page, most of which is only printed.
AS_STORED: CodecOptions[dict[str, object]] = CodecOptions(type_registry=TypeRegistry([DecimalEncoder()]))


def of(model: type[Document]) -> AsyncCollection[dict[str, object]]:
    """The collection of a model, read as it is stored: decimals as Decimal128, instants in UTC without saying so."""
    collection: AsyncCollection[dict[str, object]] = model.get_pymongo_collection()
    return collection.with_options(codec_options=AS_STORED)


def pick(record: Record, name: str, kind: type[T]) -> T | None:
    """The value of this name, if there is one of this kind."""
    value = record.get(name)
    return value if isinstance(value, kind) else None


def decimal(record: Record, name: str) -> Decimal | None:
    """The decimal of this name, if there is one, whichever way the record was read."""
    value = record.get(name)
    if isinstance(value, Decimal128):
        return decimal_of_bson(value)
    return value if isinstance(value, Decimal) else None
