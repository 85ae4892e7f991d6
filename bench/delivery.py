"""Delivery through real processes: a campaign from its launch to its last receipt, ledger included.

Server, sender, simulated vendor and mongod share this machine. Times are the campaign's own: launched_at, planned_at,
completed_at. Processor time is each process's, and says what a message costs however busy the machine is with others.

Beside planning stands a `$merge` of the very messages that it wrote, into a collection with the same indexes; beside
sending, the raw driver making the same moves of them in bulk, with no transactions, counters or receipts, and the
vendor's id in each message.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from beanie import PydanticObjectId
from pymongo import AsyncMongoClient, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

import documents
from bench import cpu
from bench.figures import Figure
from documents import Campaign, Customer, Message
from tests.end_to_end import campaigns
from tests.product import Product

SIZES = (10_000, 100_000)
LARGEST_RAW = 100_000  # above it, what is of interest is whether a message of ours costs what it did
INSERTED_AT_ONCE = 10_000
MOVED_AT_ONCE = 500
LATENCY_MS = "50"
POLL_SECONDS = 0.1
LONGEST_SECONDS_EACH = 0.003
BODY = 'Hi {{ customer.firstName | default: "there" }}, 20% off everything in {{ customer.city }} this weekend!'

Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class Work:
    """What some work took: the time of the clock, and every process's time on the processor."""

    seconds: float
    cpu: dict[str, float]  # microseconds a message

    def rate(self, size: int) -> float:
        """Messages a second; 0 when nothing was done."""
        return size / self.seconds if self.seconds else 0


NOTHING = Work(0, {})


async def run(uri: str, *sizes: int) -> list[Figure]:
    """Planning, sending, their processor time and the memory of the server, for each size."""
    figures = []
    for size in sizes or SIZES:
        async with _product(uri) as (product, database):
            await _people(size)
            planning, sending = await _campaign(product, database, size)
            merging, moving = await _raw(database, size) if size <= LARGEST_RAW else (NOTHING, NOTHING)
            memory = cpu.peak_megabytes(product.processes["server"].pid)
        overall = planning.seconds + sending.seconds
        figures += [
            Figure(f"planning {size:,} messages", planning.rate(size), merging.rate(size), "messages/s"),
            *_costs("planning", planning, merging),
            Figure(f"sending {size:,} messages", sending.rate(size), moving.rate(size), "messages/s"),
            *_costs("sending", sending, moving),
            Figure(f"{size:,} messages, launch to last receipt", size / overall, 0, "messages/s"),
            Figure("  all processes", sum(planning.cpu.values()) + sum(sending.cpu.values()), 0, "µs/message"),
            Figure(f"server's memory after {size:,} messages", memory, 0, "MB"),
        ]
    return figures


def _costs(what: str, work: Work, raw: Work) -> list[Figure]:
    return [
        Figure(f"  {what}: {name}", micros, raw.cpu.get(name, 0), "µs/message") for name, micros in work.cpu.items()
    ]


@asynccontextmanager
async def _product(uri: str) -> AsyncIterator[tuple[Product, AsyncDatabase[Record]]]:
    client: AsyncMongoClient[Record] = AsyncMongoClient(uri, tz_aware=True)
    name = "bench_delivery"
    with tempfile.TemporaryDirectory() as folder:
        async with client:
            await client.drop_database(name)
            await documents.prepare(client.get_database(name))
            environment = {"MONGODB_URI": uri.replace("/?", f"/{name}?"), "VENDOR_SIM_LATENCY_MS": LATENCY_MS}
            product = Product(Path(folder), environment)
            try:
                await product.start()
                yield product, client.get_database(name)
            finally:
                await product.stop_all()
                await client.drop_database(name)


async def _people(count: int) -> None:
    for start in range(0, count, INSERTED_AT_ONCE):
        rows = [_person(number) for number in range(start, min(start + INSERTED_AT_ONCE, count))]
        await Customer.get_pymongo_collection().insert_many(rows, ordered=False)


def _person(number: int) -> Record:
    return {"_id": PydanticObjectId(), **_anybody(), "name": f"Person {number}", "phone": f"+9198{number:08}"}


@cache
def _anybody() -> Record:
    anybody: Record = Customer(name="", phone="", city="Pune").model_dump(exclude={"id"}, exclude_none=True)
    return anybody


async def _campaign(product: Product, database: AsyncDatabase[Record], size: int) -> tuple[Work, Work]:
    """What planning and sending a campaign to all of them took."""
    pids = {"mongod": await _mongod(database), **{name: each.pid for name, each in product.processes.items()}}
    api = await product.sign_up()
    longest = 60 + size * LONGEST_SECONDS_EACH
    launched = cpu.used(pids)
    campaign_id = PydanticObjectId(await campaigns.launch(api, body=BODY))
    async with asyncio.timeout(longest):
        await _until(campaign_id, "planned_at")
        planned = cpu.used(pids)
        campaign = await _until(campaign_id, "completed_at")
    completed = cpu.used(pids)
    assert campaign.launched_at
    assert campaign.planned_at
    assert campaign.completed_at
    return (
        Work(_seconds(campaign.launched_at, campaign.planned_at), cpu.micros_each(launched, planned, size)),
        Work(_seconds(campaign.planned_at, campaign.completed_at), cpu.micros_each(planned, completed, size)),
    )


async def _until(campaign_id: PydanticObjectId, moment: str) -> Campaign:
    """The campaign once that has come. Asks MongoDB itself, so that asking costs the server nothing."""
    while True:
        campaign = await Campaign.find_one({"_id": campaign_id, moment: {"$type": "date"}})
        if campaign:
            return campaign
        await asyncio.sleep(POLL_SECONDS)


async def _raw(database: AsyncDatabase[Record], size: int) -> tuple[Work, Work]:
    """What MongoDB itself takes to write the same messages, and the raw driver to move them as sending does."""
    raw = database["raw_messages"]
    await raw.create_indexes([field.index for field in Message.get_settings().indexes])
    ids = [message["_id"] async for message in Message.get_pymongo_collection().find({}, ["_id"]).sort("_id")]
    pids = {"mongod": await _mongod(database), "server": os.getpid()}
    return await _measured(pids, size, lambda: _merge(raw)), await _measured(pids, size, lambda: _move(raw, ids))


async def _measured(pids: dict[str, int], size: int, work: Callable[[], Awaitable[None]]) -> Work:
    before, started = cpu.used(pids), time.perf_counter()
    await work()
    return Work(time.perf_counter() - started, cpu.micros_each(before, cpu.used(pids), size))


async def _merge(raw: AsyncCollection[Record]) -> None:
    await (await Message.get_pymongo_collection().aggregate([{"$merge": {"into": raw.name}}])).to_list()


async def _move(raw: AsyncCollection[Record], ids: list[object]) -> None:
    for at in range(0, len(ids), MOVED_AT_ONCE):
        batch = ids[at : at + MOVED_AT_ONCE]
        now = documents.now()
        await raw.update_many(
            {"_id": {"$gte": batch[0], "$lte": batch[-1]}},
            {"$set": {"status": "SENDING", "updated_at": now}, "$inc": {"attempts": 1}},
        )
        sent = {"status": "SENT", "sent_at": now, "updated_at": now}
        await _set(raw, [(id_, {**sent, "vendor_message_id": f"vnd_{hash(id_):016x}"}) for id_ in batch])
        delivered = {"status": "DELIVERED", "delivered_at": now, "updated_at": now}
        await _set(raw, [(id_, delivered) for id_ in batch])


async def _set(raw: AsyncCollection[Record], changes: Iterable[tuple[object, Record]]) -> None:
    await raw.bulk_write([UpdateOne({"_id": id_}, {"$set": fields}) for id_, fields in changes], ordered=False)


async def _mongod(database: AsyncDatabase[Record]) -> int:
    return int((await database.command("serverStatus"))["pid"])


def _seconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()
