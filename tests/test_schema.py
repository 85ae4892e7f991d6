"""The published schema: committed as it is, and described throughout."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
)

from schema import schema

COMMITTED = Path(__file__).parent.parent / "schema.graphql"


def ours() -> Iterator[GraphQLNamedType]:
    """Every type that is not GraphQL's own."""
    for type_ in build_schema(schema.as_str()).type_map.values():
        if not is_introspection_type(type_) and not is_specified_scalar_type(type_):
            yield type_


def silences(type_: GraphQLNamedType) -> Iterator[str]:
    """What of a type has no description: itself, its fields and values, their arguments."""
    if not type_.description:
        yield type_.name
    if isinstance(type_, GraphQLEnumType):
        yield from (f"{type_.name}.{name}" for name, value in type_.values.items() if not value.description)
    if isinstance(type_, GraphQLInputObjectType):
        yield from (f"{type_.name}.{name}" for name, field in type_.fields.items() if not field.description)
    if isinstance(type_, GraphQLObjectType):
        for name, field in type_.fields.items():
            if not field.description:
                yield f"{type_.name}.{name}"
            for argument, its in field.args.items():
                if not its.description:
                    yield f"{type_.name}.{name}({argument}:)"


def test_the_committed_schema_is_current() -> None:
    assert COMMITTED.read_text() == f"{schema.as_str()}\n", "run `make schema`"


@pytest.mark.parametrize("type_", list(ours()), ids=lambda type_: type_.name)
def test_everything_is_described(type_: GraphQLNamedType) -> None:
    assert list(silences(type_)) == []
