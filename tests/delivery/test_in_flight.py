"""Receipts wait for the answer to the call that their messages are in, but not for ever."""

import asyncio

import pytest

import documents
from delivery import in_flight, receipts
from delivery.receipts import Outcome, Report
from documents import MessageStatus, ReceiptStatus
from tests.delivery.conftest import messages_of, sent, stats_of

pytestmark = pytest.mark.usefixtures("database")


def delivered(message_id: str) -> Report:
    return Report(f"r-{message_id}", message_id, ReceiptStatus.DELIVERED, documents.now())


async def test_receipts_of_what_is_in_flight_wait_until_it_has_landed_and_others_do_not() -> None:
    campaign = await sent(audience=1)
    (message,) = await messages_of(campaign)
    with in_flight.flying([message.id]):
        await in_flight.landed(["another"])
        waiting = asyncio.create_task(receipts.apply([delivered(message.id)], documents.now()))
        await asyncio.sleep(0)
        assert not waiting.done()
    assert await waiting == [Outcome.APPLIED]
    assert (await stats_of(campaign)).delivered == 1


async def test_an_answer_that_does_not_come_holds_no_receipt_back_for_good() -> None:
    campaign = await sent(audience=1)
    (message,) = await messages_of(campaign)
    with in_flight.flying([message.id]):
        assert await receipts.apply([delivered(message.id)], documents.now()) == [Outcome.APPLIED]
    (message,) = await messages_of(campaign)
    assert message.status is MessageStatus.DELIVERED


async def test_what_was_taken_over_has_landed_when_the_later_call_has() -> None:
    with in_flight.flying(["m"]):
        with in_flight.flying(["m"]):
            waiting = asyncio.create_task(in_flight.landed(["m"]))
            await asyncio.sleep(0)
            assert not waiting.done()
        await waiting
        await in_flight.landed(["m"])
