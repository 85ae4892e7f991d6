"""By the short way resolvers are given what Strawberry gives them."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import pytest
import strawberry
from graphql import ExecutionResult, GraphQLSchema, execute, parse
from strawberry import UNSET, Info, Parent
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

from schema.execution import EngineSchema
from schema.scalars import SCALARS


@strawberry.enum
class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@strawberry.input
class Inner:
    a_number: int = 3
    colour: Colour | None = UNSET


@strawberry.input
class Outer:
    inner: Inner | None = None
    inners: list[Inner] | None = UNSET


def _of_parent(it: Parent["Leaf"], info: Info) -> str:
    return f"{it.name} {info.field_name} {info.path.key}"


def _of_root(root: "Leaf") -> str:
    return root.name


@strawberry.type
class Leaf:
    name: str
    of_parent: str = strawberry.field(resolver=_of_parent)
    of_root: str = strawberry.field(resolver=_of_root)

    @strawberry.field
    def shout(self, how_often: int = 1) -> str:
        return self.name * how_often


@strawberry.type
class Query:
    @strawberry.field
    def leaf(self) -> Leaf:
        return Leaf(name="leaf")

    @strawberry.field
    async def leaves(
        self,
        info: Info,
        first: int | None = UNSET,
        colour: Colour = Colour.RED,
        colours: list[Colour | None] | None = None,
        filter: Outer | None = None,
        filters: list[Outer] | None = UNSET,
        some_id: strawberry.ID | None = None,
        at: datetime | None = None,
        money: Decimal | None = None,
        anything: JSON | None = None,
        perhaps: strawberry.Maybe[int | None] = None,
        renamed: Annotated[str | None, strawberry.argument(name="class")] = None,
    ) -> list[str]:
        given = [first, colour, colours, filter, filters, some_id, at, money, anything, perhaps, renamed]
        return [info.field_name, *map(repr, given)]


SHORT = EngineSchema(Query)._schema
STRAWBERRYS = strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS))._schema


@pytest.mark.parametrize(
    "query",
    [
        "{ leaf { name shout ofRoot ofParent again: ofParent } }",
        "{ leaf { shout(howOften: 3) } }",
        "{ leaves }",
        "{ leaves(first: null, colours: null, filter: null, someId: null, class: null) }",
        '{ leaves(first: 5, colour: BLUE, colours: [RED, null], someId: 7, class: "x") }',
        '{ leaves(at: "2026-01-31T00:00:00Z", money: "1.50", anything: {a: [1]}) }',
        "{ leaves(filter: {}, filters: []) }",
        "{ leaves(perhaps: 1) }",
        "{ leaves(perhaps: null) }",
        "{ leaves(filter: {inner: {aNumber: 1, colour: BLUE}, inners: [{}, {colour: null}]}, filters: {inner: {}}) }",
        '{ leaves(first: "five") }',
        "{ leaves(colour: null) }",
    ],
)
async def test_arguments_are_those_that_strawberry_gives(query: str) -> None:
    short, strawberrys = [await _executed(schema, query) for schema in (SHORT, STRAWBERRYS)]
    assert short == strawberrys


async def _executed(schema: GraphQLSchema, query: str) -> object:
    result = execute(schema, parse(query))
    return (result if isinstance(result, ExecutionResult) else await result).formatted
