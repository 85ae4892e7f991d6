"""Mutations under a key: carried out once, whatever is sent again, and nothing claimed that nobody knows."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import strawberry
from beanie import PydanticObjectId
from graphql import GraphQLObjectType, get_named_type
from pymongo.asynchronous.database import AsyncDatabase
from strawberry.file_uploads import Upload

import documents
from auth import Viewer
from documents import Role
from resolvers.idempotency import KEPT_FOR, LARGEST_ANSWER, LONGEST_RUN
from schema import access, schema
from schema.endpoint import Endpoint
from schema.execution import EngineSchema
from schema.http import Media
from schema.operations import Answer, Request
from tests.api.conftest import Api
from tests.api.small import Caller, Callers, Context

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


class Deeds:
    """What was done, and a gate before which one deed waits."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.done: list[str] = []
        self.waiting = asyncio.Event()
        self.gate = asyncio.Event()


deeds = Deeds()


@strawberry.type
class Query:
    @strawberry.field
    def done(self) -> int:
        return len(deeds.done)


@strawberry.type
class Mutation:
    @strawberry.field
    def act(self, name: str = "it") -> str:
        deeds.done.append(name)
        return f"{name} was done as number {len(deeds.done)}"

    @strawberry.field
    async def linger(self) -> int:
        deeds.waiting.set()
        await deeds.gate.wait()
        deeds.done.append("linger")
        return len(deeds.done)

    @strawberry.field
    def breaks(self) -> str:
        deeds.done.append("breaks")
        raise RuntimeError("hunter2")

    @strawberry.field
    async def store(self, file: Upload) -> str:
        deeds.done.append((await file.read()).decode())  # type: ignore[attr-defined]
        return deeds.done[-1]


SCHEMA = EngineSchema(Query, Mutation)


@pytest.fixture
async def client(database: AsyncDatabase[dict[str, object]]) -> AsyncIterator[httpx.AsyncClient]:
    deeds.forget()
    transport = httpx.ASGITransport(Endpoint(SCHEMA, Callers()))
    headers = {"authorization": "Bearer ann"}
    async with httpx.AsyncClient(transport=transport, base_url="http://engine", headers=headers) as client:
        yield client


async def act(client: httpx.AsyncClient, query: str = "mutation { act }", **headers: str) -> httpx.Response:
    return await client.post("", json={"query": query}, headers={**KEY, **headers})


def code(response: httpx.Response) -> str:
    [error] = response.json()["errors"]
    found: str = error["extensions"]["code"]
    return found


async def test_what_is_sent_again_is_done_once_and_gets_the_first_answer(client: httpx.AsyncClient) -> None:
    first, again = [await act(client) for _ in range(2)]
    assert first.json()["data"] == {"act": "it was done as number 1"}
    assert again.content == first.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


async def test_without_a_key_and_under_another_it_is_done_again(client: httpx.AsyncClient) -> None:
    await act(client)
    await client.post("", json={"query": "mutation { act }"})
    await act(client, **{"Idempotency-Key": "another"})
    assert len(deeds.done) == 3


async def test_a_failure_is_an_answer_too(client: httpx.AsyncClient) -> None:
    first, again = [await act(client, "mutation { breaks }") for _ in range(2)]
    assert code(first) == "INTERNAL"
    assert again.content == first.content
    assert deeds.done == ["breaks"]


async def test_a_key_in_the_extensions_is_the_same_key(client: httpx.AsyncClient) -> None:
    first = await act(client)
    asked = {"query": "mutation { act }", "extensions": {"idempotencyKey": KEY["Idempotency-Key"]}}
    for headers in ({}, KEY, {"Idempotency-Key": f'"{KEY["Idempotency-Key"]}"'}):
        assert (await client.post("", json=asked, headers=headers)).content == first.content


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("query", "mutation A($name: String) { it: act(name: $name) }"),
        ("variables", {"name": "that"}),
        ("operationName", "B"),
    ],
)
async def test_a_key_is_for_one_request(client: httpx.AsyncClient, part: str, other: object) -> None:
    query = "mutation A($name: String) { act(name: $name) } mutation B { act }"
    asked: dict[str, object] = {"query": query, "variables": {"name": "this"}, "operationName": "A"}
    await client.post("", json=asked, headers=KEY)
    refused = await client.post("", json={**asked, part: other}, headers={**KEY, "accept": Media.RESPONSE})
    assert refused.status_code == 422
    assert code(refused) == "IDEMPOTENCY_KEY_REUSED"
    assert len(deeds.done) == 1


async def test_the_order_of_variables_makes_no_other_request(client: httpx.AsyncClient) -> None:
    query = "mutation ($a: String!, $b: String!) { a: act(name: $a) b: act(name: $b) }"
    for variables in ({"a": "1", "b": "2"}, {"b": "2", "a": "1"}):
        response = await client.post("", json={"query": query, "variables": variables}, headers=KEY)
        assert response.json()["data"]["b"] == "2 was done as number 2"


async def test_while_the_first_still_runs_the_second_is_told_to_come_back(client: httpx.AsyncClient) -> None:
    first = asyncio.create_task(act(client, "mutation { linger }"))
    await asyncio.wait_for(deeds.waiting.wait(), 10)
    early = await act(client, "mutation { linger }", accept=Media.RESPONSE)
    assert early.status_code == 409
    assert early.headers["retry-after"] == "1"
    assert code(early) == "IDEMPOTENCY_IN_PROGRESS"
    deeds.gate.set()
    answered = await first
    assert (await act(client, "mutation { linger }")).content == answered.content
    assert deeds.done == ["linger"]


async def test_many_at_once_are_done_once(client: httpx.AsyncClient) -> None:
    responses = await asyncio.gather(*(act(client) for _ in range(20)))
    assert deeds.done == ["it"]
    told = {"IDEMPOTENCY_IN_PROGRESS" if "errors" in each.json() else each.json()["data"]["act"] for each in responses}
    assert told <= {"IDEMPOTENCY_IN_PROGRESS", "it was done as number 1"}
    assert {code(each) for each in responses if "errors" in each.json()} <= {"IDEMPOTENCY_IN_PROGRESS"}


async def test_the_first_that_was_never_finished_is_not_repeated_either(client: httpx.AsyncClient) -> None:
    first = asyncio.create_task(act(client, "mutation { linger }"))
    await asyncio.wait_for(deeds.waiting.wait(), 10)
    long_ago = documents.now() - LONGEST_RUN
    await documents.KeyedMutation.get_pymongo_collection().update_one({}, {"$set": {"begun_at": long_ago}})
    lost = await act(client, "mutation { linger }", accept=Media.RESPONSE)
    assert lost.status_code == 409
    assert code(lost) == "IDEMPOTENCY_OUTCOME_UNKNOWN"
    assert deeds.done == []
    deeds.gate.set()
    await first


async def test_a_client_that_leaves_finds_the_answer_when_it_comes_back(client: httpx.AsyncClient) -> None:
    async def run() -> Answer:
        request = Request("mutation { linger }", key=KEY["Idempotency-Key"])
        return await SCHEMA.answer(request, Context(Caller("ann"), 1))

    leaving = asyncio.create_task(run())
    await asyncio.wait_for(deeds.waiting.wait(), 10)
    [under_way] = [task for task in asyncio.all_tasks() if task.get_name().startswith("mutation")]
    leaving.cancel()
    await asyncio.wait([leaving])
    deeds.gate.set()
    await asyncio.wait_for(under_way, 10)
    assert (await act(client, "mutation { linger }")).json()["data"] == {"linger": 1}
    assert deeds.done == ["linger"]


async def test_everybody_has_keys_of_their_own(client: httpx.AsyncClient) -> None:
    await act(client)
    assert (await act(client, authorization="Bearer ben")).json()["data"] == {"act": "it was done as number 2"}


async def test_nobodys_keys_are_not_honoured(client: httpx.AsyncClient) -> None:
    del client.headers["authorization"]
    for _ in range(2):
        await act(client)
    assert len(deeds.done) == 2


async def test_what_only_reads_is_read_anew(client: httpx.AsyncClient) -> None:
    assert (await act(client, "{ done }")).json()["data"] == {"done": 0}
    assert (await act(client)).json()["data"] == {"act": "it was done as number 1"}
    assert (await act(client, "{ done }")).json()["data"] == {"done": 1}


@pytest.mark.parametrize("query", ["mutation {", "mutation { nothing }", "mutation ($name: String!) { act }"])
async def test_what_was_not_begun_uses_no_key_up(client: httpx.AsyncClient, query: str) -> None:
    assert "data" not in (await act(client, query)).json()
    assert (await act(client)).json()["data"] == {"act": "it was done as number 1"}


async def test_an_answer_that_is_too_large_is_not_kept_but_its_key_is(client: httpx.AsyncClient) -> None:
    asked = {"query": "mutation ($name: String!) { act(name: $name) }", "variables": {"name": "x" * LARGEST_ANSWER}}
    first, again = [await client.post("", json=asked, headers={**KEY, "accept": Media.RESPONSE}) for _ in range(2)]
    assert "errors" not in first.json()
    assert again.status_code == 409
    assert code(again) == "IDEMPOTENCY_ANSWER_NOT_KEPT"
    assert len(deeds.done) == 1


async def test_a_file_counts_by_what_is_in_it(client: httpx.AsyncClient) -> None:
    async def store(content: bytes) -> httpx.Response:
        operations = {"query": "mutation ($file: Upload!) { store(file: $file) }", "variables": {"file": None}}
        fields = {"operations": json.dumps(operations), "map": json.dumps({"a": ["variables.file"]})}
        return await client.post(
            "", data=fields, files={"a": content}, headers={**KEY, "GraphQL-Require-Preflight": "1"}
        )

    assert (await store(b"1,2")).json()["data"] == (await store(b"1,2")).json()["data"] == {"store": "1,2"}
    assert code(await store(b"1,3")) == "IDEMPOTENCY_KEY_REUSED"
    assert deeds.done == ["1,2"]


@pytest.mark.parametrize("key", ["", '""', "two words", "x" * 256, "schlüssel"])
async def test_an_odd_key_is_a_bad_request(client: httpx.AsyncClient, key: str) -> None:
    response = await client.post("", json={"query": "mutation { act }"}, headers={b"Idempotency-Key": key.encode()})
    assert response.status_code == 400
    assert deeds.done == []


async def test_variables_that_nest_too_deep_to_be_told_apart_are_refused(client: httpx.AsyncClient) -> None:
    deep: object = 1
    for _ in range(300):
        deep = [deep]
    asked = {"query": "mutation { act }", "variables": {"name": deep}}
    assert code(await client.post("", json=asked, headers=KEY)) == "BAD_USER_INPUT"
    assert deeds.done == []


@pytest.mark.parametrize("extension", [5, ["a"], "another"])
async def test_a_key_in_the_extensions_must_be_a_text_and_the_headers(
    client: httpx.AsyncClient, extension: object
) -> None:
    asked = {"query": "mutation { act }", "extensions": {"idempotencyKey": extension}}
    assert (await client.post("", json=asked, headers=KEY)).status_code == 400
    assert deeds.done == []


async def test_a_key_is_forgotten_after_a_day(client: httpx.AsyncClient) -> None:
    await act(client)
    keyed = documents.KeyedMutation.get_pymongo_collection()
    [record] = await keyed.find().to_list()
    assert record["expires_at"] - record["begun_at"] == KEPT_FOR == timedelta(hours=24)
    indexes = await keyed.index_information()
    assert indexes["expires_at_1"]["expireAfterSeconds"] == 0


async def test_a_secret_is_told_once_and_not_kept(api: Api) -> None:
    context = api.contexts.open(Viewer(PydanticObjectId(), Role.ADMIN))
    request = Request('mutation { ...it } fragment it on Mutation { key: createApiKey(name: "k") { secret } }', key="k")
    first, again = [await schema.answer(request, context) for _ in range(2)]
    assert first.formatted["data"]
    assert [(error.extensions or {})["code"] for error in again.errors] == ["IDEMPOTENCY_ANSWER_NOT_KEPT"]
    [record] = await documents.KeyedMutation.get_pymongo_collection().find().to_list()
    assert "answer" not in record


def test_every_mutation_that_hands_out_a_secret_is_known_as_one() -> None:
    mutation = schema._schema.mutation_type
    assert mutation
    secretive = set()
    for name, field in mutation.fields.items():
        payload = get_named_type(field.type)
        if isinstance(payload, GraphQLObjectType) and payload.fields.keys() & {"accessToken", "secret"}:
            secretive.add(name)
    assert secretive == access.SECRET_FIELDS
