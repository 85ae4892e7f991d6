"""What is plain: values that are written as they are or by one function, and objects of nothing but such values.

A value is looked up by the exact type that it has. Whatever is not among them (a subclass, a null where none may be, a
number out of range) raises, and is left to graphql-core, which tells what is wrong with it in its own words.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any, NamedTuple

from bson import Decimal128
from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    GraphQLNullableType,
    GraphQLScalarType,
)
from strawberry.schema.schema_converter import CustomGraphQLEnumType

from schema.scalars import print_decimal, print_instant

Write = Callable[[Any], object]
# What writes a value, by the type that it has; None for a value that is written as it is.
Writers = Mapping[type, Write | None]


class NotPlain(Exception):
    """A value that is for graphql-core to judge."""


class Plain(NamedTuple):
    """A field that is an attribute of plain values, under the name that a response gives it."""

    name: str
    attribute: str
    writers: Writers


def read(source: object, attribute: str, writers: Writers) -> object:
    """One plain field of an object; raises whatever comes when it is not plain after all."""
    value = getattr(source, attribute)
    write = writers.get(type(value), _refuse)
    return value if write is None else write(value)


def objects(kinds: Sequence[type], fields: Sequence[Plain]) -> Writers:
    """How objects of these types are written, when each of the selected fields is plain."""

    def write(source: object) -> dict[str, object]:
        # `read`, for once written out: of a page of 50 objects with eight fields the calls alone would take a fifth.
        written: dict[str, object] = {}
        for name, attribute, writers in fields:
            value = getattr(source, attribute)
            write = writers.get(type(value), _refuse)
            written[name] = value if write is None else write(value)
        return written

    return dict.fromkeys(kinds, write)


def lists(items: Writers) -> Writers:
    """How lists are written whose items are written so."""

    def write(values: list[object]) -> list[object]:
        written = []
        for value in values:
            write = items.get(type(value), _refuse)
            written.append(value if write is None else write(value))
        return written

    return {list: write}


def nullable(writers: Writers) -> Writers:
    """The same, and null."""
    return {**writers, type(None): None}


def typename(name: str, type_name: str) -> Plain:
    """`__typename`, which is plain too: it is made from the class that every object has."""
    return Plain(name, "__class__", {type: lambda _: type_name})


def leaves(type_: GraphQLNullableType) -> Writers:
    """How values of a leaf type are written; empty when none is plain, as of a type that is no leaf."""
    match type_:
        case GraphQLScalarType():
            return _SCALARS.get(type_.name, {})
        case CustomGraphQLEnumType():
            # A record from the database holds the value where an object of ours holds the member.
            members: list[Enum] = list(type_.wrapped_cls)
            held = [*members, *(member.value for member in members)]
            names = {value: type_.coerce_output_value(value) for value in held}
            return {type(value): names.__getitem__ for value in held}
        case _:
            return {}


def _refuse(value: object) -> object:
    raise NotPlain(type(value).__name__)


def _int32(value: int) -> int:
    if not GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT:
        raise NotPlain("too large for an Int")
    return value


def _finite(value: float) -> float:
    if not isfinite(value):
        raise NotPlain("not a number of JSON")
    return value


_JSON: Writers = dict.fromkeys((dict, list, str, int, float, bool))
_SCALARS: Mapping[str, Writers] = {
    "ID": {str: None},
    "String": {str: None},
    "Boolean": {bool: None},
    "Int": {int: _int32},
    "Float": {float: _finite},
    "DateTime": {datetime: print_instant},
    "Decimal": {Decimal: print_decimal, Decimal128: print_decimal},
    "JSON": _JSON,
    "SegmentRules": _JSON,
}
