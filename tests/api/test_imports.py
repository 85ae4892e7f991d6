"""Imports through the API: a file is sent over HTTP, refused or taken, and watched."""

import asyncio
import gzip
import json
from typing import Any

import httpx

import documents
from ingestion import Policy, importer
from schema import schema
from schema.operations import Request
from tests.api.conftest import Api
from tests.factories import a_customer

JOB = "id kind filename status statusReason processed total created updated unchanged failed startedAt finishedAt"
ROW_ERRORS = "rowErrors { index outcome id userErrors { field code message } }"


async def send(http: httpx.AsyncClient, file: bytes, field: str = "importCustomers") -> Any:
    """What the API answers to a file."""
    selection = f"{{ job {{ {JOB} }} userErrors {{ field code message }} }}"
    document = f"mutation ($file: Upload!) {{ {field}(file: $file) {selection} }}"
    fields = {
        "operations": json.dumps({"query": document, "variables": {"file": None}}),
        "map": json.dumps({"0": ["variables.file"]}),
    }
    response = await http.post("/graphql", data=fields, files={"0": ("people.csv", file)})
    answer = response.json()
    assert "errors" not in answer, answer
    return answer["data"][field]


async def test_a_file_is_taken_in_the_background_and_its_faults_are_told(
    http: httpx.AsyncClient, marketer: Api
) -> None:
    payload = await send(http, gzip.compress(b"email,tags,attributes.plan\na@example.com,vip|new,Gold\nnobody,,\n"))
    assert payload["userErrors"] == []
    assert (payload["job"]["status"], payload["job"]["filename"]) == ("QUEUED", "people.csv")
    assert await importer.carry_out_next(Policy())
    found = await marketer.ask(
        f"query ($id: ID!) {{ importJob(id: $id) {{ {JOB} {ROW_ERRORS} }} }}", id=payload["job"]["id"]
    )
    [fault] = found.pop("rowErrors")
    assert (found["status"], found["processed"], found["total"]) == ("COMPLETED", 2, 2)
    assert (found["created"], found["failed"], found["kind"]) == (1, 1, "CUSTOMERS")
    assert (fault["index"], fault["outcome"], fault["userErrors"][0]["field"]) == (1, "FAILED", ["email"])
    customer = await documents.Customer.find_one()
    assert customer
    assert (customer.tags, customer.attributes) == (["vip", "new"], {"plan": "Gold"})


async def test_a_column_of_one_attribute_leaves_the_others_alone(http: httpx.AsyncClient) -> None:
    await a_customer(email="a@example.com", attributes={"age": 30, "plan": "Gold", "seats": 2})
    await send(http, b"email,attributes.plan,attributes.seats,attributes.pro\na@example.com,,\\N,true\n")
    assert await importer.carry_out_next(Policy())
    customer = await documents.Customer.find_one()
    assert customer
    assert customer.attributes == {"age": 30, "plan": "Gold", "pro": True}
    assert customer.folded["attributes"] == {"age": 30, "plan": "gold", "pro": True}


async def test_attributes_that_come_one_by_one_have_the_limit_of_all(http: httpx.AsyncClient) -> None:
    await a_customer(email="a@example.com", attributes={"one": "x" * 10_000})
    await send(http, b"email,attributes.two\na@example.com," + b"y" * 10_000 + b"\n")
    assert await importer.carry_out_next(Policy())
    [fault] = await documents.FaultyRow.find_all().to_list()
    assert fault.faults[0].field == ["attributes"]


async def test_a_column_that_is_none_is_refused_at_once_with_the_nearest(http: httpx.AsyncClient) -> None:
    payload = await send(http, b"externalId,customer.e-mail,placedAt\n", "importOrders")
    assert payload["job"] is None
    assert [(each["field"], each["code"]) for each in payload["userErrors"]] == [
        (["file"], "REQUIRED"),
        (["file"], "INVALID"),
    ]
    assert "Did you mean customer.email?" in payload["userErrors"][1]["message"]


async def test_what_is_no_file_is_refused(marketer: Api) -> None:
    document = "mutation ($file: Upload!) { importCustomers(file: $file) { job { id } userErrors { field message } } }"
    payload = await marketer.ask(document, file="email\na@example.com\n")
    assert payload["userErrors"] == [
        {"field": ["file"], "message": "This must be a file, sent as a part of a multipart request."}
    ]


async def test_an_import_that_is_none_is_not_found(marketer: Api) -> None:
    nowhere = {"id": "000000000000000000000000"}
    assert await marketer.ask("query ($id: ID!) { importJob(id: $id) { id } }", **nowhere) is None
    document = "subscription ($id: ID!) { importProgress(jobId: $id) { id } }"
    [event] = await events(marketer, document, **nowhere)
    assert event["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_an_import_is_watched_to_its_end(http: httpx.AsyncClient, marketer: Api) -> None:
    job = (await send(http, b"externalId\n" + b"".join(b"%d\n" % n for n in range(2500))))["job"]
    following = asyncio.create_task(marketer.contexts.services.imports.run())
    watching = asyncio.create_task(
        events(marketer, f"subscription ($id: ID!) {{ importProgress(jobId: $id) {{ {JOB} }} }}", id=job["id"])
    )
    carried_out = asyncio.create_task(importer.carry_out_next(Policy()))
    seen = [event["data"]["importProgress"] for event in await watching]
    assert await carried_out
    following.cancel()
    assert (seen[-1]["status"], seen[-1]["processed"]) == ("COMPLETED", 2500)


async def events(api: Api, document: str, **variables: object) -> list[Any]:
    """Every event of a subscription that ends."""
    viewer = await api.contexts.authenticate(f"Bearer {api.token}")
    operation = schema.prepare(Request(document, variables))
    async with asyncio.timeout(60):
        return [answer.formatted async for answer in schema.performed(operation, lambda: api.contexts.open(viewer))]
