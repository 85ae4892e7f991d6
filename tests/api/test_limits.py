"""Limits: what is too much, that it is found quickly, and that what clients really send is not."""

import time

import pytest
import strawberry
from graphql import OperationDefinitionNode, get_introspection_query, parse

from resolvers.pages import Page
from schema import limits, operations, pages
from schema.execution import EngineSchema
from schema.operations import Answer, Request
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
async def test_what_is_made_to_hurt_is_refused_within_milliseconds(query: str) -> None:
    started = time.process_time()
    answer = await ask(query)
    taken = time.process_time() - started
    assert not answer.executed
    assert b"INTERNAL" not in operations.encode(answer, "request-1")
    # A tenth of what the naive walk takes for the smallest of these, in time of the processor: others may be busy.
    assert taken < 0.5
