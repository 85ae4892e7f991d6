"""Receipts: told at least once, in any order, before the answer or after the end; each counts once."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

import documents
from delivery import batches, campaigns, ledger, receipts
from delivery.bell import Bell, messages_moved
from delivery.receipts import Outcome, Report
from documents import Campaign, Message, MessageStatus, ReceiptStatus
from tests.delivery.conftest import SETUP, launched, messages_of, now_of, sent, stats_of

pytestmark = pytest.mark.usefixtures("database")

AT = datetime.fromisoformat("2026-11-22T10:00:00.123Z")


def delivered(message: Message, receipt_id: str = "r1", key: str | None = None) -> Report:
    return Report(receipt_id, key or message.id, ReceiptStatus.DELIVERED, AT, f"vnd_{message.id}")


def failed(message: Message, receipt_id: str = "r2", key: str | None = None) -> Report:
    return Report(receipt_id, key or message.id, ReceiptStatus.FAILED, AT, None, "BLOCKED", "no")


async def outcomes(*reports: Report) -> Sequence[Outcome]:
    return await receipts.apply(reports, documents.now())


async def the_message(campaign: Campaign) -> Message:
    (message,) = await messages_of(campaign)
    return message


async def test_what_moves_a_message_wakes_who_waits_for_that_and_what_only_looks_does_not() -> None:
    campaign = await sent(audience=1)
    bell = Bell()
    with messages_moved.hung(bell):
        assert not await campaigns.complete_if_done(campaign.id, SETUP.receipt_timeout, documents.now())
        assert not await bell.wait(0)
        await outcomes(delivered(await the_message(campaign)))
        assert await bell.wait(0)


async def test_a_receipt_moves_its_message_and_the_counters() -> None:
    campaign = await sent(audience=2)
    first, second = await messages_of(campaign)
    assert await outcomes(delivered(first), failed(second)) == [Outcome.APPLIED, Outcome.APPLIED]
    first, second = await messages_of(campaign)
    assert (first.status, first.delivered_at) == (MessageStatus.DELIVERED, AT)
    assert (second.status, second.failed_at, second.failure_code) == (MessageStatus.FAILED, AT, "BLOCKED")
    stats = await stats_of(campaign)
    assert (stats.sent, stats.delivered, stats.failed) == (0, 1, 1)
    assert (await ledger.verify(campaign.id)).consistent


async def test_a_receipt_told_twice_counts_once() -> None:
    campaign = await sent(audience=1)
    message = await the_message(campaign)
    assert await outcomes(delivered(message), delivered(message)) == [Outcome.APPLIED, Outcome.DUPLICATE]
    assert await outcomes(delivered(message)) == [Outcome.DUPLICATE]
    assert (await stats_of(campaign)).delivered == 1


async def test_receipts_told_many_times_at_once_count_once() -> None:
    campaign = await sent(audience=50)
    reports = [delivered(message, f"r-{message.id}") for message in await messages_of(campaign)]
    await asyncio.gather(*(outcomes(*reports[at:], *reports[:at]) for at in range(0, 50, 10)))
    assert (await stats_of(campaign)).delivered == 50
    assert (await ledger.verify(campaign.id)).consistent


async def test_delivered_is_final_and_wins_over_an_earlier_failed() -> None:
    campaign = await sent(audience=1)
    message = await the_message(campaign)
    assert await outcomes(failed(message), delivered(message), failed(message, "r3")) == [
        Outcome.APPLIED,
        Outcome.APPLIED,
        Outcome.IGNORED,
    ]
    message = await the_message(campaign)
    assert message.status is MessageStatus.DELIVERED
    assert (message.failed_at, message.failure_code) == (None, None)


async def test_a_receipt_may_come_before_the_answer() -> None:
    campaign = await launched(audience=1)
    claimed = await batches.claim(campaign.id, limit=10, rate=None, lease=SETUP.lease, now=documents.now())
    assert claimed
    message = await the_message(campaign)
    assert await outcomes(delivered(message)) == [Outcome.APPLIED]
    assert (await the_message(campaign)).vendor_message_id == f"vnd_{message.id}"


async def test_a_receipt_after_the_end_still_counts() -> None:
    campaign = await sent(audience=1)
    much_later = documents.now() + timedelta(hours=2)
    assert await campaigns.complete_if_done(campaign.id, SETUP.receipt_timeout, much_later)
    assert await outcomes(delivered(await the_message(campaign))) == [Outcome.APPLIED]
    assert (await stats_of(campaign)).delivered == 1


async def test_unknown_messages_are_told_apart_from_those_never_sent() -> None:
    campaign = await launched(audience=1, holdout_percent=99.999999)
    held_out = await the_message(campaign)
    nobody = Report("r", "nobody", ReceiptStatus.DELIVERED, AT)
    future = delivered(held_out, key=f"{held_out.id}~2")
    garbled = delivered(held_out, key=f"{held_out.id}~x")
    assert await outcomes(nobody, future, garbled, delivered(held_out)) == [Outcome.UNKNOWN_MESSAGE] * 3 + [
        Outcome.IGNORED
    ]


async def test_a_late_delivered_of_an_earlier_life_calls_off_the_later_one() -> None:
    campaign = await sent(audience=1)
    message = await the_message(campaign)
    await outcomes(failed(message))
    await campaigns.retry_failed(campaign.id, documents.now())
    again = await the_message(campaign)
    assert (again.status, again.life, again.failure_code) == (MessageStatus.PENDING, 2, None)
    assert await outcomes(failed(message, "late"), delivered(message, "later")) == [Outcome.IGNORED, Outcome.APPLIED]
    claimed = await batches.claim(campaign.id, limit=10, rate=None, lease=SETUP.lease, now=documents.now())
    assert claimed
    assert not claimed.messages
    assert (await stats_of(await now_of(campaign))).delivered == 1


@pytest.mark.parametrize("cancelled", range(6))
@pytest.mark.parametrize("turns", [1, 20, 200])
async def test_who_gives_up_takes_no_other_receipts_along(cancelled: int, turns: int) -> None:
    campaign = await sent(audience=6)
    messages = await messages_of(campaign)
    calls = [asyncio.create_task(outcomes(delivered(each, f"r-{each.id}"))) for each in messages]
    for _ in range(turns):
        await asyncio.sleep(0)
    calls[cancelled].cancel()
    await asyncio.wait(calls)
    others = calls[:cancelled] + calls[cancelled + 1 :]
    # DUPLICATE where the one who gave up had stored them, and did not come to say so.
    assert {outcome for call in others for outcome in await call} <= {Outcome.APPLIED, Outcome.DUPLICATE}
    assert (await stats_of(campaign)).delivered >= 5
    assert (await ledger.verify(campaign.id)).consistent


async def test_what_cannot_be_stored_fails_nobody_once_its_sender_has_given_up() -> None:
    campaign = await sent(audience=5)
    *messages, last = await messages_of(campaign)
    reports = [delivered(each, f"r-{each.id}") for each in messages]
    reports[3] = reports[3]._replace(occurred_at=datetime.fromisoformat("0001-01-01T00:00:00+12:00"))
    *others, unstorable = calls = [asyncio.create_task(outcomes(each)) for each in reports]
    await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
    for _ in range(5):  # in which the next in turn takes it along
        await asyncio.sleep(0)
    unstorable.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert await outcomes(delivered(last)) == [Outcome.APPLIED]
