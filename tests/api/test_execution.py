"""From a request to its answer, on a small schema of this test's own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import strawberry
from strawberry.scalars import JSON

import errors
from schema import inputs, made
from schema.execution import EngineSchema
from schema.operations import Answer, Request
from schema.reading import Refused
from tests.api.small import Caller, Context

NOBODY = Context(Caller(None), 0)


@inputs.row
@strawberry.input
class PartInput:
    sku: str
    price: Decimal
    quantity: int = 1


@inputs.row
@strawberry.input
class RowInput:
    name: str
    email: str | None = strawberry.UNSET
    at: datetime | None = strawberry.UNSET
    amount: Decimal | None = strawberry.UNSET
    tags: list[str] | None = strawberry.UNSET
    parts: list[PartInput] | None = strawberry.UNSET
    part: PartInput | None = strawberry.UNSET


@strawberry.input
class Filter:
    after: datetime | None = None
    prices: list[Decimal] | None = None


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "you") -> str:
        return f"Hello, {name}."

    @strawberry.field
    def filtered(self, filter: Filter) -> str:
        return repr(filter)

    @strawberry.field
    async def forbidden(self) -> str | None:
        raise errors.Forbidden("Not for you.")

    @strawberry.field
    async def forever(self) -> str:
        await asyncio.Event().wait()
        return "never"

    @strawberry.field
    def who(self, info: strawberry.Info[Context, None]) -> str | None:
        return info.context.caller


@strawberry.type
class Mutation:
    @strawberry.field
    def ingest(self, rows: list[RowInput]) -> list[JSON]:
        return [JSON(inputs.given(row)) for row in rows]


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, info: strawberry.Info[Context, None], to: int) -> AsyncIterator[str]:
        if to > 100:
            raise errors.InvalidInput("Too far.", ["to"])
        for number in range(to):
            yield f"{number}"
        if to == 3:
            raise RuntimeError("hunter2")


SCHEMA = EngineSchema(Query, Mutation, Subscription)


async def ask(query: str, **variables: object) -> Answer:
    return await SCHEMA.answer(Request(query, variables), Context(Caller("ann"), 1), "request-1")


def codes(answer: Answer) -> list[object]:
    return [(error.extensions or {}).get("code") for error in answer.errors]


async def test_a_request_is_answered_with_its_variables_and_context() -> None:
    answer = await ask("query ($name: String) { hello(name: $name) who }", name="Ben")
    assert answer.formatted["data"] == {"hello": "Hello, Ben.", "who": "ann"}


async def test_one_of_several_operations_is_chosen_by_name() -> None:
    both = "query A { a: hello } query B { b: hello }"
    chosen = await SCHEMA.answer(Request(both, operation_name="B"), NOBODY)
    assert chosen.data == {"b": "Hello, you."}
    for name in (None, "C"):
        refused = await SCHEMA.answer(Request(both, operation_name=name), NOBODY)
        assert not refused.executed
        assert codes(refused) == ["BAD_USER_INPUT"]


async def test_a_variable_that_does_not_fit_is_named() -> None:
    for query, variables, place in (
        ("query ($name: String!) { hello(name: $name) }", {}, "Variable '$name'"),
        (
            "mutation ($rows: [RowInput!]!) { ingest(rows: $rows) }",
            {"rows": [5]},
            "Variable '$rows' has invalid value at [0]",
        ),
    ):
        [error] = (await ask(query, **variables)).errors
        assert error.message.startswith(place)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        ("fragment F on Query { hello }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ hello(name: 5) }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($name: Int!) { hello(name: $name) }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($name: String!) { hello(name: $name) }", "BAD_USER_INPUT"),
        ("query ($name: String! = null) { hello(name: $name) }", "GRAPHQL_VALIDATION_FAILED"),
        ("{" + " " * 20_000 + "hello }", "LIMIT_EXCEEDED"),
        ("{" + " hello" * 2_000 + "}", "LIMIT_EXCEEDED"),
        ("{" + "a{" * 900, "LIMIT_EXCEEDED"),
    ],
)
async def test_a_request_that_cannot_be_executed_is_refused_with_a_code_and_without_data(query: str, code: str) -> None:
    answer = await ask(query)
    assert codes(answer)[:1] == [code]
    assert "data" not in answer.formatted
    assert all((error.extensions or {})["requestId"] == "request-1" for error in answer.errors)


async def test_a_field_that_fails_leaves_the_others_alone() -> None:
    answer = await ask("{ hello forbidden }")
    assert answer.data == {"hello": "Hello, you.", "forbidden": None}
    assert codes(answer) == ["FORBIDDEN"]


async def test_an_execution_without_end_is_given_up() -> None:
    impatient = EngineSchema(Query, timeout_seconds=0.01)
    answer = await impatient.answer(Request("{ forever }"), NOBODY)
    assert answer.formatted["data"] is None
    assert codes(answer) == ["TIMEOUT"]


async def test_the_product_can_be_had_without_introspection() -> None:
    closed = made(introspection=False)
    assert closed.prepare(Request("{ me { id } }"))
    with pytest.raises(Refused):
        closed.prepare(Request("{ __schema { queryType { name } } }"))


async def test_introspection_can_be_turned_off() -> None:
    closed = EngineSchema(Query, introspection=False)
    assert codes(await closed.answer(Request("{ __schema { description } }"), NOBODY)) == ["GRAPHQL_VALIDATION_FAILED"]
    assert (await ask("{ __typename }")).data == {"__typename": "Query"}


@pytest.mark.parametrize(
    "query",
    [
        '{ filtered(filter: {after: "yesterday"}) }',
        '{ filtered(filter: {prices: ["1.00", "dear"]}) }',
        'query ($prices: [Decimal!] = ["dear"]) { filtered(filter: {prices: $prices}) }',
    ],
)
async def test_a_text_that_cannot_be_read_is_invalid(query: str) -> None:
    assert codes(await ask(query)) == ["INVALID"]


async def test_the_path_to_an_unreadable_text_is_told() -> None:
    answer = await ask("query ($filter: Filter!) { filtered(filter: $filter) }", filter={"prices": [1, "dear"]})
    [error] = answer.errors
    assert (error.extensions or {})["field"] == ["filter", "prices", "1"]
    assert error.message == 'This must be a decimal number, such as "12.50".'


INGEST = "mutation ($rows: [RowInput!]!) { ingest(rows: $rows) }"


async def test_a_row_holds_what_was_sent_and_nothing_else() -> None:
    rows: list[object] = [
        {"name": "Ann", "email": None, "at": "2026-01-31T10:00:00Z", "amount": 1.5, "tags": "vip"},
        {"name": "Ben", "parts": [{"sku": "A", "price": "2.00"}], "part": {"sku": "B", "price": 1, "quantity": 2}},
    ]
    answer = await ask(INGEST, rows=rows)
    assert answer.errors == []
    assert answer.data == {
        "ingest": [
            {
                "name": "Ann",
                "email": None,
                "at": datetime(2026, 1, 31, 10, tzinfo=UTC),
                "amount": Decimal("1.5"),
                "tags": ["vip"],
            },
            {
                "name": "Ben",
                "parts": [{"quantity": 1, "sku": "A", "price": Decimal("2.00")}],
                "part": {"quantity": 2, "sku": "B", "price": Decimal(1)},
            },
        ]
    }


@pytest.mark.parametrize(
    "row",
    [
        {"name": 5},
        {"name": None},
        {},
        {"name": "Ann", "email": ["a"]},
        {"name": "Ann", "at": "yesterday"},
        {"name": "Ann", "amount": "NaN"},
        {"name": "Ann", "amount": {}},
        {"name": "Ann", "tags": [5, None]},
        {"name": "Ann", "parts": [{"sku": "A", "price": "dear", "quantity": "two"}, 7]},
        {"name": "Ann", "part": "a part"},
    ],
)
async def test_what_is_wrong_in_a_row_comes_through_as_it_was_sent(row: dict[str, object]) -> None:
    answer = await ask(INGEST, rows=[row])
    assert answer.errors == []
    assert answer.data == {"ingest": [with_defaults(row)]}


def with_defaults(row: dict[str, object]) -> dict[str, object]:
    parts = row.get("parts")
    if not isinstance(parts, list):
        return row
    return row | {"parts": [{"quantity": 1, **part} if isinstance(part, dict) else part for part in parts]}


@pytest.mark.parametrize(
    "rows", [[5], [None], None, [{"name": "Ann", "nickname": "A"}], [{"name": "Ann", "part": {"colour": "red"}}]]
)
async def test_a_structure_that_is_wrong_rejects_the_request(rows: object) -> None:
    answer = await ask(INGEST, rows=rows)
    assert not answer.executed
    assert set(codes(answer)) == {"BAD_USER_INPUT"}


async def test_a_row_written_in_the_query_keeps_its_unreadable_text_too() -> None:
    answer = await ask('mutation { ingest(rows: [{name: "Ann", at: "yesterday", amount: "dear"}]) }')
    assert answer.data == {"ingest": [{"amount": "dear", "at": "yesterday", "name": "Ann"}]}


async def events(query: str) -> list[Answer]:
    operation = SCHEMA.prepare(Request(query))
    return [answer async for answer in SCHEMA.performed(operation, lambda: NOBODY)]


async def test_a_subscription_gives_an_answer_for_each_event() -> None:
    assert [answer.data for answer in await events("subscription { count(to: 2) }")] == [
        {"count": "0"},
        {"count": "1"},
    ]


async def test_a_subscription_that_cannot_begin_says_why() -> None:
    [answer] = await events("subscription { count(to: 101) }")
    assert not answer.executed
    assert codes(answer) == ["INVALID"]


async def test_a_subscription_that_breaks_off_says_so_and_no_more() -> None:
    *_, last = await events("subscription { count(to: 3) }")
    assert codes(last) == ["INTERNAL"]
    assert "hunter2" not in repr(last.formatted)


async def test_a_subscription_is_not_answered_once() -> None:
    with pytest.raises(Refused):
        SCHEMA.prepare(Request("subscription { a: count(to: 1) b: count(to: 1) }"))
