"""How things are stored: documents with ids of their own, exact decimals, UTC instants, and text folded to compare."""

import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from beanie import Document, PydanticObjectId
from bson import Decimal128
from bson.codec_options import CodecOptions, TypeCodec, TypeRegistry
from pydantic import BeforeValidator, Field


class _DecimalCodec(TypeCodec):
    """Money goes in and comes out as Decimal, whoever reads: Beanie, a raw collection, an aggregation."""

    python_type = Decimal
    bson_type = Decimal128

    def transform_python(self, value: Decimal) -> Decimal128:
        return Decimal128(value)

    def transform_bson(self, value: Decimal128) -> Decimal:
        return value.to_decimal()


CODEC_OPTIONS: CodecOptions[dict[str, object]] = CodecOptions(
    tz_aware=True, tzinfo=UTC, type_registry=TypeRegistry([_DecimalCodec()])
)


class Stored(Document):
    """A document whose id is known from the moment it is made, so that nobody has to ask whether there is one yet."""

    id: PydanticObjectId = Field(default_factory=PydanticObjectId)


Money = Annotated[
    Decimal, BeforeValidator(lambda value: value.to_decimal() if isinstance(value, Decimal128) else value)
]


def fold(text: str) -> str:
    """The form in which strings are compared: without regard to case, surrounding space and Unicode composition."""
    return unicodedata.normalize("NFC", text).strip().casefold()


def now() -> datetime:
    """This instant in UTC, to the millisecond, which is what MongoDB keeps."""
    instant = datetime.now(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
