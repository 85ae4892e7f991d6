"""Imports through real processes: killed again and again, they end as if nobody had touched them."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from pathlib import Path

import pytest_asyncio

from demo.api import Api
from tests.product import ROOT, Product

PEOPLE, ORDERS, ORDER_NUMBERS = 6_000, 9_000, 8_000
AMOUNT = Decimal("2.50")

COUNTS = "processed total created updated unchanged failed"
JOB = f"query ($id: ID!) {{ importJob(id: $id) {{ status {COUNTS} rowErrors {{ index }} }} }}"
WATCH = "subscription ($id: ID!) { importProgress(jobId: $id) { status processed } }"
CUSTOMERS = """query ($after: String) {
  customers(first: 500, after: $after) { nodes { externalId totalSpend orderCount } pageInfo { hasNextPage endCursor } }
}"""
LONGEST_SECONDS = 120


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Product]:
    """A server that has just started; nothing is sent here."""
    product = Product(tmp_path, {"SENDERS": "0"})
    try:
        await product.start_server()
        yield product
    finally:
        await product.stop_all()


async def test_an_import_killed_again_and_again_counts_everything_once(server: Product) -> None:
    api = await server.sign_up()
    people = await send(server, api, "importCustomers", people_file())
    orders = await send(server, api, "importOrders", orders_file())
    for job, processed in ((people, 1_000), (people, 8_000), (orders, 4_000)):
        await until_processed(api, job, processed)
        await server.kill("server")
        await server.start_server()
    events = [event async for event in api.watch(WATCH, id=orders)]
    assert events[-1] == {"status": "COMPLETED", "processed": ORDERS}
    assert await outcome(api, people) == expected_of_people()
    assert await outcome(api, orders) == expected_of_orders()
    assert await figures(api) == expected_figures()


async def test_a_file_is_taken_in_from_a_terminal_beside_a_server(server: Product, tmp_path: Path) -> None:
    api = await server.sign_up()
    assert await import_("customers", people_file(), tmp_path, server) == (
        1,
        "12,000 rows: 5,940 created, 1,980 updated, 3,960 unchanged, 120 failed",
    )
    assert len(await figures(api)) == PEOPLE - PEOPLE // 100
    status, said = await import_("customers", b"externalId,fone\n", tmp_path, server)
    assert (status, said) == (1, "There is no column 'fone'. Did you mean phone?")


async def test_a_file_is_taken_in_from_a_terminal_alone(tmp_path: Path) -> None:
    alone = Product(tmp_path)
    status, said = await import_("customers", b"externalId\n1\n2\n", tmp_path, alone)
    assert (status, said) == (0, "2 rows: 2 created, 0 updated, 0 unchanged, 0 failed")


# What is sent: everybody twice, in Pune and then, every third, in Delhi; every hundredth row is nobody's. Then orders,
# the last thousand of them once more.


def is_nobody(number: int) -> bool:
    return number % 100 == 99


def people_file() -> bytes:
    rows = [
        f"{'' if is_nobody(number) else number},{'Delhi' if again and number % 3 == 0 else 'Pune'}"
        for again in (False, True)
        for number in range(PEOPLE)
    ]
    return "\n".join(["externalId,city", *rows]).encode()


def orders_file() -> bytes:
    rows = [
        f"o{number % ORDER_NUMBERS},{buyer(number % ORDER_NUMBERS)},2026-01-01T00:00:00Z,{AMOUNT}"
        for number in range(ORDERS)
    ]
    return "\n".join(["externalId,customer.externalId,placedAt,amount", *rows]).encode()


def buyer(order: int) -> int:
    return order * 7 % (PEOPLE // 2)


# What has to come of it


def expected_of_people() -> dict[str, object]:
    nobodies = PEOPLE // 100
    moved = sum(number % 3 == 0 and not is_nobody(number) for number in range(PEOPLE))
    return {
        "status": "COMPLETED",
        "processed": 2 * PEOPLE,
        "total": 2 * PEOPLE,
        "created": PEOPLE - nobodies,
        "updated": moved,
        "unchanged": PEOPLE - nobodies - moved,
        "failed": 2 * nobodies,
        "rowErrors": [{"index": index} for index in range(2 * PEOPLE) if is_nobody(index)],
    }


def expected_of_orders() -> dict[str, object]:
    faulty = [index for index in range(ORDERS) if is_nobody(buyer(index % ORDER_NUMBERS))]
    created = ORDER_NUMBERS - sum(index < ORDER_NUMBERS for index in faulty)
    return {
        "status": "COMPLETED",
        "processed": ORDERS,
        "total": ORDERS,
        "created": created,
        "updated": 0,
        "unchanged": ORDERS - created - len(faulty),
        "failed": len(faulty),
        "rowErrors": [{"index": index} for index in faulty],
    }


def expected_figures() -> dict[str, tuple[Decimal, int]]:
    counts = Counter(buyer(order) for order in range(ORDER_NUMBERS))
    return {str(n): (counts[n] * AMOUNT, counts[n]) for n in range(PEOPLE) if not is_nobody(n)}


# What has come of it


async def send(product: Product, api: Api, field: str, file: bytes) -> str:
    """Send a file; the import's id."""
    document = f"mutation ($file: Upload!) {{ {field}(file: $file) {{ job {{ id }} userErrors {{ message }} }} }}"
    fields = {
        "operations": json.dumps({"query": document, "variables": {"file": None}}),
        "map": json.dumps({"0": ["variables.file"]}),
    }
    headers = {"Authorization": f"Bearer {api.token}", "GraphQL-Require-Preflight": "1"}
    response = await product.http.post(f"{product.url}/graphql", data=fields, files={"0": file}, headers=headers)
    payload = response.json()["data"][field]
    assert payload["userErrors"] == []
    return str(payload["job"]["id"])


async def import_(kind: str, content: bytes, folder: Path, product: Product) -> tuple[int | None, str]:
    """How `server.py import` ends: its exit status, and its line of counts or its last complaint."""
    (folder / "file").write_bytes(content)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "server.py", "import", kind, str(folder / "file")),
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(product.data_dir)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, refused = [text.decode().splitlines() for text in await process.communicate()]
    if refused:
        return process.returncode, refused[-1]
    return process.returncode, next(line for line in said if " rows: " in line)


async def outcome(api: Api, job: str) -> Mapping[str, object]:
    return await api.ask(JOB, id=job)


async def until_processed(api: Api, job: str, rows: int) -> None:
    """Wait until so many rows were taken, and the import goes on."""
    async with asyncio.timeout(LONGEST_SECONDS):
        async for event in api.watch(WATCH, id=job):
            assert event["status"] != "COMPLETED", "it was over before it was killed"
            if event["processed"] >= rows:  # type: ignore[operator]  # an Int
                return


async def figures(api: Api) -> dict[str, tuple[Decimal, int]]:
    """What each customer has spent, in how many orders."""
    found: dict[str, tuple[Decimal, int]] = {}
    after: object = None
    while True:
        page = await api.ask(CUSTOMERS, after=after)
        match page:
            case {"nodes": [*nodes], "pageInfo": {"hasNextPage": goes_on, "endCursor": after}}:
                found |= dict(map(figures_of, nodes))
                if not goes_on:
                    return found


def figures_of(customer: object) -> tuple[str, tuple[Decimal, int]]:
    match customer:
        case {"externalId": str(name), "totalSpend": str(spend), "orderCount": int(count)}:
            return name, (Decimal(spend), count)
    raise AssertionError(f"no customer: {customer}")
