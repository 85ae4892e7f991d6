"""Records as the driver gives them, for hot paths that a model per record would slow down."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from beanie import Document
from bson import Decimal128
from bson.codec_options import CodecOptions, TypeRegistry
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import WriteError

from documents.values import DecimalEncoder, decimal_of_bson

R = TypeVar("R", bound=Mapping[str, object])
T = TypeVar("T")

Record = Mapping[str, object]

# With zones and a decoder of decimals the driver takes twice as long to read a page, most of which is only printed.
AS_STORED: CodecOptions[dict[str, object]] = CodecOptions(type_registry=TypeRegistry([DecimalEncoder()]))

# By the model, each beside what it was made from: a model can be bound to another database.
_collections: dict[type[Document], tuple[object, AsyncCollection[Any]]] = {}


def of(model: type[Document]) -> AsyncCollection[dict[str, object]]:
    """The collection of a model, read as it is stored: decimals as Decimal128, instants in UTC without saying so."""
    collection: AsyncCollection[dict[str, object]] = _as_stored(model)
    return collection


def of_kind(model: type[Document], kind: type[R]) -> AsyncCollection[R]:
    """`of`, its records being of this kind, for all that who asks knows."""
    collection: AsyncCollection[R] = _as_stored(model)
    return collection


def _as_stored(model: type[Document]) -> AsyncCollection[Any]:
    collection: AsyncCollection[Any] = model.get_pymongo_collection()
    known = _collections.get(model)
    if known is None or known[0] is not collection:
        known = _collections[model] = collection, collection.with_options(codec_options=AS_STORED)
    return known[1]


async def update(model: type[Document], updates: Sequence[Record], session: AsyncClientSession) -> None:
    """Make these updates, in the words of MongoDB's command, in a transaction. Raises WriteError.

    As a command: pymongo's bulk_write takes 5 µs more for each, half of all that we take for a message.
    """
    await _write(model, "update", "updates", updates, session)


async def insert(model: type[Document], rows: Sequence[Record], session: AsyncClientSession) -> None:
    """Insert these rows, each with its `_id`, of no more than 48 MB in all, in a transaction. Raises WriteError.

    As a command, for the same reason.
    """
    await _write(model, "insert", "documents", rows, session)


async def _write(
    model: type[Document], command: str, what: str, each: Sequence[Record], session: AsyncClientSession
) -> None:
    if not each:
        return
    collection = model.get_pymongo_collection()
    answer = await collection.database.command(
        {command: collection.name, what: each, "ordered": False}, session=session
    )
    if found := answer.get("writeErrors"):
        raise WriteError(str(found[0].get("errmsg")), found[0].get("code"), found[0])


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
