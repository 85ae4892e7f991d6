"""A page of customers from one server process over HTTP, beside the raw driver reading the same rows.

The raw driver is pymongo's synchronous client on one connection, which makes dictionaries and nothing of them. Peers
that run already are measured too, taking turns with ours: BENCH_PEERS="yoga=http://127.0.0.1:27920/graphql?query=… …"
names what each answers with the same 50 customers.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import orjson
from pymongo import MongoClient
from pymongo.collection import Collection

from bench import load
from bench.figures import Figure
from bench.load import Request
from tests.product import Product

DATABASE = "bench_graphql"
CUSTOMERS = 1_000
PAGE = 50
FIELDS = "id externalId name email phone totalSpend visitCount lastPurchase"
STORED = ("external_id", "name", "email", "phone", "total_spend", "visit_count", "last_purchase")
ROUNDS = 5
ROUND_SECONDS = 2.0

INGEST = "mutation ($input: [CustomerInput!]!) { ingestCustomers(input: $input) { failed } }"
QUERY = f"{{ customers(first: {PAGE}) {{ nodes {{ {FIELDS} }} }} }}"

Record = dict[str, object]
Round = Callable[[], Awaitable[float]]


async def run(uri: str) -> list[Figure]:
    """Requests a second of ours beside the raw driver, and beside every peer."""
    environment = {"MONGODB_URI": uri.replace("/?", f"/{DATABASE}?"), "SENDERS": "0"}
    client: MongoClient[Record] = MongoClient(uri, tz_aware=True)
    with tempfile.TemporaryDirectory() as folder, client:
        product = Product(Path(folder), environment)
        try:
            await product.start_server()
            api = await product.sign_up()
            await api.ask(INGEST, input=[_customer(number) for number in range(CUSTOMERS)])
            body = orjson.dumps({"query": QUERY})
            ours = Request(f"{product.url}/graphql", body, {"Authorization": f"Bearer {api.token}"})
            await _check(ours)
            return await _race(ours, client.get_database(DATABASE)["customers"])
        finally:
            await product.stop_all()
            client.drop_database(DATABASE)


async def _race(ours: Request, raw: Collection[Record]) -> list[Figure]:
    rounds: dict[str, Round] = {"ours": partial(_served, ours), "the raw driver": partial(_read, raw)}
    rounds |= {name: partial(_served, peer) for name, peer in _peers()}
    found: dict[str, list[float]] = {name: [] for name in rounds}
    for _ in range(ROUNDS):
        for name, one in rounds.items():
            found[name].append(await one())
    medians = {name: statistics.median(each) for name, each in found.items()}
    reference = medians.pop("ours")
    return [
        Figure(f"customers(first: {PAGE}) × 8 fields, beside {name}", reference, median, "requests/s")
        for name, median in medians.items()
    ]


def _peers() -> Iterator[tuple[str, Request]]:
    for peer in os.environ.get("BENCH_PEERS", "").split():
        name, _, url = peer.partition("=")
        yield name, Request(url)


async def _served(request: Request) -> float:
    return await load.requests_per_second(request, ROUND_SECONDS)


async def _read(collection: Collection[Record]) -> float:
    count, started = 0, time.perf_counter()
    while (taken := time.perf_counter() - started) < ROUND_SECONDS:
        list(collection.find({}, STORED).sort("_id").limit(PAGE))
        count += 1
    return count / taken


async def _check(request: Request) -> None:
    customers = orjson.loads(await load.answer(request))["data"]["customers"]["nodes"]
    if len(customers) != PAGE or None in customers[0].values():
        raise RuntimeError(f"not a page of whole customers: {customers[:1]}")


def _customer(number: int) -> Record:
    return {
        "externalId": f"c-{number}",
        "name": f"Customer {number}",
        "email": f"c{number}@example.com",
        "phone": f"+9198{number:08d}",
        "totalSpend": f"{number}.50",
        "visitCount": number % 40,
        "lastPurchase": "2026-06-01T10:00:00Z",
    }
