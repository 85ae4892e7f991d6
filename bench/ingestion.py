"""Ingestion through the API of one server process, beside the raw driver writing the same rows to the same indexes.

The two take turns, batch by batch, and medians are compared. The raw driver is pymongo's synchronous client with one
unordered `bulk_write` of upserts for each batch, which checks nothing and keeps no figures; bodies and rows are made
before the clock starts.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import orjson
from bson import Decimal128
from pymongo import AsyncMongoClient, MongoClient, UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database

import documents
from bench.figures import Figure
from tests.product import Product

BATCH = 1_000
BATCHES = 16
BIG_BATCH = 10_000
NOW = datetime(2026, 7, 1, tzinfo=UTC)
OURS, RAW = "bench_ingestion", "bench_ingestion_raw"

CUSTOMERS = "mutation ($input: [CustomerInput!]!) { ingestCustomers(input: $input) { failed } }"
ORDERS = "mutation ($input: [OrderInput!]!) { ingestOrders(input: $input) { failed } }"

Record = dict[str, object]
Make = Callable[[int], Record]


async def run(uri: str) -> list[Figure]:
    """Customers, orders, and how long others wait meanwhile."""
    client: MongoClient[Record] = MongoClient(uri, tz_aware=True)
    with tempfile.TemporaryDirectory() as folder, client:
        raw = client.get_database(RAW)
        await _build_indexes(uri)
        environment = {"MONGODB_URI": uri.replace("/?", f"/{OURS}?"), "SENDERS": "0"}
        product = Product(Path(folder), environment)
        try:
            await product.start_server()
            token = (await product.sign_up()).token
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            async with httpx.AsyncClient(base_url=product.url, headers=headers, timeout=120) as http:
                return await _figures(_Race(http, raw))
        finally:
            await product.stop_all()
            client.drop_database(OURS)
            client.drop_database(RAW)


async def _build_indexes(uri: str) -> None:
    client: AsyncMongoClient[Record] = AsyncMongoClient(uri, tz_aware=True)
    async with client:
        await documents.prepare(client.get_database(RAW))


async def _figures(race: "_Race") -> list[Figure]:
    figures = [
        await race.run("customers, new", CUSTOMERS, "customers", _customer, _stored_customer),
        await race.run("customers, known and unchanged", CUSTOMERS, "customers", _customer, _stored_customer),
    ]
    ids = [record["_id"] for record in race.raw["customers"].find({}, {"_id": True})]

    def stored_order(number: int) -> Record:
        return _stored_order(number) | {"customer_id": ids[_buyer(number)]}

    def scattered(number: int) -> Record:
        return _order(number) | {"externalId": f"s-{number}", "customer": {"externalId": f"c-{number}"}}

    def stored_scattered(number: int) -> Record:
        return _stored_order(number) | {"external_id": f"s-{number}", "customer_id": ids[number]}

    figures.append(await race.run("orders, new", ORDERS, "orders", _order, stored_order))
    figures.append(await race.run("orders, each of another customer", ORDERS, "orders", scattered, stored_scattered))
    figures.append(await _others(race.http))
    return figures


@dataclass(frozen=True, slots=True)
class _Race:
    """Ours and the raw driver, taking turns."""

    http: httpx.AsyncClient
    raw: Database[Record]

    async def run(self, name: str, mutation: str, collection: str, sent: Make, stored: Make) -> Figure:
        """Rows a second of each, by the median batch."""
        ours, raw = [], []
        for first in range(0, BATCHES * BATCH, BATCH):
            numbers = range(first, first + BATCH)
            body = _body(mutation, [sent(number) for number in numbers])
            rows = [stored(number) for number in numbers]
            started = time.perf_counter()
            await _post(self.http, body)
            halfway = time.perf_counter()
            _upsert(self.raw[collection], rows)
            ours.append(halfway - started)
            raw.append(time.perf_counter() - halfway)
        return Figure(name, BATCH / statistics.median(ours), BATCH / statistics.median(raw), "rows/s")


async def _others(http: httpx.AsyncClient) -> Figure:
    """How long `{me{id}}` takes at the 95th percentile while a big batch is taken."""
    first = BATCHES * BATCH
    body = _body(CUSTOMERS, [_customer(number) for number in range(first, first + BIG_BATCH)])
    taking = asyncio.create_task(_post(http, body))
    waits = []
    while not taking.done():
        started = time.perf_counter()
        await http.post("/graphql", content=b'{"query": "{ me { id } }"}')
        waits.append(time.perf_counter() - started)
    await taking
    return Figure(f"{{me}} while a batch of {BIG_BATCH:,} is taken, p95", _percentile(waits, 0.95) * 1000, 0, "ms")


async def _post(http: httpx.AsyncClient, body: bytes) -> None:
    answer = (await http.post("/graphql", content=body)).json()
    [payload] = answer["data"].values()
    if payload["failed"]:
        raise RuntimeError(f"rows failed: {answer}")


def _body(mutation: str, rows: Sequence[Record]) -> bytes:
    return orjson.dumps({"query": mutation, "variables": {"input": rows}})


def _upsert(collection: Collection[Record], rows: Sequence[Record]) -> None:
    upserts = [UpdateOne({"external_id": row["external_id"]}, {"$set": row}, upsert=True) for row in rows]
    collection.bulk_write(upserts, ordered=False)


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _customer(number: int) -> Record:
    return {
        "externalId": f"c-{number}",
        "name": f"Customer {number}",
        "email": f"c{number}@example.com",
        "phone": f"+9198{number:08d}",
        "city": "Pune",
        "totalSpend": f"{number % 20_000}.50",
        "visitCount": number % 40,
        "lastPurchase": _placed_at(number).isoformat(),
    }


def _stored_customer(number: int) -> Record:
    return {
        "external_id": f"c-{number}",
        "name": f"Customer {number}",
        "email": f"c{number}@example.com",
        "phone": f"+9198{number:08d}",
        "city": "Pune",
        "total_spend": Decimal128(f"{number % 20_000}.50"),
        "visit_count": number % 40,
        "last_purchase": _placed_at(number),
    }


def _order(number: int) -> Record:
    return {
        "externalId": f"o-{number}",
        "customer": {"externalId": f"c-{_buyer(number)}"},
        "placedAt": _placed_at(number).isoformat(),
        "amount": f"{number % 500}.25",
        "coupon": "SUMMER",
    }


def _stored_order(number: int) -> Record:
    return {
        "external_id": f"o-{number}",
        "placed_at": _placed_at(number),
        "status": "COMPLETED",
        "amount": Decimal128(f"{number % 500}.25"),
        "currency": "USD",
        "coupon": "SUMMER",
    }


def _buyer(number: int) -> int:
    """Three orders in a row are of one customer, as in CDNOW, whose history came in customer by customer."""
    return number // 3


def _placed_at(number: int) -> datetime:
    return NOW - timedelta(minutes=number)
