"""Limits: what is too much, that reading a query takes time in proportion to it, and what clients really send fits."""

import sys
from collections.abc import Callable
from contextlib import suppress

import pytest
import strawberry
from graphql import OperationDefinitionNode, get_introspection_query, parse

from resolvers.pages import Page
from schema import limits, operations, pages
from schema.execution import EngineSchema
from schema.operations import Answer, Request
from schema.reading import Refused
from tests.api.small import Caller, Context


async def nothing_counted() -> int:
    return 0


@strawberry.type
class Thing:
    name: str = "thing"
    tags: list[str] = strawberry.field(default_factory=list)

    @strawberry.field
    def computed(self) -> str:
        return self.name

    @strawberry.field(metadata={"cost": 20})
    def counted(self) -> int:
        return 0

    @strawberry.field
    def parent(self) -> "Thing":
        return Thing()

    @strawberry.field
    def several(self) -> list["Thing"]:
        return []

    @strawberry.field
    def some(self, first: int = 5) -> list["Thing"]:
        return []

    @strawberry.field
    def things(self, first: pages.First = None, last: pages.Last = None) -> pages.Connection["Thing"]:
        return pages.Connection.of(Page([], [], False, False, nothing_counted))


@strawberry.type
class Query(Thing):
    pass


SCHEMA = EngineSchema(Query)


async def ask(query: str, **variables: object) -> Answer:
    return await SCHEMA.answer(Request(query, variables), Context(Caller(None), 0))


async def exceeded(query: str, **variables: object) -> str | None:
    """The limit that a query exceeds."""
    for error in (await ask(query, **variables)).errors:
        extensions = error.extensions or {}
        if extensions["code"] == "LIMIT_EXCEEDED":
            return str(extensions.get("limit"))
    return None


def cost(query: str, **variables: object) -> int:
    document = parse(query)
    [operation] = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    return limits.Scales(SCHEMA._schema, document, variables).weigh(operation).cost


def nested(levels: int) -> str:
    return "{ parent " * (levels - 1) + "{ name }" + " }" * (levels - 1)


@pytest.mark.parametrize(
    ("fits", "exceeds", "limit"),
    [
        (nested(12), nested(13), "depth"),
        (
            "{ " + " ".join(f"a{n}: name" for n in range(20)) + " }",
            "{ " + " ".join(f"a{n}: name" for n in range(21)) + " }",
            "root_fields",
        ),
        (
            "{ parent { " + " ".join(f"a{n}: name" for n in range(30)) + " } }",
            "{ parent { " + " ".join(f"a{n}: name" for n in range(31)) + " } }",
            "aliases",
        ),
        (
            "{ name " + "... @include(if: true) { name } " * 19 + "}",
            "{ name " + "@include(if: true) " * 51 + "}",
            "directives",
        ),
        ("{ parent { " + "name " * 400 + "} }", "{ parent { " + "name " * 1_000 + "} }", "fields"),
        (
            "{ things(first: 499) { nodes { computed } } }",
            "{ things(first: 500) { nodes { several { name } } } }",
            "cost",
        ),
    ],
    ids=["depth", "root_fields", "aliases", "directives", "fields", "cost"],
)
async def test_a_query_may_reach_a_limit_and_not_exceed_it(fits: str, exceeds: str, limit: str) -> None:
    assert await exceeded(fits) is None
    assert await exceeded(exceeds) == limit


async def test_fragments_are_no_way_round_a_limit() -> None:
    spread = "query { parent { ...Deep } } fragment Deep on Thing " + nested(12)
    assert await exceeded(spread) == "depth"
    many = "query { parent { ...A } } fragment A on Thing { " + "...B " * 4 + "} fragment B on Thing { "
    assert await exceeded(many + " ".join(f"a{n}: name" for n in range(8)) + " }") == "aliases"


async def test_every_operation_of_a_document_counts() -> None:
    assert await exceeded("query A { name } query B " + nested(13)) == "depth"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ name tags }", 0),
        ("{ computed }", 1),
        ("{ counted }", 20),
        ("{ parent { name } }", 1),
        ("{ several { parent { name } } }", 20),
        ("{ some { name } }", 5),
        ("{ some(first: 3) { name } }", 3),
        ("{ things { nodes { name } } }", 51),
        ("{ things { edges { cursor node { name } } } }", 51),
        ("{ things(first: 10) { nodes { computed } } }", 21),
        ("{ things(last: 10) { nodes { name } } }", 11),
        ("{ things(first: 10) { totalCount pageInfo { hasNextPage } } }", 3),
        ("{ things(first: 10) { nodes { things(first: 10) { nodes { name } } } } }", 1 + 10 * (1 + 11)),
        ("{ things(first: 10) { ...Page } } fragment Page on ThingConnection { nodes { name } }", 11),
        ("{ things(first: -10) { nodes { name } } }", 1),
        ("{ things(first: 1000000000000) { nodes { name } } }", 501),
    ],
)
def test_a_query_costs_what_it_fetches(query: str, expected: int) -> None:
    assert cost(query) == expected


async def test_page_sizes_in_variables_cost_as_much() -> None:
    query = "query ($first: Int) { things(first: $first) { nodes { several { name } } } }"
    for _ in range(2):
        assert await exceeded(query, first=10) is None
        assert await exceeded(query, first=500) == "cost"
    assert cost(query) == cost(query, first=50)


async def test_the_cost_is_told() -> None:
    assert (await ask("{ things(first: 10) { nodes { name } } }")).extensions == {
        "cost": {"requested": 11, "max": 5000}
    }


async def test_the_introspection_of_tools_fits() -> None:
    for query in (
        get_introspection_query(),
        get_introspection_query(
            specified_by_url=True,
            directive_is_repeatable=True,
            schema_description=True,
            input_value_deprecation=True,
        ),
    ):
        assert (await ask(query)).errors == []


async def test_a_text_that_is_given_up_while_it_is_read_names_its_limit_too() -> None:
    assert await exceeded("{ " + "name " * 2_000 + "}") == "tokens"
    assert await exceeded("{ name(a: " + "[" * 900 + "]" * 900 + ") }") == "depth"


async def test_a_number_has_an_end_whatever_it_is_for() -> None:
    long = "9" * 5_000
    assert await exceeded(f"{{ some(first: {long}) {{ name }} }}") == "digits"
    assert await exceeded(f"{{ some(first: 1.{long}) {{ name }} }}") == "digits"
    assert await exceeded(f'{{ some(first: "{long}") {{ name }} }}') is None, "a text of digits is no number"


async def test_introspection_cannot_be_nested_without_end() -> None:
    deep = "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }"
    assert await exceeded(deep) == "introspection_depth"


def bomb(levels: int, spreads: int, inner: str) -> str:
    """Fragments that each spread the next several times: exponential to whoever follows every spread."""
    fragments = [f"fragment F{n} on Thing {{ {f'...F{n + 1} ' * spreads} }}" for n in range(levels)]
    return " ".join(["{ parent { ...F0 } }", *fragments, f"fragment F{levels} on Thing {{ {inner} }}"])


@pytest.mark.parametrize(
    "query",
    [
        bomb(60, 3, "name"),
        bomb(40, 10, "a: name"),
        bomb(100, 2, "parent { name }"),
        "{ ...A } fragment A on Query { name ...B } fragment B on Query { name ...A }",
        "{ ...A } fragment A on Query { parent { ...A } }",
        "{ ...Missing }",
        "{ parent { ... on Nothing { nothing { deeper } } } }",
        "{ " + "name " * 1_990 + "}",
        "{ parent { " + "name " * 990 + "} }",
        "{ " + "... { name " * 150 + "}" * 151,
        " ".join(["{ ...F0 }", *(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(240))]),
    ],
    ids=range(11),
)
async def test_what_is_made_to_hurt_is_refused(query: str) -> None:
    answer = await ask(query)
    assert not answer.executed
    assert b"INTERNAL" not in operations.encode(answer, "request-1")


def work(query: str) -> int:
    """How many calls of Python it takes to read a query, or to refuse it. Counted, since others may be busy too."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        with suppress(Refused):
            SCHEMA.prepare(Request(query))
    finally:
        sys.setprofile(None)
    return calls


def fragments(count: int, spread: str, body: str) -> str:
    """As many fragments, spread side by side."""
    return " ".join([spread, *(f"fragment F{n} on Thing {{ {body} }}" for n in range(count))])


@pytest.mark.parametrize(
    "sized",
    [
        lambda n: "{ parent { " + "name " * n + "} }",
        lambda n: "{ parent { " + "some(first: 3) { name } " * (n // 2) + "} }",
        lambda n: "{ parent { " + "parent { parent { name } } " * (n // 3) + "} }",
        lambda n: "{ name } fragment F on Thing { " + "name " * 3 * n + "}",
        lambda n: " ".join(f"query Q{m} {{ parent {{ {'name ' * n} }} }}" for m in range(3)),
        lambda n: fragments(n // 4, "{ parent { " + " ".join(f"...F{m}" for m in range(n // 4)) + " } }", "name tags"),
        lambda n: fragments(1, "{ parent { " + "...F0 " * n + " } }", "name"),
        lambda n: bomb(n // 4, 2, "name"),
        lambda n: "{ parent { " + "nme " * n + "} }",
        lambda n: "{ parent { " + "... { " * n + "name" + " }" * n + "} }",
    ],
    ids=range(10),
)
def test_twice_the_query_is_twice_the_work(sized: Callable[[int], str]) -> None:
    assert work(sized(480)) <= 2.5 * work(sized(240))
