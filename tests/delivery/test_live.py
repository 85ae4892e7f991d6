"""Live: the present state first, every change after it, and nothing held up or left behind by anybody."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator

import pytest
import pytest_asyncio
from beanie import PydanticObjectId

import documents
from delivery import campaigns, receipts
from delivery.live import Feed
from delivery.receipts import Report
from delivery.topic import REMEMBERED_CHANGES, Progress, Speed, Topic
from documents import Campaign, CampaignStatus, Message, MessageStatus, ReceiptStatus
from tests.commands import Commands
from tests.delivery.conftest import SETUP, a_campaign, launched, messages_of, sent

pytestmark = pytest.mark.usefixtures("database")


@pytest_asyncio.fixture
async def feed() -> AsyncIterator[Feed]:
    feed = Feed()
    running = asyncio.create_task(feed.run())
    yield feed
    running.cancel()
    await asyncio.wait([running])


async def deliver(*messages: Message) -> None:
    at = documents.now()
    await receipts.apply([Report(f"r-{m.id}", m.id, ReceiptStatus.DELIVERED, at) for m in messages], at)


async def complete(campaign: Campaign) -> None:
    assert await campaigns.complete_if_done(campaign.id, SETUP.receipt_timeout, documents.now())


async def rename(campaign: Campaign, name: str) -> None:
    await Campaign.get_pymongo_collection().update_one({"_id": campaign.id}, {"$set": {"name": name}})


async def hears_of(watching: AsyncGenerator[Progress], name: str) -> Progress:
    """The first event that tells of this name."""
    async with asyncio.timeout(20):
        while (progress := await anext(watching)).campaign.name != name:
            pass
    return progress


async def test_progress_begins_with_the_present_and_ends_with_the_end(feed: Feed) -> None:
    campaign = await sent(audience=3)
    seen: list[Progress] = []
    async with asyncio.timeout(20):
        async for progress in feed.progress(campaign.id):
            if not seen:
                await deliver(*await messages_of(campaign))
                await complete(campaign)
            seen.append(progress)
    assert (seen[0].campaign.status, seen[0].stats.sent) == (CampaignStatus.RUNNING, 3)
    assert (seen[-1].campaign.status, seen[-1].stats.delivered) == (CampaignStatus.COMPLETED, 3)


async def test_progress_of_nothing_is_nothing(feed: Feed) -> None:
    assert [progress async for progress in feed.progress(PydanticObjectId())] == []


async def test_progress_comes_at_most_ten_times_a_second(feed: Feed) -> None:
    campaign = await launched(audience=1)
    stop = asyncio.Event()

    async def change() -> None:
        while not stop.is_set():
            await Campaign.get_pymongo_collection().update_one({"_id": campaign.id}, {"$inc": {"n": 1}})

    changing = asyncio.create_task(change())
    started = time.monotonic()
    count = 0
    async for _ in feed.progress(campaign.id):
        count += 1
        if time.monotonic() - started > 1:
            break
    stop.set()
    await changing
    assert 5 <= count <= 12


async def test_a_thousand_watch_one_campaign_and_see_the_same_end(feed: Feed) -> None:
    campaign = await sent(audience=20)
    messages = await messages_of(campaign)
    begun = asyncio.Semaphore(0)

    async def watch() -> Progress:
        last = None
        async for progress in feed.progress(campaign.id):
            if last is None:
                begun.release()
            last = progress
        assert last
        return last

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        watching = [group.create_task(watch()) for _ in range(1000)]
        for _ in watching:
            await begun.acquire()
        await deliver(*messages)
        await complete(campaign)
    assert Counter(task.result().campaign.status for task in watching) == {CampaignStatus.COMPLETED: 1000}
    assert Counter(task.result().stats.delivered for task in watching) == {20: 1000}


async def test_what_a_hundred_hear_is_read_once_for_all(feed: Feed, commands: Commands) -> None:
    campaign = await sent(audience=2)
    watching = [feed.progress(campaign.id) for _ in range(100)]
    await asyncio.gather(*(anext(each) for each in watching))
    commands.names.clear()
    heard = await asyncio.gather(*(hears_of(each, "renamed") for each in watching), rename(campaign, "renamed"))
    assert len({id(progress) for progress in heard if progress}) == 1, "the same event, and not merely an equal one"
    assert len(commands.names) < 20, commands.names
    await asyncio.gather(*(each.aclose() for each in watching))


async def test_a_reader_who_pauses_hears_of_the_last_change_alone(feed: Feed) -> None:
    campaign = await sent(audience=1)
    pausing, other = feed.progress(campaign.id), feed.progress(campaign.id)
    await asyncio.gather(anext(pausing), anext(other))
    for number in range(5):
        await asyncio.gather(hears_of(other, f"name {number}"), rename(campaign, f"name {number}"))
    assert (await anext(pausing)).campaign.name == "name 4"
    await asyncio.gather(pausing.aclose(), other.aclose())


async def test_leaving_leaves_no_task_behind(feed: Feed) -> None:
    campaign = await launched(audience=1)
    before = asyncio.all_tasks()
    watching = [feed.progress(campaign.id) for _ in range(10)]
    await asyncio.gather(*(anext(each) for each in watching))
    for each in watching:
        await each.aclose()
    reading = feed.messages(campaign.id, ())
    waiting = asyncio.create_task(anext(reading))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    await reading.aclose()
    if left := asyncio.all_tasks() - before:
        _, undone = await asyncio.wait(left, timeout=5)
        assert not undone


async def test_messages_are_told_as_they_are_and_as_they_change_until_the_end(feed: Feed) -> None:
    campaign = await sent(audience=30)
    messages = await messages_of(campaign)
    told: list[list[str]] = []
    async with asyncio.timeout(20):
        async for changed in feed.messages(campaign.id, ()):
            if not told:
                await deliver(*messages)
                await complete(campaign)
            told.append([str(message["status"]) for message in changed])
    assert told[0] == ["SENT"] * 30
    assert Counter(status for statuses in told[1:] for status in statuses) == {"DELIVERED": 30}


async def test_all_who_read_messages_get_the_same_list(feed: Feed) -> None:
    campaign = await sent(audience=3)
    first, *others = await messages_of(campaign)
    await deliver(first)
    reading = [feed.messages(campaign.id, {MessageStatus.DELIVERED}) for _ in range(20)]
    async with asyncio.timeout(20):
        await asyncio.gather(*(anext(each) for each in reading))
        lists, _ = await asyncio.gather(asyncio.gather(*(anext(each) for each in reading)), deliver(*others))
    assert len({id(each) for each in lists}) == 1
    await asyncio.gather(*(each.aclose() for each in reading))


async def test_only_the_statuses_asked_for_are_told(feed: Feed) -> None:
    campaign = await sent(audience=4)
    first, second, *_ = await messages_of(campaign)
    await deliver(first)
    reading = feed.messages(campaign.id, {MessageStatus.DELIVERED})
    async with asyncio.timeout(20):
        assert [message["_id"] for message in await anext(reading)] == [first.id]
        await deliver(second)
        assert [message["_id"] for message in await anext(reading)] == [second.id]
    await reading.aclose()


async def test_two_processes_see_the_same(feed: Feed) -> None:
    campaign = await sent(audience=2)
    messages = await messages_of(campaign)
    other = Feed()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = group.create_task(other.run())
        here, there = feed.progress(campaign.id), other.progress(campaign.id)
        assert (await anext(here)).stats == (await anext(there)).stats
        await deliver(*messages)
        for progress in (here, there):
            while (await anext(progress)).stats.delivered < 2:
                pass
            await progress.aclose()
        running.cancel()


async def test_a_reader_who_is_far_behind_is_told_of_the_latest_changes_alone() -> None:
    campaign = await a_campaign()
    topic = Topic(campaign.id)
    for number in range(REMEMBERED_CHANGES + 5):
        topic.touch(f"{campaign.id}-{number}")
    for _ in range(1000):
        topic.touch(f"{campaign.id}-7")
    await topic.rung_since(0)
    reached, changed = await topic.messages_since(0)
    assert reached < topic.version, "the rest comes in further lists"
    assert changed == [], "none of them is stored"


async def test_messages_that_were_forgotten_while_they_were_read_are_not_kept() -> None:
    campaign = await launched(audience=5)
    topic = Topic(campaign.id)
    for message in await messages_of(campaign):
        topic.touch(message.id)
    await topic.rung_since(0)
    reading = asyncio.create_task(topic.messages_since(0))
    await asyncio.sleep(0)
    for number in range(REMEMBERED_CHANGES):
        topic.touch(f"{campaign.id}-{number}")
    _, changed = await reading
    assert len(changed) == 5
    assert not topic._messages


def test_the_speed_is_that_of_the_last_seconds() -> None:
    speed = Speed()
    assert speed.note(0.0, 0) is None
    assert speed.note(1.0, 100) == 100
    for second in range(2, 20):
        latest = speed.note(float(second), 100 + (second - 1) * 10)
    assert latest == 10
