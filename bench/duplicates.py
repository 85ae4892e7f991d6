"""Looking for duplicates among 100,000 customers of one server process, over HTTP, and how long others wait meanwhile.

5,000 of them share one name and city; 1,000 of them are there twice, with a typo. What the raw driver is measured by
is reading the same fields of all of them.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import TypeVar

import httpx
from bson import ObjectId
from pymongo import MongoClient
from pymongo.collection import Collection

import documents
from bench.figures import Figure
from ingestion.duplicates.profiles import FIELDS
from tests.product import Product

CUSTOMERS = 100_000
NAMESAKES = 5_000
TWICE = 1_000
TURNS = 3
DATABASE = "bench_duplicates"
QUERY = "{ duplicateCustomers(first: 100) { score customers { externalId } } }"

_SYLLABLES = "ra vi sha an pri ya mo han ki ran de ep su ni ta ma nu lak sh mi ar jun go pal ka vi ta".split()

Record = dict[str, object]
T = TypeVar("T")


async def run(uri: str) -> list[Figure]:
    """Seconds of a search, `{me}` meanwhile, and how right the best hundred are."""
    client: MongoClient[Record] = MongoClient(uri, tz_aware=True)
    with tempfile.TemporaryDirectory() as folder, client:
        product = Product(Path(folder), {"MONGODB_URI": uri.replace("/?", f"/{DATABASE}?"), "SENDERS": "0"})
        try:
            await product.start_server()
            customers = client.get_database(DATABASE)["customers"]
            customers.insert_many(list(_people(Random(1))), ordered=False)
            headers = {"Authorization": f"Bearer {(await product.sign_up()).token}"}
            async with httpx.AsyncClient(base_url=product.url, headers=headers, timeout=120) as http:
                return await _figures(http, customers)
        finally:
            await product.stop_all()
            client.drop_database(DATABASE)


async def _figures(http: httpx.AsyncClient, customers: Collection[Record]) -> list[Figure]:
    ours, raw, waits, usual = [], [], list[float](), list[float]()
    for _ in range(TURNS):
        started = time.perf_counter()
        right = await _search(http, waits)
        ours.append(time.perf_counter() - started)
        raw.append(await asyncio.to_thread(_read, customers))
        await _wait_for_others(http, asyncio.create_task(asyncio.sleep(ours[-1])), usual)
    return [
        Figure(f"duplicates of {CUSTOMERS:,}", statistics.median(ours) * 1000, statistics.median(raw) * 1000, "ms"),
        Figure("{me} meanwhile, p95, beside an idle server's", _p95(waits) * 1000, _p95(usual) * 1000, "ms"),
        Figure("true ones of the best 100", right, 0, ""),
    ]


async def _search(http: httpx.AsyncClient, waits: list[float]) -> int:
    """How many of the best are right; how long others waited goes into `waits`."""
    search = asyncio.create_task(http.post("/graphql", json={"query": QUERY}))
    await _wait_for_others(http, search, waits)
    answer = (await search).json()
    if any(error["extensions"]["code"] == "TIMEOUT" for error in answer.get("errors", ())):
        return await _search(http, waits)  # it goes on, and we for longer than a request may
    if "errors" in answer:
        raise RuntimeError(f"the search failed: {answer['errors']}")
    pairs = answer["data"]["duplicateCustomers"]
    return sum(len({each["externalId"].rstrip("x") for each in pair["customers"]}) == 1 for pair in pairs)


async def _wait_for_others(http: httpx.AsyncClient, meanwhile: asyncio.Task[T], waits: list[float]) -> None:
    while not meanwhile.done():
        started = time.perf_counter()
        await http.post("/graphql", json={"query": "{ me { id } }"})
        waits.append(time.perf_counter() - started)
        await asyncio.sleep(0.01)


def _p95(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=20)[-1]


def _read(customers: Collection[Record]) -> float:
    started = time.perf_counter()
    customers.find({}, FIELDS).to_list()
    return time.perf_counter() - started


def _people(random: Random) -> Iterator[Record]:
    for number in range(CUSTOMERS - TWICE):
        person = _person(random, number)
        if number >= CUSTOMERS - TWICE - NAMESAKES:
            person |= {"name": "Rahul Sharma", "city": "Delhi"}
        yield _stored(person)
        if number < TWICE:
            yield _stored(_again(random, person))


def _person(random: Random, number: int) -> dict[str, str]:
    first, last = ("".join(random.choices(_SYLLABLES, k=3)) for _ in range(2))
    return {
        "external_id": f"{number}",
        "name": f"{first} {last}".title(),
        "city": f"Town {random.randrange(200)}",
        "email": f"{first}.{last}{number}@{random.choice(('gmail.com', 'yahoo.com', 'example.com'))}",
        "phone": f"+919{number * 736_338_717 % 10**9:09}",
    }


def _again(random: Random, person: dict[str, str]) -> dict[str, str]:
    """The same person, as another system has them."""
    again = {**person, "external_id": person["external_id"] + "x"}
    if random.random() < 0.5:
        del again["phone"]
        return {**again, "email": person["email"].replace(".", "", 1).replace("@", "+web@")}
    del again["email"]
    digit = random.randrange(3, 13)
    wrong = str((int(person["phone"][digit]) + 1) % 10)
    return {**again, "phone": person["phone"][:digit] + wrong + person["phone"][digit + 1 :]}


def _stored(person: dict[str, str]) -> Record:
    return {"_id": ObjectId(), **person, "folded": documents.folded(person)}
