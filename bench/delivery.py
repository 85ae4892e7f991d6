"""Delivery through real processes: a campaign from its launch to its last receipt, ledger included.

Server, sender, simulated vendor and mongod share this machine. Times are the campaign's own: launched_at, planned_at,
completed_at. The raw driver's figure for planning is a `$merge` of the very messages that planning wrote, into a
collection with the same indexes.
"""

import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from beanie import PydanticObjectId
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

import documents
from bench.figures import Figure
from documents import Campaign, Customer, Message
from tests.end_to_end import campaigns
from tests.product import Product

SIZES = (10_000, 100_000)
INSERTED_AT_ONCE = 10_000
LATENCY_MS = "50"
LONGEST_SECONDS = 600
BODY = 'Hi {{ customer.firstName | default: "there" }}, 20% off everything in {{ customer.city }} this weekend!'

Record = dict[str, object]


async def run(uri: str) -> list[Figure]:
    """Planning, sending and the memory of the server, for each size."""
    figures = []
    for size in SIZES:
        async with _product(uri) as (product, database):
            await _people(size)
            campaign = await _campaign(product)
            if not (campaign.launched_at and campaign.planned_at and campaign.completed_at):
                raise RuntimeError(f"campaign {campaign.id} has not completed")
            planning = _seconds(campaign.launched_at, campaign.planned_at)
            overall = _seconds(campaign.launched_at, campaign.completed_at)
            merging = await _merge(database)
            figures += [
                Figure(f"planning {size:,} messages", size / planning, size / merging, "messages/s"),
                Figure(f"{size:,} messages, launch to last receipt", size / overall, 0, "messages/s"),
                Figure(f"server's memory after {size:,} messages", _peak_megabytes(product), 0, "MB"),
            ]
    return figures


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
    person = Customer(name=f"Person {number}", phone=f"+9198{number:08}", city="Pune")
    return {"_id": person.id, **person.model_dump(exclude={"id"}, exclude_none=True)}


async def _campaign(product: Product) -> Campaign:
    """A campaign to all of them, once it has completed."""
    api = await product.sign_up()
    campaign_id = PydanticObjectId(await campaigns.launch(api, body=BODY))
    await campaigns.until(api, str(campaign_id), lambda now: now.status == "COMPLETED", LONGEST_SECONDS)
    campaign = await Campaign.get(campaign_id)
    assert campaign
    return campaign


async def _merge(database: AsyncDatabase[Record]) -> float:
    """How many seconds MongoDB itself takes to write the same messages."""
    raw = database["raw_messages"]
    await raw.create_indexes([field.index for field in Message.get_settings().indexes])
    started = time.perf_counter()
    await (await Message.get_pymongo_collection().aggregate([{"$merge": {"into": raw.name}}])).to_list()
    return time.perf_counter() - started


def _seconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()


def _peak_megabytes(product: Product) -> float:
    status = Path(f"/proc/{product.processes['server'].pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
