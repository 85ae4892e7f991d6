"""Sending: every message is handed over under one key until the vendor has spoken, and no faster than is allowed."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import httpx
import pytest
from beanie import PydanticObjectId

import documents
import errors
from delivery import answers, batches, campaigns, dispatcher, ledger, receipts
from delivery.batches import Claim
from delivery.bell import Bell
from delivery.breaker import FEWEST_CALLS_DOWN
from delivery.deciding import Member
from delivery.receipts import Report
from delivery.sender import Sender
from delivery.vendor import Answer, Refusal, key_of
from documents import Campaign, CampaignStatus, Message, MessageStatus, ReceiptStatus
from tests.commands import Commands
from tests.delivery.conftest import (
    SETUP,
    ScriptedVendor,
    a_campaign,
    accepting,
    at_work,
    everyone,
    failing,
    launched,
    messages_of,
    now_of,
    refusing,
    sent,
    stats_of,
)

pytestmark = pytest.mark.usefixtures("database")


async def claim(campaign: Campaign, limit: int = 500, after: timedelta = timedelta(0)) -> Claim | None:
    now = documents.now() + after
    return await batches.claim(campaign.id, limit=limit, rate=None, lease=SETUP.lease, now=now)


async def report_all(campaign: Campaign, status: ReceiptStatus) -> None:
    at = documents.now()
    reports = [Report(f"{status}-{m.id}-{m.life}", m.id, status, at) for m in await messages_of(campaign)]
    await receipts.apply(reports, at)


async def test_a_campaign_is_sent_and_completes_with_its_last_receipt(vendor: ScriptedVendor) -> None:
    campaign = await a_campaign(audience=1200)
    await campaigns.launch(campaign.id, documents.now())
    async with at_work(vendor) as work:
        await work.until_stats(campaign, lambda stats: stats.sent == 1200)
        await report_all(campaign, ReceiptStatus.DELIVERED)
        ended = await work.until(campaign, CampaignStatus.COMPLETED)
    assert ended.completed_at
    assert set(vendor.times_sent.values()) == {1}
    assert len(vendor.times_sent) == 1200
    messages = await messages_of(campaign)
    assert {message.attempts for message in messages} == {1}
    assert await ids_at_vendor(messages) == {message.id: f"vnd_{message.id}" for message in messages}
    assert (await ledger.verify(campaign.id)).consistent


async def test_an_empty_audience_completes_at_once(vendor: ScriptedVendor) -> None:
    campaign = await a_campaign()
    await campaigns.launch(campaign.id, documents.now())
    async with at_work(vendor) as work:
        await work.until(campaign, CampaignStatus.COMPLETED)


async def test_a_campaign_does_not_wait_for_receipts_for_ever() -> None:
    campaign = await sent(audience=1)
    now = documents.now()
    assert not await campaigns.complete_if_done(campaign.id, timedelta(seconds=60), now + timedelta(seconds=59))
    assert await campaigns.complete_if_done(campaign.id, timedelta(seconds=60), now + timedelta(seconds=61))
    assert (await stats_of(campaign)).sent == 1


async def ids_at_vendor(messages: Sequence[Message]) -> dict[str, str]:
    accepted = [(message.call_id, key_of(message.id, message.life)) for message in messages if message.call_id]
    return {key: vendor_id for (_, key), vendor_id in (await answers.ids_at_vendor(accepted)).items()}


@pytest.mark.parametrize(
    "failure", [failing(500), failing(429, **{"Retry-After": "0"}), lambda _: httpx.ConnectError("down")]
)
async def test_a_failed_call_is_made_again_under_the_same_keys(vendor: ScriptedVendor, failure: object) -> None:
    vendor.script = [failure, failure]  # type: ignore[list-item]  # the parameters are what a script is made of
    campaign = await launched(audience=20)
    async with at_work(vendor) as work:
        await work.until_stats(campaign, lambda stats: stats.sent == 20)
    assert len(vendor.times_sent) == 20
    assert {message.attempts for message in await messages_of(campaign)} <= {1, 2, 3}


async def test_the_vendor_is_left_alone_for_as_long_as_it_asks(vendor: ScriptedVendor) -> None:
    vendor.script = [failing(429, **{"Retry-After": "200"})]
    campaign = await launched(audience=3)
    asked = documents.now()
    async with at_work(vendor) as work:
        await vendor.until_calls(1)
        await work.until_stats(campaign, lambda stats: stats.pending == 3)
    due_at = await batches.next_due([campaign.id])
    assert due_at
    assert due_at >= asked + timedelta(seconds=200)
    assert len(vendor.calls) == 1


async def test_a_vendor_that_wants_it_slower_fails_no_message(vendor: ScriptedVendor) -> None:
    vendor.script = [failing(429)] * 12
    campaign = await launched(audience=30)
    async with at_work(vendor) as work:
        await work.until_stats(campaign, lambda stats: stats.sent == 30)
    assert [len(call) for call in vendor.calls] == [30] * 13
    assert {message.attempts for message in await messages_of(campaign)} == {1}
    assert (await ledger.verify(campaign.id)).consistent


async def test_out_of_attempts_is_failed_with_the_vendors_reason(vendor: ScriptedVendor) -> None:
    vendor.script = [failing(500)] * 5
    campaign = await launched(audience=3)
    async with at_work(vendor) as work:
        await work.until(campaign, CampaignStatus.COMPLETED)
    message = (await messages_of(campaign))[0]
    assert (message.status, message.attempts, message.failure_code) == (MessageStatus.FAILED, 5, "VENDOR_500")
    assert len(vendor.calls) == 5


async def test_a_refusal_for_good_fails_that_message_alone(vendor: ScriptedVendor) -> None:
    campaign = await launched(audience=2)
    claimed = await claim(campaign)
    assert claimed
    first, second = (message["_id"] for message in claimed.messages)
    refusal = Refusal("INVALID_RECIPIENT", "no such number", permanent=True)
    now = documents.now()
    await answers.record(claimed, Answer({second: "vnd"}, {first: refusal}), max_attempts=5, retry_at=now, now=now)
    one, two = await messages_of(campaign)
    assert (one.status, one.failure_code, one.attempts) == (MessageStatus.FAILED, "INVALID_RECIPIENT", 1)
    assert two.status is MessageStatus.SENT


async def test_an_answer_moves_what_no_receipt_has_moved_and_tells_the_vendors_id_of_all() -> None:
    campaign = await launched(audience=3)
    claimed = await claim(campaign)
    assert claimed
    first, second, third = (message["_id"] for message in claimed.messages)
    now = documents.now()
    await receipts.apply([Report("r", second, ReceiptStatus.DELIVERED, now)], now)
    answer = Answer({first: "vnd-1", second: "vnd-2"}, {third: Refusal("NO", "no", permanent=True)})
    await answers.record(claimed, answer, max_attempts=5, retry_at=now, now=now)
    messages = await messages_of(campaign)
    assert [message.status for message in messages] == ["SENT", "DELIVERED", "FAILED"]
    assert await ids_at_vendor(messages) == {first: "vnd-1", second: "vnd-2"}
    assert (await ledger.verify(campaign.id)).consistent


async def test_a_refusal_for_now_is_tried_again(vendor: ScriptedVendor) -> None:
    vendor.script = [refusing("BUSY", permanent=False)]
    campaign = await launched(audience=4)
    async with at_work(vendor) as work:
        await work.until_stats(campaign, lambda stats: stats.sent == 4)
    assert set(vendor.times_sent.values()) == {2}


async def test_a_lease_that_ran_out_is_taken_over_and_the_first_owner_writes_nothing() -> None:
    campaign = await launched(audience=5)
    first = await claim(campaign)
    assert first
    assert await claim(campaign) is None
    second = await claim(campaign, after=SETUP.lease)
    assert second
    assert [m["_id"] for m in second.messages] == [m["_id"] for m in first.messages]
    now = documents.now()
    with pytest.raises(batches.LeaseLost):
        await answers.record(first, Answer(), max_attempts=5, retry_at=now, now=now)
    answer = Answer({message["_id"]: "vnd" for message in second.messages})
    await answers.record(second, answer, max_attempts=5, retry_at=now, now=now)
    assert {(m.status, m.attempts) for m in await messages_of(campaign)} == {(MessageStatus.SENT, 1)}
    assert (await ledger.verify(campaign.id)).consistent


async def test_a_smaller_claim_leaves_the_rest_of_the_batch_due() -> None:
    campaign = await launched(audience=10)
    sizes = []
    while claimed := await claim(campaign, limit=4):
        sizes.append(len(claimed.messages))
        now = documents.now()
        answer = Answer({message["_id"]: "vnd" for message in claimed.messages})
        await answers.record(claimed, answer, max_attempts=5, retry_at=now, now=now)
    assert sizes == [4, 4, 2]


async def test_many_claim_at_once_and_nobody_gets_what_another_has() -> None:
    campaign = await launched(audience=1000)
    claims = [claimed for claimed in await asyncio.gather(*(claim(campaign) for _ in range(20))) if claimed]
    claimed_ids = Counter(message["_id"] for claimed in claims for message in claimed.messages)
    assert len(claimed_ids) == 1000
    assert set(claimed_ids.values()) == {1}
    assert (await stats_of(campaign)).sending == 1000


async def test_a_rate_holds_over_all_who_claim() -> None:
    campaign = await launched(audience=1000, rate_per_second=100)
    start = documents.now()
    taken = 0
    for tick in range(0, 2000, 50):
        at = start + timedelta(milliseconds=tick)
        claimed = await batches.claim(campaign.id, limit=500, rate=100, lease=SETUP.lease, now=at)
        if claimed is not None:
            taken += len(claimed.messages)
            await batches.hand_back(claimed, at)
    assert 190 <= taken <= 220


async def test_nothing_is_claimed_of_a_paused_campaign() -> None:
    campaign = await launched(audience=5)
    await campaigns.pause(campaign.id, documents.now())
    assert await claim(campaign) is None
    await campaigns.resume(campaign.id, documents.now())
    assert await claim(campaign)


async def test_cancelling_calls_off_what_is_pending_and_lets_calls_under_way_end() -> None:
    campaign = await launched(audience=1100)
    claimed = await claim(campaign)
    assert claimed
    cancelled = await campaigns.cancel(campaign.id, documents.now())
    assert cancelled.status is CampaignStatus.CANCELLED
    stats = await stats_of(campaign)
    assert (stats.sending, stats.cancelled) == (len(claimed.messages), 1100 - len(claimed.messages))
    now = documents.now()
    refusal = Refusal("BUSY", "later", permanent=False)
    answer = Answer({}, {message["_id"]: refusal for message in claimed.messages})
    await answers.record(claimed, answer, max_attempts=5, retry_at=now + timedelta(hours=1), now=now)
    await campaigns.settle(campaign.id, documents.now())
    assert (await stats_of(campaign)).cancelled == 1100
    assert not (await now_of(campaign)).unsettled
    assert (await ledger.verify(campaign.id)).consistent


@pytest.mark.parametrize("status", [CampaignStatus.DRAFT, CampaignStatus.SCHEDULED])
async def test_what_was_not_launched_is_cancelled_and_never_launches(status: CampaignStatus) -> None:
    campaign = await a_campaign(audience=2, status=status, scheduled_at=documents.now())
    await campaigns.cancel(campaign.id, documents.now())
    await dispatcher.plan_due(SETUP, everyone)
    assert (await now_of(campaign)).status is CampaignStatus.CANCELLED
    assert await messages_of(campaign) == []


async def test_a_planning_that_is_cancelled_stops_and_calls_off_what_it_had_planned() -> None:
    campaign = await a_campaign(audience=350)

    async def cancelled_at_the_third_step(
        campaign: Campaign, after: PydanticObjectId | None, fields: Sequence[str]
    ) -> AsyncIterator[Sequence[Member]]:
        steps = 0
        async for members in everyone(campaign, after, fields):
            if (steps := steps + 1) == 3:
                await campaigns.cancel(campaign.id, documents.now())
            yield members

    await campaigns.launch(campaign.id, documents.now())
    await dispatcher.plan_due(SETUP, cancelled_at_the_third_step)
    assert (await now_of(campaign)).status is CampaignStatus.CANCELLED
    stats = await stats_of(campaign)
    assert stats.cancelled == stats.audience
    assert 100 <= stats.audience <= 200, "whole steps"
    assert (await ledger.verify(campaign.id)).consistent


async def test_a_paused_campaign_is_cancelled_and_what_has_ended_is_not() -> None:
    campaign = await launched(audience=3)
    await campaigns.pause(campaign.id, documents.now())
    await campaigns.cancel(campaign.id, documents.now())
    assert (await stats_of(campaign)).cancelled == 3
    with pytest.raises(errors.IllegalState, match="The campaign is CANCELLED"):
        await campaigns.cancel(campaign.id, documents.now())


async def test_a_message_that_was_called_off_and_delivered_all_the_same_is_delivered() -> None:
    campaign = await launched(audience=1)
    assert await claim(campaign)
    await campaigns.cancel(campaign.id, documents.now())
    await campaigns.settle(campaign.id, documents.now() + SETUP.lease)
    assert (await stats_of(campaign)).cancelled == 1, "its sender is dead"
    await report_all(campaign, ReceiptStatus.DELIVERED)
    assert (await stats_of(campaign)).delivered == 1
    assert (await ledger.verify(campaign.id)).consistent


async def test_retrying_what_failed_is_a_new_delivery(vendor: ScriptedVendor) -> None:
    campaign = await sent(audience=3)
    await report_all(campaign, ReceiptStatus.FAILED)
    assert await campaigns.complete_if_done(campaign.id, SETUP.receipt_timeout, documents.now())
    again = await campaigns.retry_failed(campaign.id, documents.now())
    assert (again.status, again.completed_at) == (CampaignStatus.RUNNING, None)
    assert (await stats_of(campaign)).pending == 3
    async with at_work(vendor) as work:
        await work.until_stats(campaign, lambda stats: stats.sent == 3)
    messages = await messages_of(campaign)
    assert set(vendor.times_sent) == {f"{message.id}~2" for message in messages}
    assert await ids_at_vendor(messages) == {f"{message.id}~2": f"vnd_{message.id}~2" for message in messages}
    assert (await ledger.verify(campaign.id)).consistent


async def test_a_move_that_has_to_be_made_again_is_told_once(
    commands: Commands, caplog: pytest.LogCaptureFixture
) -> None:
    campaign = await sent(audience=1)
    await report_all(campaign, ReceiptStatus.FAILED)
    batch = documents.Batch.get_pymongo_collection()
    commands.names.clear()
    with caplog.at_level(logging.INFO):
        async with batch.database.client.start_session() as session, await session.start_transaction():
            await batch.update_many({"campaign_id": campaign.id}, {"$set": {"failures": 0, "met": 1}}, session=session)
            retrying = asyncio.create_task(campaigns.retry_failed(campaign.id, documents.now()))
            async with asyncio.timeout(20):
                while commands.names.count("findAndModify") < 2:  # noqa: ASYNC110  # the driver's listener rings no bell
                    await asyncio.sleep(0)
        assert (await retrying).status is CampaignStatus.RUNNING
    assert caplog.text.count(f"campaign {campaign.id}: now RUNNING") == 1


async def test_an_illegal_move_says_what_the_state_is() -> None:
    campaign = await a_campaign()
    for move in (campaigns.pause, campaigns.resume, campaigns.retry_failed):
        with pytest.raises(errors.IllegalState, match="The campaign is DRAFT"):
            await move(campaign.id, documents.now())


async def test_calls_that_are_too_large_are_divided_until_they_are_not(vendor: ScriptedVendor) -> None:
    def with_room_for_three(messages: list[dict[str, str]]) -> httpx.Response:
        return accepting(messages) if len(messages) <= 3 else httpx.Response(413)

    vendor.script = [with_room_for_three] * 100
    campaign = await launched(audience=30)
    async with at_work(vendor) as work:
        await work.until_stats(campaign, lambda stats: stats.sent == 30)
    assert {message.attempts for message in await messages_of(campaign)} == {1}


async def test_an_outage_burns_no_attempts_and_the_campaign_says_why_it_waits(vendor: ScriptedVendor) -> None:
    setup = replace(SETUP, vendor_batch_size=10)
    vendor.script = [failing(500)] * 21
    campaign = await launched(400, setup)
    async with at_work(vendor, setup) as work:
        async for progress in work.feed.progress(campaign.id):
            if progress.campaign.status_reason:
                assert "cannot be reached" in progress.campaign.status_reason
                break
        await work.until_stats(campaign, lambda stats: stats.sent == 400)
    assert (await now_of(campaign)).status_reason is None
    assert max(message.attempts for message in await messages_of(campaign)) < 5


async def test_a_campaign_does_not_say_for_ever_what_a_process_that_died_was_waiting_for(
    vendor: ScriptedVendor,
) -> None:
    campaign = await launched(audience=3)
    await campaigns.explain("The vendor cannot be reached")
    async with at_work(vendor) as work:
        await work.until_stats(campaign, lambda stats: stats.sent == 3)
        async for progress in work.feed.progress(campaign.id):
            if progress.campaign.status_reason is None:
                break
    await campaigns.explain("The vendor cannot be reached")
    assert (await campaigns.pause(campaign.id, documents.now())).status_reason is None


async def test_a_stop_forgives_calls_that_are_somebody_elses_by_now(vendor: ScriptedVendor) -> None:
    vendor.gate.clear()
    campaign = await launched(audience=3)
    async with vendor.client() as client:
        sender = asyncio.create_task(Sender(SETUP, client, Bell(), Random(1)).run(asyncio.Event()))
        await vendor.until_calls(1)
        assert await claim(campaign, after=SETUP.lease)
        sender.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sender
    assert (await stats_of(campaign)).sending == 3


@pytest.mark.parametrize("failure", [failing(503), lambda _: httpx.ConnectError("refused")])
async def test_an_outage_fails_no_message_of_a_campaign_of_one_batch(vendor: ScriptedVendor, failure: object) -> None:
    vendor.script = [failure] * 5  # type: ignore[list-item]  # the parameters are what a script is made of
    campaign = await launched(audience=3)
    async with at_work(vendor) as work:
        await work.until_stats(campaign, lambda stats: stats.sent == 3)
    assert len(vendor.calls) == 6
    assert {message.attempts for message in await messages_of(campaign)} == {4}, "one was a probe, one found it down"


async def test_an_outage_ends_though_receipts_were_faster_than_the_probe(vendor: ScriptedVendor) -> None:
    vendor.script = [lambda _: httpx.ReadError("accepted, and cut off")] * FEWEST_CALLS_DOWN
    first = await launched(audience=3)
    async with at_work(vendor) as work:
        await vendor.until_calls(FEWEST_CALLS_DOWN)
        await report_all(first, ReceiptStatus.DELIVERED)
        await work.until(first, CampaignStatus.COMPLETED)
        second = await a_campaign()
        await campaigns.launch(second.id, documents.now())
        await work.until_stats(second, lambda stats: stats.sent == 3)


async def test_a_stop_hands_back_nothing_that_can_be_finished(vendor: ScriptedVendor) -> None:
    vendor.gate.clear()
    campaign = await launched(audience=30)
    async with at_work(vendor) as work:
        await vendor.until_calls(1)
        work.stop.set()
        vendor.gate.set()
    assert (await stats_of(campaign)).sent == 30
