"""Whatever is sent as a customer or an order, in a batch or a file: a row's fault or the request's, and never ours."""

import gzip
import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

import documents
from ingestion import Policy, importer
from schema import variables
from tests.api.conftest import Api
from tests.api.test_imports import send

INGEST = """mutation ($input: [%s!]!) {
  %s(input: $input) { failed results { index outcome userErrors { field message } } userErrors { message } }
}"""
BATCHES = {
    "customers": INGEST % ("CustomerInput", "ingestCustomers"),
    "orders": INGEST % ("OrderInput", "ingestOrders"),
}
IMPORTS = {"customers": "importCustomers", "orders": "importOrders"}
JOB = """query ($id: ID!) {
  importJob(id: $id) { status statusReason processed failed rowErrors { index userErrors { field } } }
}"""

DEEP: object = None
for _ in range(300):
    DEEP = [DEEP]

# The field that is at fault, and what was sent for it.
ODD_CUSTOMERS = [
    ("externalId", 5),
    ("externalId", {"a": 1}),
    ("externalId", "x" * 201),
    ("externalId", ""),
    ("name", "a\0b"),
    ("name", ["a"]),
    ("name", True),
    ("email", "a@b@c"),
    ("email", "x" * 100_000 + "@example.com"),
    ("phone", "++++"),
    ("phone", "9" * 1_000),
    ("country", "ZZ"),
    ("timezone", "Mars/Olympus"),
    ("locale", "?"),
    ("tags", 5),
    ("tags", [["a"]]),
    ("tags", ["x"] * 101),
    ("attributes", [1]),
    ("attributes", {"$where": 1}),
    ("attributes", {"a.b": 1}),
    ("attributes", {"a": DEEP}),
    ("attributes", {"a": 2**63}),
    ("attributes", {"a": "\0"}),
    ("attributes", {"a": "x" * 20_000}),
    ("smsConsent", "MAYBE"),
    ("smsConsent", {}),
    ("totalSpend", "NaN"),
    ("totalSpend", "Infinity"),
    ("totalSpend", "-1"),
    ("totalSpend", "1e999999"),
    ("totalSpend", 1e300),
    ("totalSpend", "0.001"),
    ("totalSpend", True),
    ("visitCount", 1.5),
    ("visitCount", "many"),
    ("visitCount", 2**70),
    ("visitCount", -1),
    ("birthday", "0000-01-01"),
    ("birthday", "1990-02-30"),
    ("birthday", "9999-01-01"),
    ("birthday", 19900101),
    ("lastPurchase", "0000-01-01T00:00:00Z"),
    ("lastPurchase", "0001-01-01T00:00:00+14:00"),
    ("lastPurchase", "9999-12-31T23:59:59-14:00"),
    ("lastPurchase", "2026-01-01"),
    ("lastPurchase", 1.7e9),
]
ODD_ORDERS = [
    ("externalId", None),
    ("externalId", 5),
    ("customer", {}),
    ("customer", {"externalId": "1", "email": "a@example.com"}),
    ("customer", {"id": "nobody"}),
    ("customer", "1"),
    ("customer", {"email": "\0"}),
    ("placedAt", "0000-01-01T00:00:00Z"),
    ("placedAt", "now"),
    ("placedAt", {}),
    ("amount", "NaN"),
    ("amount", "-Infinity"),
    ("amount", "1e400"),
    ("amount", [1]),
    ("currency", "EUR"),
    ("currency", 5),
    ("status", "LOST"),
    ("status", []),
    ("items", 5),
    ("items", [5]),
    ("items", [{"sku": "a"}]),
    ("items", [{"sku": "a", "unitPrice": "NaN"}]),
    ("items", [{"sku": "a", "unitPrice": 1, "quantity": 0}]),
    ("items", [{"sku": "\0", "unitPrice": 1}]),
    ("payment", []),
    ("payment", {"status": "LOST"}),
    ("payment", {"refundedAmount": "1000000"}),
    ("coupon", ["a"]),
    ("coupon", "x" * 201),
]
SOUND: Mapping[str, dict[str, object]] = {
    "customers": {"externalId": "1"},
    "orders": {
        "externalId": "1",
        "customer": {"externalId": "1"},
        "placedAt": "2026-01-01T00:00:00Z",
        "amount": "1.00",
    },
}
ODD: Mapping[str, Sequence[tuple[str, object]]] = {"customers": ODD_CUSTOMERS, "orders": ODD_ORDERS}


def rows(kind: str) -> list[dict[str, object]]:
    """A row for each odd value, the rest of it sound; then one that is sound altogether."""
    return [*({**SOUND[kind], field: value} for field, value in ODD[kind]), SOUND[kind]]


async def taken_in(api: Api, kind: str) -> None:
    """What orders need: their customer."""
    if kind == "orders":
        await api.ask(BATCHES["customers"], input=[SOUND["customers"]])


@pytest.mark.parametrize("kind", BATCHES)
async def test_every_odd_value_of_a_batch_is_its_rows_fault_and_names_its_field(
    http: httpx.AsyncClient, marketer: Api, kind: str
) -> None:
    await taken_in(marketer, kind)
    body = {"query": BATCHES[kind], "variables": {"input": rows(kind)}}
    answer = (await http.post("/graphql", json=body)).json()
    assert "errors" not in answer, answer["errors"]
    [payload] = answer["data"].values()
    at_fault = {result["index"]: result["userErrors"] for result in payload["results"] if result["userErrors"]}
    assert fields(at_fault) == {index: field for index, (field, _) in enumerate(ODD[kind])}


@pytest.mark.parametrize("kind", BATCHES)
async def test_every_odd_value_of_a_file_is_its_rows_fault_and_names_its_field(
    http: httpx.AsyncClient, marketer: Api, kind: str
) -> None:
    await taken_in(marketer, kind)
    job = await imported(http, marketer, kind, "\n".join(map(json.dumps, rows(kind))).encode())
    assert (job["status"], job["processed"], job["failed"]) == ("COMPLETED", len(ODD[kind]) + 1, len(ODD[kind]))
    at_fault = {row["index"]: row["userErrors"] for row in job["rowErrors"]}
    assert fields(at_fault) == {index: field for index, (field, _) in enumerate(ODD[kind])}


def fields(at_fault: Mapping[int, Any]) -> dict[int, str]:
    """The field at fault of each row, the way to it apart."""
    found = {}
    for index, faults in at_fault.items():
        path = [step for step in faults[0]["field"] or ["none"] if step not in ("input", str(index))]
        found[index] = path[0] if path else "none"
    return found


@pytest.mark.parametrize(
    "row",
    ['{"name": "\\ud800"}', '{"totalSpend": NaN}', '{"totalSpend": Infinity}', '{"name": "\xff"}'.encode("latin-1")],
)
async def test_what_is_no_json_is_a_bad_request_or_a_rows_fault(
    http: httpx.AsyncClient, marketer: Api, row: str | bytes
) -> None:
    encoded = row if isinstance(row, bytes) else row.encode()
    body = b'{"query": %s, "variables": {"input": [%s]}}' % (json.dumps(BATCHES["customers"]).encode(), encoded)
    response = await http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    job = await imported(http, marketer, "customers", b'{"externalId": "2"}\n%s\n{"externalId": "3"}\n' % encoded)
    assert (job["status"], job["processed"], job["failed"]) == ("COMPLETED", 3, 1)


@pytest.mark.parametrize(
    ("query", "value", "limit"),
    [
        (BATCHES["customers"], [{}] * (variables.MAX_ROWS + 1), "rows"),
        (
            "mutation ($input: [ID!]!) { mergeCustomers(keepId: 1, mergeIds: $input) { userErrors { code } } }",
            ["1"] * (variables.MAX_VALUES + 1),
            "values",
        ),
        (
            "query ($input: SegmentRules) { customers(filter: {rules: $input}) { totalCount } }",
            {"a": [{}] * variables.MAX_VALUES},
            "values",
        ),
    ],
)
async def test_more_values_than_anything_takes_are_refused_unread(
    marketer: Api, query: str, value: object, limit: str
) -> None:
    [error] = (await marketer.answer(query, input=value))["errors"]
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert error["extensions"]["limit"] == limit


async def test_rubbish_behind_a_header_is_told_row_by_row(http: httpx.AsyncClient, marketer: Api) -> None:
    rubbish = random.Random(1).randbytes(300_000)
    job = await imported(http, marketer, "customers", b"externalId,name\n" + rubbish + b"\n2,Asha\n")
    assert job["status"] == "COMPLETED"
    assert job["processed"] - job["failed"] == await documents.Customer.count() >= 1
    assert await documents.Customer.find_one({"external_id": "2", "name": "Asha"})


async def test_a_bomb_behind_a_header_is_refused_with_nothing_stored(http: httpx.AsyncClient, marketer: Api) -> None:
    bomb = gzip.compress(b"externalId\n1\n" + b"\0" * (100 * 2**20))
    job = await imported(http, marketer, "customers", bomb)
    assert (job["status"], job["processed"]) == ("FAILED", 0)
    assert "400 times" in job["statusReason"]


async def imported(http: httpx.AsyncClient, api: Api, kind: str, file: bytes) -> Any:
    """What becomes of a file."""
    payload = await send(http, file, IMPORTS[kind])
    assert payload["userErrors"] == []
    while await importer.carry_out_next(Policy()):
        pass
    return await api.ask(JOB, id=payload["job"]["id"])
