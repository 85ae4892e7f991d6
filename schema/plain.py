"""What is plain: values that are written as they are or by one function, and objects of nothing but such values.

Values are written a column at a time: one field of all objects of a list, then the next. What a column holds is looked
up by the exact types in it, which are one or two, where each value for itself would be looked up as often as there are
values. Whatever is not among them (a subclass, a null where none may be, a number out of range) raises, and is left to
graphql-core, which tells what is wrong with it in its own words.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from math import isfinite
from operator import attrgetter
from typing import Any, NamedTuple

from bson import Decimal128
from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    GraphQLNullableType,
    GraphQLScalarType,
)
from strawberry.schema.schema_converter import CustomGraphQLEnumType

from schema.scalars import print_amounts, print_decimal, print_instants

# Writes a column of values of one type.
Write = Callable[[Sequence[Any]], Iterable[object]]
# What writes values, by the type that they have; None for those that are written as they are.
Writers = Mapping[type, Write | None]


class NotPlain(Exception):
    """A value that is for graphql-core to judge."""


class Plain(NamedTuple):
    """A field that is an attribute of plain values, under the name that a response gives it."""

    name: str
    attribute: str
    writers: Writers


def written(value: object, writers: Writers) -> Any:
    """One value, as a response has it; raises whatever comes when it is not plain after all."""
    [one] = _column([value], writers)
    return one


def objects(kinds: Sequence[type], fields: Sequence[Plain]) -> Writers:
    """How objects of these types are written, when each of the selected fields is plain."""
    row = _row([field.name for field in fields])
    columns = [(attrgetter(attribute), writers) for _, attribute, writers in fields]

    def write(sources: Sequence[object]) -> list[object]:
        return list(map(row, *(_column(list(map(get, sources)), writers) for get, writers in columns)))

    return dict.fromkeys(kinds, write)


def lists(items: Writers) -> Writers:
    """How lists are written whose items are written so."""
    return {list: lambda values: [list(_column(value, items)) for value in values]}


def nullable(writers: Writers) -> Writers:
    """The same, and null."""
    return {**writers, type(None): None}


def typename(name: str, type_name: str) -> Plain:
    """`__typename`, which is plain too: it is made from the class that every object has."""
    return Plain(name, "__class__", {type: _each(lambda _: type_name)})


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
            return {type(value): _each(names.__getitem__) for value in held}
        case _:
            return {}


def _row(names: Sequence[str]) -> Callable[..., object]:
    """What makes a dictionary of as many values, as written by hand: zipping each with its name takes thrice as long.

    The names are GraphQL's, of letters, digits and underscores.
    """
    values = [f"value_{place}" for place in range(len(names))]
    pairs = ", ".join(f'"{name}": {value}' for name, value in zip(names, values, strict=True))
    row: Callable[..., object] = eval(f"lambda {', '.join(values)}: {{{pairs}}}")
    return row


def _column(values: Sequence[object], writers: Writers) -> Iterable[object]:
    """Values written, each by its type; raises NotPlain when there is one of another."""
    kinds = set(map(type, values))
    if not writers.keys() >= kinds:
        raise NotPlain(", ".join(kind.__name__ for kind in kinds - writers.keys()))
    if len(kinds) == 1:
        write = writers[kinds.pop()]
        return values if write is None else write(values)
    if not any(map(writers.get, kinds)):
        return values
    return _mixed(values, {kind: writers[kind] for kind in kinds})


def _mixed(values: Sequence[object], writers: Writers) -> Iterable[object]:
    written = {
        kind: iter(_column([value for value in values if type(value) is kind], {kind: write}))
        for kind, write in writers.items()
    }
    return [next(written[type(value)]) for value in values]


def _each(write: Callable[[Any], object]) -> Write:
    return lambda values: map(write, values)


def _int32(values: Sequence[int]) -> Sequence[int]:
    if min(values) < GRAPHQL_MIN_INT or max(values) > GRAPHQL_MAX_INT:
        raise NotPlain("too large for an Int")
    return values


def _finite(values: Sequence[float]) -> Sequence[float]:
    if not all(map(isfinite, values)):
        raise NotPlain("not a number of JSON")
    return values


_JSON: Writers = dict.fromkeys((dict, list, str, int, float, bool))
_SCALARS: Mapping[str, Writers] = {
    "ID": {str: None},
    "String": {str: None},
    "Boolean": {bool: None},
    "Int": {int: _int32},
    "Float": {float: _finite},
    "DateTime": {datetime: print_instants},
    "Decimal": {Decimal: _each(print_decimal), Decimal128: print_amounts},
    "JSON": _JSON,
    "SegmentRules": _JSON,
}
