"""Sending: claimed messages are handed to the vendor, several batches at a time, and what it says is written down."""

import asyncio
import contextlib
import logging
import time
from collections import deque
from datetime import timedelta
from random import Random

import pymongo
from pymongo.errors import PyMongoError

import documents
import metrics
from delivery import answers, batches, campaigns, in_flight
from delivery.batches import Claim
from delivery.bell import Bell
from delivery.breaker import Breaker
from delivery.pacing import BatchSize, backoff
from delivery.setup import Setup
from delivery.vendor import Answer, CallFailed, Vendor

log = logging.getLogger(__name__)

CALLS_IN_FLIGHT = 4  # of one sender: one in each of claiming, the wire, the vendor and recording
DRAIN_SECONDS = 12.0  # what is still in flight then is handed back; the process has 15 s in all
HAND_BACK_SECONDS = 2.0
LONGEST_NAP_SECONDS = 1.0  # in which work that another process brought is found without being told
RETELL_SECONDS = 30.0  # after this a campaign no longer says what a process that has died since was waiting for
PACE_SECONDS = 0.02  # a campaign with a limit is looked at again after this


class Sender:
    """This process's senders: they share one idea of how the vendor is doing."""

    def __init__(self, setup: Setup, vendor: Vendor, bell: Bell, random: Random) -> None:
        self._setup = setup
        self._vendor = vendor
        self._bell = bell
        self._random = random
        self._breaker = Breaker()
        self._size = BatchSize(setup.vendor_batch_size)
        self._slots = asyncio.Semaphore(setup.senders * CALLS_IN_FLIGHT)
        self._not_before = 0.0
        self._tell_at = 0.0  # by the monotonic clock
        self._turn = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`; then claim no more, and finish what is in flight or hand it back."""
        try:
            async with asyncio.timeout(None) as deadline, asyncio.TaskGroup() as calls:
                while not stop.is_set():
                    await self._turn_of(stop, calls)
                deadline.reschedule(asyncio.get_running_loop().time() + DRAIN_SECONDS)
        except TimeoutError:
            log.warning("what was in flight after %s s has been handed back", DRAIN_SECONDS)

    async def _turn_of(self, stop: asyncio.Event, calls: asyncio.TaskGroup) -> None:
        """One claim, as soon as there is a slot for it; a nap when there is nothing to claim."""
        await self._slots.acquire()
        nap = self._pause_seconds()
        if not nap and not stop.is_set():
            try:
                if claimed := await self._claim():
                    if claimed.messages:  # else no call is made, and nothing is learnt of the vendor
                        self._breaker.start(time.monotonic())
                    calls.create_task(self._send(claimed), name=f"send {claimed.batch_id}")
                    return
                nap = await self._nap_seconds()
            except Exception:
                log.exception("nothing could be claimed")
                nap = LONGEST_NAP_SECONDS
        self._slots.release()
        await self._bell.wait(nap)

    async def _claim(self) -> Claim | None:
        self._turn += 1
        running = deque(await campaigns.running())
        running.rotate(self._turn)  # so that a large campaign does not keep the small ones waiting
        for campaign in running:
            claimed = await batches.claim(
                campaign.id,
                limit=self._size.now,
                rate=campaign.rate_per_second,
                lease=self._setup.lease,
                now=documents.now(),
            )
            if claimed is not None:
                return claimed
        return None

    def _pause_seconds(self) -> float:
        """How long the vendor is to be left alone: it is down, or has asked for it."""
        now = time.monotonic()
        return max(self._breaker.wait_seconds(now), self._not_before - now, 0.0)

    async def _nap_seconds(self) -> float:
        running = await campaigns.running()
        due_at = await batches.next_due([campaign.id for campaign in running])
        if due_at is None:
            return LONGEST_NAP_SECONDS
        wait = (due_at - documents.now()).total_seconds()
        return min(max(wait, PACE_SECONDS), LONGEST_NAP_SECONDS)

    async def _send(self, claimed: Claim) -> None:
        try:
            with in_flight.flying([message["_id"] for message in claimed.messages]):
                await self._call(claimed)
        except batches.LeaseLost:
            log.warning("batch %s of campaign %s was taken over", claimed.batch_id, claimed.campaign_id)
        except Exception:
            # The lease runs out, and the same messages are sent again under the same keys.
            log.exception("batch %s of campaign %s was not written down", claimed.batch_id, claimed.campaign_id)
        except asyncio.CancelledError:
            # Should it fail, it has been written down or taken over, or will be when the lease runs out.
            with contextlib.suppress(batches.LeaseLost, PyMongoError), pymongo.timeout(HAND_BACK_SECONDS):
                await batches.hand_back(claimed, documents.now())
            raise
        finally:
            self._slots.release()

    async def _call(self, claimed: Claim) -> None:
        started = time.monotonic()
        answer = Answer()
        if claimed.messages:
            try:
                answer = await self._vendor.send(claimed.messages)
            except CallFailed as failure:
                if failure.too_large and len(claimed.messages) > 1:
                    await self._divide(claimed, failure)
                else:
                    await self._failed(claimed, failure)
                return
            await self._went_well(time.monotonic() - started)
        await self._record(claimed, answer)

    async def _record(self, claimed: Claim, answer: Answer, retry_after: float = 0.0) -> None:
        now = documents.now()
        retry_at = now + self._delay(claimed, retry_after)
        recorded = await answers.record(
            claimed, answer, max_attempts=self._setup.max_attempts, retry_at=retry_at, now=now
        )
        log.debug("batch %s of campaign %s: %s", claimed.batch_id, claimed.campaign_id, recorded)

    def _delay(self, claimed: Claim, retry_after: float) -> timedelta:
        delay = backoff(claimed.failures + 1, self._setup.backoff, self._setup.longest_backoff, self._random)
        return max(delay, timedelta(seconds=retry_after))

    async def _went_well(self, seconds: float) -> None:
        self._size.went_well(seconds)
        await self._is_there()

    async def _divide(self, claimed: Claim, failure: CallFailed) -> None:
        """Nothing is wrong with the vendor, nor with the messages, but that they are too many for one call."""
        log.warning("batch %s of campaign %s: %s", claimed.batch_id, claimed.campaign_id, failure)
        self._size.too_large(len(claimed.messages))
        await self._is_there()
        await batches.hand_back(claimed, documents.now())

    async def _is_there(self) -> None:
        at = time.monotonic()
        was_open = self._breaker.is_open
        self._breaker.record(True, at)
        if was_open:
            metrics.BREAKER_OPEN.set(0)
            log.info("the vendor answers again")
            self._bell.ring()
        if was_open or at >= self._tell_at:
            self._tell_at = at + RETELL_SECONDS
            await campaigns.explain(None)

    async def _failed(self, claimed: Claim, failure: CallFailed) -> None:
        log.warning("batch %s of campaign %s: %s", claimed.batch_id, claimed.campaign_id, failure)
        at = time.monotonic()
        was_open = self._breaker.is_open
        self._breaker.record(False, at, down=failure.down)
        if self._breaker.is_open and not was_open:
            metrics.BREAKER_OPEN.set(1)
            log.warning("the vendor is taken to be down: sending waits, and probes")
        if not failure.too_fast:  # smaller calls would have to be more
            self._size.failed()
        self._not_before = max(self._not_before, at + failure.retry_after)
        if self._breaker.is_open:
            self._bell.ring()  # the wait for this call is over; the one for the next probe begins
            await campaigns.explain(f"The vendor cannot be reached, sending waits for it: {failure.reason}")
            await batches.hand_back(claimed, documents.now())
        elif failure.too_fast:  # the messages were not looked at, and are not to fail because we are in a hurry
            now = documents.now()
            await batches.hand_back(claimed, now, retry_at=now + self._delay(claimed, failure.retry_after))
        else:
            await self._record(claimed, answers.none_taken(claimed, failure), failure.retry_after)
