"""A recount is of one instant, whether the campaign is at rest or being sent, and finds what does not belong."""

import asyncio

import pytest

import documents
from delivery import batches, ledger, receipts
from delivery.receipts import Report
from documents import Campaign, Message, MessageStatus, ReceiptStatus
from tests.delivery.conftest import SETUP, launched, messages_of, sent

pytestmark = pytest.mark.usefixtures("database")


async def tell_delivered(message: Message, receipt_id: str, vendor_id: str | None) -> None:
    now = documents.now()
    await receipts.apply([Report(receipt_id, message.id, ReceiptStatus.DELIVERED, now, vendor_id)], now)


async def claim_and_hand_back(campaign: Campaign) -> None:
    now = documents.now()
    claimed = await batches.claim(campaign.id, limit=100, rate=None, lease=SETUP.lease, now=now)
    assert claimed
    await batches.hand_back(claimed, now)


async def test_a_second_delivery_of_a_message_is_counted_and_the_receipt_of_the_first_told_again_is_not() -> None:
    campaign = await sent(audience=3)
    first, second, third = await messages_of(campaign)
    for message in (first, second, third):
        await tell_delivered(message, f"r-{message.id}", f"vnd-{message.id}")
    assert (await ledger.verify(campaign.id)).consistent
    await tell_delivered(second, "once more", f"vnd-{second.id}")
    assert (await ledger.verify(campaign.id)).consistent
    await tell_delivered(third, "by hand", None)
    assert (await ledger.verify(campaign.id)).consistent, "of a delivery that is known"
    await tell_delivered(first, "another", "vnd-another")
    check = await ledger.verify(campaign.id)
    assert (check.duplicate_messages, check.consistent, check.stats) == (1, False, check.recount)


async def test_a_recount_made_while_messages_move_is_of_one_instant() -> None:
    campaign = await launched(audience=400)
    ended = asyncio.Event()

    async def move() -> None:
        while not ended.is_set():
            await claim_and_hand_back(campaign)

    moving = asyncio.create_task(move())
    checks = [await ledger.verify(campaign.id) for _ in range(20)]
    ended.set()
    await moving
    assert all(check.consistent for check in checks), checks


async def test_a_drift_is_found_while_messages_move_too() -> None:
    campaign = await launched(audience=400)
    collection = Message.get_pymongo_collection()
    first = (await messages_of(campaign))[-1].id
    await collection.update_one({"_id": first}, {"$set": {"status": MessageStatus.SKIPPED.value}})
    checks = await asyncio.gather(claim_and_hand_back(campaign), *(ledger.verify(campaign.id) for _ in range(5)))
    assert [check.consistent for check in checks if check] == [False] * 5
