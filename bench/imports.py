"""A million customers from a file, through a real server process: rows a second, its memory, and how others fare.

The raw driver writes the same rows, a share of them, in unordered `bulk_write`s of a thousand upserts to a collection
with the same indexes, before and after the import; it reads no file, checks nothing and keeps no figures.
"""

import asyncio
import json
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
from bson import Decimal128
from pymongo import AsyncMongoClient, MongoClient, UpdateOne
from pymongo.database import Database

import documents
from bench.figures import Figure
from demo.api import Api
from tests.product import Product

ROWS = int(os.environ.get("BENCH_IMPORT_ROWS", "1000000"))
RAW_ROWS = 50_000  # each time
BATCH = 1_000
ASKED_EVERY_SECONDS = 0.05
OURS, RAW = "bench_imports", "bench_imports_raw"

HEADER = "externalId,name,email,phone,city,totalSpend,visitCount,lastPurchase"
IMPORT = "mutation ($file: Upload!) { importCustomers(file: $file) { job { id } userErrors { message } } }"
WATCH = """subscription ($id: ID!) {
  importProgress(jobId: $id) { status processed created failed startedAt finishedAt }
}"""
SEEN = datetime(2026, 1, 31, 10, tzinfo=UTC)

Record = dict[str, object]


async def run(uri: str) -> list[Figure]:
    """One file, taken in."""
    raw: MongoClient[Record] = MongoClient(uri, tz_aware=True)
    with tempfile.TemporaryDirectory() as folder, raw:
        await _prepare(uri)
        file = Path(folder) / "customers.csv"
        _write(file)
        environment = {"MONGODB_URI": uri.replace("/?", f"/{OURS}?"), "SENDERS": "0"}
        product = Product(Path(folder), environment)
        try:
            await product.start_server()
            return await _figures(product, raw.get_database(RAW), file)
        finally:
            await product.stop_all()
            raw.drop_database(OURS)
            raw.drop_database(RAW)


async def _prepare(uri: str) -> None:
    client: AsyncMongoClient[Record] = AsyncMongoClient(uri, tz_aware=True)
    async with client:
        await documents.prepare(client.get_database(RAW))


async def _figures(product: Product, raw: Database[Record], file: Path) -> list[Figure]:
    api = await product.sign_up()
    before = _megabytes(product, "VmRSS")
    raw_speeds = [_raw_speed(raw, 0)]
    waits: list[float] = []
    asking = asyncio.create_task(_ask(product, api, waits))
    last = [event async for event in api.watch(WATCH, id=await _send(product, api, file))][-1]
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    raw_speeds.append(_raw_speed(raw, RAW_ROWS))
    if (last["status"], last["created"]) != ("COMPLETED", ROWS):
        raise RuntimeError(f"the import went wrong: {last}")
    seconds = (_instant(last["finishedAt"]) - _instant(last["startedAt"])).total_seconds()
    return [
        Figure(f"a file of {ROWS:,} customers", ROWS / seconds, statistics.mean(raw_speeds), "rows/s"),
        Figure("server's memory, at its most beyond the start", _megabytes(product, "VmHWM") - before, 0, "MB"),
        Figure("{me} meanwhile, p95", sorted(waits)[int(0.95 * len(waits))] * 1000, 0, "ms"),
    ]


async def _send(product: Product, api: Api, file: Path) -> object:
    fields = {
        "operations": json.dumps({"query": IMPORT, "variables": {"file": None}}),
        "map": json.dumps({"0": ["variables.file"]}),
    }
    headers = {"Authorization": f"Bearer {api.token}", "GraphQL-Require-Preflight": "1"}
    with file.open("rb") as content:
        async with httpx.AsyncClient(timeout=600) as http:
            response = await http.post(f"{product.url}/graphql", data=fields, files={"0": content}, headers=headers)
    return response.json()["data"]["importCustomers"]["job"]["id"]


async def _ask(product: Product, api: Api, waits: list[float]) -> None:
    """Ask who we are, again and again, and note how long each answer takes."""
    body, headers = {"query": "{ me { id } }"}, {"Authorization": f"Bearer {api.token}"}
    async with httpx.AsyncClient(timeout=60) as http:
        while True:
            started = time.perf_counter()
            await http.post(f"{product.url}/graphql", json=body, headers=headers)
            waits.append(time.perf_counter() - started)
            await asyncio.sleep(ASKED_EVERY_SECONDS)


def _write(file: Path) -> None:
    with file.open("w") as rows:
        rows.write(f"{HEADER}\n")
        for n in range(ROWS):
            seen = SEEN.isoformat()
            rows.write(f"c-{n},Customer {n},c{n}@example.com,+9198{n:08d},Pune,{n % 20_000}.50,{n % 40},{seen}\n")


def _raw_speed(raw: Database[Record], first: int) -> float:
    """Rows a second of the driver alone."""
    batches = [[_upsert(n) for n in range(start, start + BATCH)] for start in range(first, first + RAW_ROWS, BATCH)]
    started = time.perf_counter()
    for batch in batches:
        raw["customers"].bulk_write(batch, ordered=False)
    return RAW_ROWS / (time.perf_counter() - started)


def _upsert(n: int) -> UpdateOne:
    row = {
        "external_id": f"c-{n}",
        "name": f"Customer {n}",
        "email": f"c{n}@example.com",
        "phone": f"+9198{n:08d}",
        "city": "Pune",
        "total_spend": Decimal128(f"{n % 20_000}.50"),
        "visit_count": n % 40,
        "last_purchase": SEEN,
    }
    return UpdateOne({"external_id": row["external_id"]}, {"$set": row}, upsert=True)


def _megabytes(product: Product, measure: str) -> float:
    status = Path(f"/proc/{product.processes['server'].pid}/status").read_text()
    return int(status.partition(f"{measure}:")[2].split()[0]) / 1024


def _instant(written: object) -> datetime:
    return datetime.fromisoformat(str(written))
