"""Campaigns to deliver, and a vendor that does what a test wants: a program at the process boundary."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import httpx
import orjson
import pytest
from beanie import PydanticObjectId

import documents
from delivery import Setup, answers, batches, campaigns, dispatcher, planning, tallies
from delivery.deciding import Member
from delivery.live import Feed
from delivery.tallies import Stats
from delivery.vendor import Answer, Vendor
from documents import Campaign, CampaignStatus, Customer, Message, Variant

WAIT_SECONDS = 20
CALLBACK = "http://test/webhooks/delivery-receipts"
SETUP = Setup(backoff=timedelta(milliseconds=20), longest_backoff=timedelta(milliseconds=100))

_number = itertools.count(1)


async def customers(count: int, **fields: object) -> list[PydanticObjectId]:
    """So many customers that can be written to, unless the fields say otherwise."""
    ids = [PydanticObjectId() for _ in range(count)]
    rows = []
    for id_, number in zip(ids, _number, strict=False):
        row = {"_id": id_, "name": f"Person {number}", "phone": f"+9198{number:08}", **fields}
        rows.append({name: value for name, value in row.items() if value is not None})
    await Customer.get_pymongo_collection().insert_many(rows)
    return ids


async def a_campaign(audience: int = 0, **fields: object) -> Campaign:
    """A draft of a campaign to everyone there is, after so many more have come in."""
    if audience:
        await customers(audience)
    segment = documents.Segment(name="All", name_folded="all", rules={"combinator": "and", "rules": []})
    await segment.insert()
    body = str(fields.pop("body", "Hi {{ customer.firstName }}"))
    values = {"name": "Diwali", "name_folded": "diwali", "variants": [Variant(name="A", body=body)], **fields}
    campaign: Campaign = Campaign.model_validate({"segment_id": segment.id, **values})
    await campaign.insert()
    return campaign


async def everyone(
    campaign: Campaign, after: PydanticObjectId | None, fields: Sequence[str]
) -> AsyncIterator[Sequence[Member]]:
    """Every customer, in short steps."""
    which = {"_id": {"$gt": after}} if after else {}
    found = await Customer.get_pymongo_collection().find(which, fields).sort("_id").to_list()
    for at in range(0, len(found), 100):
        yield found[at : at + 100]


async def launched(audience: int = 0, setup: Setup = SETUP, **fields: object) -> Campaign:
    """A campaign that is planned, and running."""
    campaign = await a_campaign(audience, **fields)
    await campaigns.launch(campaign.id, documents.now())
    await dispatcher.plan_due(setup, everyone)
    return await now_of(campaign)


async def now_of(campaign: Campaign) -> Campaign:
    """The campaign as it is stored now."""
    stored = await Campaign.get(campaign.id)
    assert stored
    return stored


async def stats_of(campaign: Campaign) -> Stats:
    """Its counters."""
    return (await tallies.stats([campaign.id]))[campaign.id]


async def messages_of(campaign: Campaign) -> list[Message]:
    """Its messages, in the order of their ids."""
    return await Message.find(documents.messages_of(campaign.id)).sort("+_id").to_list()


Handler = Callable[[dict[str, object]], Awaitable[httpx.Response]]


@dataclass(slots=True)
class ScriptedVendor:
    """Answers with the next of `script`, then accepts everything. Keeps what it was sent."""

    script: list[Callable[[list[dict[str, str]]], httpx.Response | Exception]] = field(default_factory=list)
    calls: list[list[str]] = field(default_factory=list)
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    @property
    def times_sent(self) -> Counter[str]:
        """How often each key was sent."""
        return Counter(itertools.chain.from_iterable(self.calls))

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        messages = orjson.loads(request.content)["messages"]
        async with self.heard:
            self.calls.append([message["messageId"] for message in messages])
            self.heard.notify_all()
        await self.gate.wait()
        answer = self.script.pop(0)(messages) if self.script else accepting(messages)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def until_calls(self, count: int) -> None:
        """Wait until it was called so often."""
        async with asyncio.timeout(WAIT_SECONDS), self.heard:
            await self.heard.wait_for(lambda: len(self.calls) >= count)

    def client(self) -> Vendor:
        """The product's client of this vendor."""
        return Vendor("http://vendor", None, CALLBACK, transport=httpx.MockTransport(self))


def accepting(messages: list[dict[str, str]]) -> httpx.Response:
    """All accepted."""
    accepted = [{"messageId": m["messageId"], "vendorMessageId": f"vnd_{m['messageId']}"} for m in messages]
    return httpx.Response(202, json={"accepted": accepted, "rejected": []})


def refusing(code: str, *, permanent: bool) -> Callable[[list[dict[str, str]]], httpx.Response]:
    """All refused."""

    def answer(messages: list[dict[str, str]]) -> httpx.Response:
        rows = [{"messageId": m["messageId"], "code": code, "reason": "no", "permanent": permanent} for m in messages]
        return httpx.Response(202, json={"accepted": [], "rejected": rows})

    return answer


def failing(status: int, **headers: str) -> Callable[[list[dict[str, str]]], httpx.Response]:
    """The call as a whole answered with this status."""
    return lambda messages: httpx.Response(status, headers=headers)


@pytest.fixture
def vendor() -> ScriptedVendor:
    """A vendor that accepts everything, until it is given a script."""
    return ScriptedVendor()


@dataclass(slots=True)
class Running:
    """Delivery at work in the background."""

    feed: Feed
    stop: asyncio.Event

    async def until(self, campaign: Campaign, *statuses: CampaignStatus) -> Campaign:
        """Watch a campaign until it has one of these statuses."""
        async with asyncio.timeout(WAIT_SECONDS):
            async for progress in self.feed.progress(campaign.id):
                if progress.campaign.status in statuses:
                    return progress.campaign
        raise AssertionError(f"ended as {(await now_of(campaign)).status}")

    async def until_stats(self, campaign: Campaign, reached: Callable[[Stats], bool]) -> Stats:
        """Watch a campaign until this holds of its counters."""
        async with asyncio.timeout(WAIT_SECONDS):
            async for progress in self.feed.progress(campaign.id):
                if reached(progress.stats):
                    return progress.stats
        raise AssertionError(f"ended with {await stats_of(campaign)}")


@asynccontextmanager
async def at_work(
    vendor: ScriptedVendor, setup: Setup = SETUP, walk: planning.Walk = everyone
) -> AsyncIterator[Running]:
    """Delivery's background work, stopped at the end as SIGTERM does it."""
    feed, stop = Feed(), asyncio.Event()
    async with vendor.client() as client, asyncio.TaskGroup() as group:
        feeding = group.create_task(feed.run())
        working = group.create_task(dispatcher.run(setup, client, walk, stop, Random(1)))
        try:
            yield Running(feed, stop)
        finally:
            stop.set()
            await asyncio.wait([working], timeout=WAIT_SECONDS)
            feeding.cancel()


async def sent(audience: int = 0, **fields: object) -> Campaign:
    """A campaign whose messages the vendor has accepted; their receipts are awaited."""
    campaign = await launched(audience, SETUP, **fields)
    now = documents.now()
    while claimed := await batches.claim(campaign.id, limit=500, rate=None, lease=SETUP.lease, now=now):
        answer = Answer({message["_id"]: f"vnd_{message['_id']}" for message in claimed.messages})
        await answers.record(claimed, answer, max_attempts=5, retry_at=now, now=now)
    return await now_of(campaign)
