"""The API's own scalars: exact decimals, instants with an offset, JSON, and segment rules.

A text that cannot be read becomes an `Unreadable` instead of an error. GraphQL rejects a whole request for one bad
leaf, and one bad row of a batch must be told as that row's fault: rows (schema/inputs.py) hand the text on to their
own validation, and everywhere else schema/arguments.py turns it into an INVALID error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NewType

import orjson
import strawberry
from bson import Decimal128
from graphql import FloatValueNode, IntValueNode, StringValueNode, ValueNode, value_from_ast_untyped
from strawberry.file_uploads import Upload
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

import documents
from documents.values import decimal_of_bson, digits_of_bson

SegmentRules = NewType("SegmentRules", object)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What was sent where a `scalar` was expected, and could not be read as one."""

    sent: object
    scalar: str


def parse_instant(value: object) -> datetime | Unreadable:
    """The UTC instant that an RFC 3339 text with offset names, to the millisecond."""
    instant = documents.instant_of(value)
    return Unreadable(value, "DateTime") if instant is None else instant


def print_instant(instant: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and `Z`; without a zone it is so already. Raises TypeError for what is none."""
    if not isinstance(instant, datetime):
        raise TypeError(f"Not a datetime: {instant!r}")
    utc = instant if instant.tzinfo is None or instant.tzinfo is UTC else instant.astimezone(UTC)
    # Asking isoformat for milliseconds would take three times as long; it leaves a fraction of 0 out.
    text = utc.isoformat()
    return f"{text[:23]}Z" if text[19:20] == "." else f"{text[:19]}.000Z"


def print_instants(instants: Sequence[datetime]) -> list[str]:
    """The same of many: orjson prints them in a fifth of the time, but as many digits of a second as there are."""
    if not {instant.tzinfo for instant in instants} <= {None, UTC}:
        return list(map(print_instant, instants))
    printed = orjson.dumps(instants, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z).decode()
    texts = printed[2:-2].split('","')
    return [f"{text[:23]}Z" if text[19] == "." else f"{text[:19]}.000Z" for text in texts]


def parse_decimal(value: object) -> Decimal | Unreadable:
    """The exact decimal that a text or a JSON number writes; NaN and the infinities are none."""
    number = documents.decimal_of(value)
    return Unreadable(value, "Decimal") if number is None else number


def print_decimal(number: Decimal | Decimal128) -> str:
    """The decimal in plain digits, never with an exponent; raises TypeError for what is not a finite decimal."""
    if isinstance(number, Decimal128):
        number = decimal_of_bson(number)
    if not isinstance(number, Decimal) or not number.is_finite():
        raise TypeError(f"Not a finite decimal: {number!r}")
    text = str(number)
    return text if "E" not in text else format(number, "f")


def print_amounts(amounts: Sequence[Decimal128]) -> list[str]:
    """The same of many as they are stored, which are money but for a few."""
    return digits_of_bson(amounts) or list(map(print_decimal, amounts))


def _decimal_literal(node: ValueNode, variables: Mapping[str, object] | None = None) -> Decimal | Unreadable:
    """Read from the digits as written, which a float in between would round."""
    if isinstance(node, IntValueNode | FloatValueNode | StringValueNode):
        return parse_decimal(node.value)
    return parse_decimal(value_from_ast_untyped(node))


def _as_it_is(value: object) -> object:
    return value


SCALARS: Mapping[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="RFC 3339 with offset on input; UTC with 'Z' on output.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=print_instant,
        parse_value=parse_instant,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description="An exact decimal as a JSON string (a JSON number is accepted on input). "
        "Money has the currency's minor unit.",
        serialize=print_decimal,
        parse_value=parse_decimal,
        parse_literal=_decimal_literal,
    ),
    JSON: strawberry.scalar(name="JSON", description="Any JSON value.", serialize=_as_it_is, parse_value=_as_it_is),
    SegmentRules: strawberry.scalar(
        name="SegmentRules",
        description="Segment rules in react-querybuilder's RuleGroupType JSON.",
        specified_by_url="https://react-querybuilder.js.org/docs/typescript#rulegrouptype",
        serialize=_as_it_is,
        parse_value=_as_it_is,
    ),
    Upload: strawberry.scalar(
        name="Upload",
        description="A file, sent as a part of a multipart request (the GraphQL multipart request specification).",
        specified_by_url="https://github.com/jaydenseric/graphql-multipart-request-spec",
        serialize=_as_it_is,
        parse_value=_as_it_is,
    ),
}
