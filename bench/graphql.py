"""A page of customers from one server process over HTTP, beside the raw driver reading the same rows.

The raw driver is pymongo's synchronous client on one connection, which makes dictionaries and nothing of them. Peers
that run already are measured too, taking turns with ours: BENCH_PEERS="yoga:PID=http://127.0.0.1:27920/graphql?query=…
…" names what each answers with the same 50 customers, and its process. Requests a second are of a quiet machine; on a
busy one compare the processor time that a process has for each request.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import orjson
from pymongo import MongoClient
from pymongo.collection import Collection

from bench import cpu, load
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


@dataclass(frozen=True, slots=True)
class Contestant:
    """Who answers with a page: `turn` has it done for ROUND_SECONDS, and counts. The time of a process is told too."""

    name: str
    turn: Callable[[], Awaitable[int]]
    pids: dict[str, int]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn came to."""

    per_second: float
    micros: dict[str, float]


async def run(uri: str) -> list[Figure]:
    """Requests a second and the time of each, of ours beside the raw driver and beside every peer."""
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
            pids = {"server": product.processes["server"].pid, "mongod": _pid(client)}
            raw = Contestant("the raw driver", partial(_read, client.get_database(DATABASE)["customers"]), {})
            return await _race(Contestant("ours", partial(_served, ours), pids), [raw, *_peers()])
        finally:
            await product.stop_all()
            client.drop_database(DATABASE)


async def _race(ours: Contestant, others: list[Contestant]) -> list[Figure]:
    turns: dict[str, list[Turn]] = {one.name: [] for one in (ours, *others)}
    for _ in range(ROUNDS):
        for one in (ours, *others):
            turns[one.name].append(await _turn(one))
    what = f"customers(first: {PAGE}) × {len(FIELDS.split())} fields"
    rates = {name: statistics.median(turn.per_second for turn in each) for name, each in turns.items()}
    figures = [Figure(f"{what}, beside {one.name}", rates["ours"], rates[one.name], "requests/s") for one in others]
    micros = {one.name: _micros(turns[one.name]) for one in (ours, *others)}
    server, mongod = micros["ours"]["server"], micros["ours"]["mongod"]
    figures += [Figure(f"{what}: mongod", mongod, 0, "CPU µs/request"), Figure(what, server, 0, "CPU µs/request")]
    return figures + [
        Figure(f"{what}, beside {one.name}", server, micros[one.name]["server"], "CPU µs/request")
        for one in others
        if one.pids
    ]


async def _turn(one: Contestant) -> Turn:
    before, started = cpu.used(one.pids), time.perf_counter()
    count = await one.turn()
    return Turn(count / (time.perf_counter() - started), cpu.micros_each(before, cpu.used(one.pids), count))


def _micros(turns: list[Turn]) -> dict[str, float]:
    return {name: statistics.median(turn.micros[name] for turn in turns) for name in turns[0].micros}


def _peers() -> Iterator[Contestant]:
    for peer in os.environ.get("BENCH_PEERS", "").split():
        named, _, url = peer.partition("=")
        name, _, pid = named.partition(":")
        yield Contestant(name, partial(_served, Request(url)), {"server": int(pid)} if pid else {})


def _pid(client: MongoClient[Record]) -> int:
    return int(client.admin.command("serverStatus")["pid"])


async def _served(request: Request) -> int:
    return await load.count(request, ROUND_SECONDS)


async def _read(collection: Collection[Record]) -> int:
    count, deadline = 0, time.perf_counter() + ROUND_SECONDS
    while time.perf_counter() < deadline:
        list(collection.find({}, STORED).sort("_id").limit(PAGE))
        count += 1
    return count


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
        "lastPurchase": f"2026-06-{1 + number % 30:02d}T10:{number % 60:02d}:00.{number % 1000:03d}Z",
    }
