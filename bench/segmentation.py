"""Counting segments of 100,000 customers with three times as many orders, beside the pipeline written by hand.

The two take turns on the same indexes, and medians are compared. BENCH_CUSTOMERS=1000000 makes it a million, which
takes some minutes to load.
"""

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from random import Random
from zoneinfo import ZoneInfo

from bson import ObjectId
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

import documents
from bench.figures import Figure
from segmentation import audience, query
from segmentation.dates import AsOf

CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "100000"))
ORDERS = 3 * CUSTOMERS
CHUNK = 5_000
TURNS = 3
DATABASE = "bench_segmentation"
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
AS_OF = AsOf(NOW, ZoneInfo("UTC"))
SECONDS_OF_HISTORY = 700 * 86_400
CITIES = ("Pune", "Mumbai", "Delhi", "London", "Berlin", "New York", *(f"Town {number}" for number in range(194)))
CATEGORIES = ("Shoes", "Shirts", "Books", "Toys")

Record = dict[str, object]
Stages = Sequence[Record]


@dataclass(frozen=True, slots=True)
class Case:
    """A segment, and the aggregation by hand that counts it."""

    query: str
    collection: str
    by_hand: Stages


def _recent(days: int) -> Record:
    return {"status": "COMPLETED", "placed_at": {"$gte": NOW - timedelta(days=days)}}


OVER_5000 = {"total_spend": {"$gt": Decimal(5000)}}
TWICE_LATELY: Stages = [
    {"$match": _recent(90) | {"amount": {"$gt": Decimal(500)}}},
    {"$group": {"_id": "$customer_id", "orders": {"$sum": 1}}},
    {"$match": {"orders": {"$gte": 2}}},
]
CASES = (
    Case(
        'city = "Pune" AND totalSpend > 5000 AND visitCount >= 3',
        "customers",
        [{"$match": {"folded.city": "pune", "visit_count": {"$gte": 3}, **OVER_5000}}],
    ),
    Case(
        'totalSpend > 5000 AND visitCount >= 3 AND smsConsent = "SUBSCRIBED"',
        "customers",
        [{"$match": {"visit_count": {"$gte": 3}, "sms_consent": "SUBSCRIBED", **OVER_5000}}],
    ),
    Case("COUNT(orders WHERE placedAt >= 90 days ago AND amount > 500) >= 2", "orders", TWICE_LATELY),
    Case(
        "totalSpend > 5000 AND COUNT(orders WHERE placedAt >= 90 days ago AND amount > 500) >= 2",
        "orders",
        [
            *TWICE_LATELY,
            {"$lookup": {"from": "customers", "localField": "_id", "foreignField": "_id", "as": "customer"}},
            {"$match": {"customer.total_spend": {"$gt": Decimal(5000)}}},
        ],
    ),
    Case(
        'COUNT(orders WHERE placedAt >= 180 days ago AND items.category = "Shoes") >= 1',
        "orders",
        [
            {"$match": _recent(180) | {"items.folded.category": "shoes"}},
            {"$group": {"_id": "$customer_id"}},
        ],
    ),
    Case(
        'city = "Pune" AND COUNT(orders WHERE placedAt >= 90 days ago) = 0',
        "customers",
        [
            {"$match": {"folded.city": "pune"}},
            {
                "$lookup": {
                    "from": "orders",
                    "localField": "_id",
                    "foreignField": "customer_id",
                    "pipeline": [{"$match": _recent(90)}, {"$limit": 1}],
                    "as": "orders",
                }
            },
            {"$match": {"orders": []}},
        ],
    ),
)


async def run(uri: str) -> list[Figure]:
    """Milliseconds to count each segment."""
    client: AsyncMongoClient[Record] = AsyncMongoClient(uri, tz_aware=True)
    async with client:
        database = client.get_database(DATABASE, codec_options=documents.CODEC_OPTIONS)
        try:
            await load(database)
            return await measure(database)
        finally:
            await client.drop_database(DATABASE)


async def load(database: AsyncDatabase[Record]) -> None:
    """Customers and orders, always the same; indexes are built afterwards, which is faster."""
    random = Random(1)
    for name, records in (("customers", _customers(random)), ("orders", _orders(random))):
        while chunk := list(islice(records, CHUNK)):
            await database[name].insert_many(chunk, ordered=False)
    await documents.prepare(database)


async def measure(database: AsyncDatabase[Record]) -> list[Figure]:
    """The figures of a database that is loaded, and that the documents are bound to."""
    return [await _race(case, database) for case in CASES]


async def _race(case: Case, database: AsyncDatabase[Record]) -> Figure:
    rules = query.parse(case.query)
    ours, raw = [], []
    for _ in range(TURNS):
        started = time.perf_counter()
        counted = await audience.count(rules, AS_OF)
        halfway = time.perf_counter()
        by_hand = await _count_by_hand(case, database)
        ours.append(halfway - started)
        raw.append(time.perf_counter() - halfway)
        if counted != by_hand:
            raise AssertionError(f"{case.query}: {counted:,} of ours, {by_hand:,} by hand")
    return Figure(case.query, statistics.median(ours) * 1000, statistics.median(raw) * 1000, "ms")


async def _count_by_hand(case: Case, database: AsyncDatabase[Record]) -> int:
    pipeline: list[Record] = [*case.by_hand, {"$count": "count"}]
    async with await database[case.collection].aggregate(pipeline, allowDiskUse=True) as counted:
        return sum([int(str(row["count"])) async for row in counted])


def _customers(random: Random) -> Iterator[Record]:
    for number in range(CUSTOMERS):
        city = CITIES[min(int(random.expovariate(0.05)), len(CITIES) - 1)]
        orders = int(random.expovariate(1 / 3))
        spend = Decimal(random.randrange(2_000_000) if orders else 0) / 100
        customer: Record = {
            "_id": _id(number),
            "external_id": f"c{number}",
            "name": f"Name {number % 5_000}",
            "email": f"c{number}@example.com",
            "phone": f"+9198{number:08d}",
            "city": city,
            "country": "IN",
            "tags": [] if number % 10 else ["vip"],
            "attributes": {"plan": "pro" if number % 2 else "free", "age": number % 80},
            "sms_consent": "SUBSCRIBED" if number % 3 else "UNKNOWN",
            "email_consent": "UNKNOWN",
            "total_spend": spend,
            "order_count": orders,
            "visit_count": orders,
            "average_order_value": (spend / max(orders, 1)).quantize(Decimal("0.01")),
            "created_at": NOW - timedelta(days=number % 900),
            "updated_at": NOW - timedelta(days=number % 300),
        }
        if orders:
            customer["last_purchase"] = NOW - timedelta(seconds=random.randrange(SECONDS_OF_HISTORY))
        yield customer | {"folded": documents.folded(customer)}


def _orders(random: Random) -> Iterator[Record]:
    for number in range(ORDERS):
        placed_at = NOW - timedelta(seconds=random.randrange(SECONDS_OF_HISTORY))
        amount = Decimal(random.randrange(100, 200_000)) / 100
        sku, category = f"S{number % 500}", CATEGORIES[number % len(CATEGORIES)]
        item = {"sku": sku, "category": category, "quantity": 1, "unit_price": amount}
        yield {
            "external_id": f"o{number}",
            # Some buy often: the customers of the low numbers.
            "customer_id": _id(int(CUSTOMERS * random.random() ** 1.5)),
            "placed_at": placed_at,
            "status": "COMPLETED" if number % 20 else "REFUNDED",
            "amount": amount,
            "currency": "USD",
            "items": [item | {"folded": {"sku": sku.lower(), "category": category.lower()}}],
            "item_count": 1,
            "payment": {"method": "upi", "status": "PAID", "refunded_amount": Decimal(0)},
            "folded": {"currency": "usd", "payment_method": "upi"},
            "created_at": placed_at,
            "updated_at": placed_at,
        }


def _id(number: int) -> ObjectId:
    return ObjectId(f"{number + 1:024x}")
