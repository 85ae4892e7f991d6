"""Execution by plan tells the same as graphql-core, data and errors, over generated queries and values."""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Annotated, Generic, TypeVar

import hypothesis_graphql
import strawberry
from bson import Decimal128
from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    parse,
    validate,
    visit,
)
from graphql.execution import Executor, execute
from graphql.language import print_ast
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strawberry.scalars import JSON

import errors
from schema.execution import EngineSchema
from schema.planning import PlanningExecutor, Plans

T = TypeVar("T")


@strawberry.enum
class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Text(str):
    """A text that is not exactly a str."""


@strawberry.interface
class Named:
    name: str

    @strawberry.field
    def shout(self, times: int = 1) -> str | None:
        return f"{self.name}" * min(times, 3) if times >= 0 else None


@strawberry.type
class Leaf(Named):
    id: strawberry.ID
    text: str | None
    number: int
    maybe_number: int | None
    ratio: float | None
    flag: bool
    at: datetime
    money: Decimal | None
    colour: Colour
    anything: JSON | None
    tags: list[str]
    maybe_tags: list[str | None] | None


@strawberry.type
class Pair(Generic[T]):
    left: T
    right: T | None


@strawberry.type
class Branch(Named):
    leaf: Leaf
    maybe_leaf: Leaf | None
    leaves: list[Leaf]
    maybe_leaves: list[Leaf | None] | None
    grid: list[list[Leaf]]

    @strawberry.field
    async def later(self) -> Leaf:
        await asyncio.sleep(0)
        return self.leaf

    @strawberry.field
    async def later_leaves(self) -> list[Leaf | None]:
        await asyncio.sleep(0)
        return [*self.leaves, self.maybe_leaf]

    @strawberry.field
    def pairs(self) -> "list[Pair[Leaf]]":
        return [Pair(left=leaf, right=self.maybe_leaf) for leaf in self.leaves]

    @strawberry.field
    async def sooner(self) -> Leaf | None:
        raise errors.NotFound("gone")

    @strawberry.field
    async def fragile(self) -> str:
        raise RuntimeError("broken")

    @strawberry.field
    def either(self) -> list["Either"]:
        return [self.leaf, self]

    @strawberry.field
    def named(self) -> Named | None:
        return self.maybe_leaf


Either = Annotated[Leaf | Branch, strawberry.union("Either")]


@strawberry.type
class Query(Branch):
    pass


SCHEMA = EngineSchema(Query)._schema

GOOD: dict[str, list[object]] = {
    "name": ["Ann"],
    "id": ["1"],
    "text": ["text", None],
    "number": [7],
    "maybe_number": [-1, None],
    "ratio": [0.5, None],
    "flag": [True],
    "at": [datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 1, 31)],  # noqa: DTZ001 (as it is in a record)
    "money": [Decimal("1.50"), Decimal128("1.50"), None],
    "colour": [Colour.RED, "blue"],
    "anything": [{"a": [1]}, [1], "a", 1, 0.5, False, None],
    "tags": [["a", "b"], []],
    "maybe_tags": [["a", None], None],
}
BAD: list[object] = [
    None,
    5,
    2**40,
    "text",
    Text("text"),
    1.0,
    float("nan"),
    True,
    Decimal("NaN"),
    date(2026, 1, 31),
    Decimal128("NaN"),
    Colour.BLUE,
    "BLUE",
    ["a", 5],
    ["a", None],
    [Text("a")],
    [ValueError("an error in a list")],
    [],
    {"a": 1},
    ValueError("a value that is an error"),
    ...,
]


def a_leaf(random: Random) -> Leaf:
    """A leaf of which, now and then, something is wrong, or missing; not so often that little else is left."""
    badness = random.choice([0.02, 0.1, 0.3])
    leaf = object.__new__(Leaf)
    for name, good in GOOD.items():
        value = random.choice(good if random.random() > badness else BAD)
        if value is not ...:
            setattr(leaf, name, value)
    return leaf


def a_world(random: Random) -> Query:
    def leaves() -> list[Leaf]:
        return [a_leaf(random) for _ in range(random.randrange(4))]

    return Query(
        name="root",
        leaf=a_leaf(random),
        maybe_leaf=random.choice([a_leaf(random), None]),
        leaves=leaves(),
        maybe_leaves=random.choice([[*leaves(), None], None]),
        grid=[leaves(), leaves()],
    )


class Dressing(Visitor):
    """Gives a generated query what the generator leaves out: aliases, directives and fragments."""

    def __init__(self, random: Random, types: TypeInfo) -> None:
        super().__init__()
        self._random = random
        self._types = types
        self._aliases = 0
        self.fragments: list[FragmentDefinitionNode] = []

    def leave_field(self, node: FieldNode, *_: object) -> FieldNode:
        alias = node.alias
        if alias is None and self._random.random() < 0.3:
            self._aliases += 1
            alias = NameNode(value=f"alias{self._aliases}")
        return FieldNode(
            alias=alias,
            name=node.name,
            arguments=node.arguments,
            directives=self._directives(),
            selection_set=node.selection_set,
        )

    def leave_selection_set(self, node: SelectionSetNode, *_: object) -> SelectionSetNode:
        selections = [*node.selections]
        if self._random.random() < 0.2:
            selections.append(FieldNode(name=NameNode(value="__typename")))
        if self._random.random() < 0.2:
            selections.append(self._random.choice(selections))
        type_ = self._types.get_parent_type()
        condition = NamedTypeNode(name=NameNode(value=type_.name)) if type_ else None
        grouped = SelectionSetNode(selections=tuple(selections))
        match self._random.randrange(6):
            case 0:
                inline = InlineFragmentNode(
                    type_condition=condition, directives=self._directives(), selection_set=grouped
                )
                return SelectionSetNode(selections=(inline,))
            case 1 if condition:
                name = NameNode(value=f"Fragment{len(self.fragments)}")
                self.fragments.append(
                    FragmentDefinitionNode(name=name, type_condition=condition, selection_set=grouped)
                )
                return SelectionSetNode(selections=(FragmentSpreadNode(name=name, directives=self._directives()),))
            case _:
                return grouped

    def _directives(self) -> tuple[DirectiveNode, ...]:
        if self._random.random() > 0.2:
            return ()
        variable = VariableNode(name=NameNode(value=self._random.choice(["yes", "no"])))
        condition = ArgumentNode(name=NameNode(value="if"), value=variable)
        name = NameNode(value=self._random.choice(["include", "skip"]))
        return (DirectiveNode(name=name, arguments=(condition,)),)


def dressed(query: str, random: Random) -> DocumentNode:
    types = TypeInfo(SCHEMA)
    dressing = Dressing(random, types)
    document = visit(parse(query), TypeInfoVisitor(types, dressing))
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    text = " ".join(print_ast(node) for node in (operation.selection_set, *dressing.fragments))
    variables = ", ".join(f"${name}: Boolean!" for name in ("yes", "no") if f"${name}" in text)
    return parse(f"query ({variables}) {text}" if variables else f"query {text}")


async def planned(document: DocumentNode, world: Query, plans: Plans) -> ExecutionResult:
    executor = PlanningExecutor.build(SCHEMA, document, world, raw_variable_values={"yes": True, "no": False})
    assert isinstance(executor, PlanningExecutor)
    return await resolved(executor.using(plans).execute_operation())


async def stock(document: DocumentNode, world: Query) -> ExecutionResult:
    variables = {"yes": True, "no": False}
    return await resolved(execute(SCHEMA, document, world, variable_values=variables, executor_class=Executor))


async def resolved(result: object) -> ExecutionResult:
    value = await result if asyncio.iscoroutine(result) else result
    assert isinstance(value, ExecutionResult)
    return value


def told(result: ExecutionResult) -> tuple[object, list[str]]:
    return repr(result.data), sorted(repr(error.formatted) for error in result.errors or ())


@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(hypothesis_graphql.queries(SCHEMA), st.randoms(use_true_random=True))
def test_data_and_errors_are_those_of_graphql_core(query: str, random: Random) -> None:
    document = dressed(query, random)
    assert validate(SCHEMA, document) == []

    async def compare() -> None:
        plans = Plans()
        for _ in range(3):  # with new plans, and with the plans of the first time
            world = a_world(random)
            assert told(await planned(document, world, plans)) == told(await stock(document, world))

    asyncio.run(compare())


async def test_plans_are_kept_with_a_document_unless_a_directive_may_change_them() -> None:
    schema = EngineSchema(Query)
    for query, kept in (("{ name leaf { id } }", True), ("query ($b: Boolean!) { name @skip(if: $b) }", False)):
        document = schema._reader.read(query)
        [operation] = document.operations
        assert (document.plans(operation) is document.plans(operation)) is kept
