"""Arguments that could not be read: an INVALID error, wherever they are not a row's own business."""

from collections.abc import Callable
from functools import wraps

from graphql import (
    GraphQLArgument,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
)

import errors
from schema import inputs
from schema.scalars import Unreadable

Check = Callable[[object, tuple[str, ...]], None]
Resolve = Callable[..., object]

# What is expected of a scalar that is a text to be read.
_TEXTUAL = {
    "DateTime": "an RFC 3339 time with offset, such as 2026-01-31T10:00:00Z",
    "Decimal": 'a decimal number, such as "12.50"',
}


def guard(schema: GraphQLSchema) -> None:
    """Makes each field that takes texts to be read refuse the unreadable ones, before it is resolved."""
    for type_ in schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType):
            continue
        for field in type_.fields.values():
            checks = _checks(field.args)
            if checks and field.resolve:
                field.resolve = _guarded(field.resolve, checks)
            if checks and field.subscribe:
                field.subscribe = _guarded(field.subscribe, checks)


def _guarded(resolve: Resolve, checks: dict[str, Check]) -> Resolve:
    @wraps(resolve)
    def resolve_readable(source: object, info: object, **arguments: object) -> object:
        for name, check in checks.items():
            if name in arguments:
                check(arguments[name], (name,))
        return resolve(source, info, **arguments)

    return resolve_readable


def _checks(arguments: dict[str, GraphQLArgument]) -> dict[str, Check]:
    return {name: check for name, argument in arguments.items() if (check := _check(argument.type))}


def _check(type_: GraphQLInputType) -> Check | None:
    """What raises InvalidInput for an unreadable text in a value of this type; None where there can be none."""
    match type_:
        case GraphQLNonNull():
            return _check(type_.of_type)
        case GraphQLList():
            return _check_list(_check(type_.of_type))
        case GraphQLInputObjectType() if not inputs.is_row(type_):
            return _check_fields({name: check for name, each in type_.fields.items() if (check := _check(each.type))})
        case _:
            return _check_text if type_.name in _TEXTUAL else None


def _check_text(value: object, path: tuple[str, ...]) -> None:
    if isinstance(value, Unreadable):
        raise errors.InvalidInput(f"This must be {_TEXTUAL[value.scalar]}.", path)


def _check_list(check: Check | None) -> Check | None:
    if check is None:
        return None

    def check_each(value: object, path: tuple[str, ...]) -> None:
        for index, item in enumerate(value if isinstance(value, list) else ()):
            check(item, (*path, str(index)))

    return check_each


def _check_fields(checks: dict[str, Check]) -> Check | None:
    if not checks:
        return None

    def check_each(value: object, path: tuple[str, ...]) -> None:
        for name, check in checks.items():
            if isinstance(value, dict) and name in value:
                check(value[name], (*path, name))

    return check_each
