"""Delivery's work in the background: campaigns are launched on time, planned, sent, settled and completed.

Any number of processes run it side by side. What there is to do is always read from the database, and a bell only says
that now is a good time to look: one that is not heard costs a second.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from random import Random

import documents
import errors
from delivery import batches, campaigns, planning, tallies
from delivery.bell import Bell, campaigns_moved, messages_moved
from delivery.planning import Walk
from delivery.sender import Sender
from delivery.setup import Setup
from delivery.vendor import Vendor
from documents import Campaign, CampaignStatus

log = logging.getLogger(__name__)

LONGEST_NAP_SECONDS = 1.0
SHORTEST_NAP_SECONDS = 0.1


async def run(setup: Setup, vendor: Vendor, walk: Walk, stop: asyncio.Event, random: Random) -> None:
    """Do all of it until `stop`, then end what is in flight within 15 s. Cancelling it is safe, and as a crash is."""
    planner, sender, finisher = Bell(), Bell(), Bell()
    with campaigns_moved.hung(planner, sender, finisher), messages_moved.hung(finisher):
        async with asyncio.TaskGroup() as loops:
            planner_loop = loops.create_task(_until(stop, planner, lambda: plan_due(setup, walk)), name="planner")
            loops.create_task(_until(stop, finisher, lambda: finish_due(setup)), name="finisher")
            if setup.senders:
                loops.create_task(Sender(setup, vendor, sender, random).run(stop), name="senders")
            await stop.wait()
            planner_loop.cancel()  # at once: another process goes on behind the last step
            sender.ring()
            finisher.ring()


async def plan_due(setup: Setup, walk: Walk) -> None:
    """Launch the campaigns whose time has come, and plan those that were launched and that nobody plans."""
    now = documents.now()
    due = {"status": CampaignStatus.SCHEDULED.value, "scheduled_at": {"$lte": now}}
    for campaign in await Campaign.find(due).to_list():
        try:
            await _launch(campaign, now)
        except errors.Fault as fault:
            log.info("campaign %s was not launched: %s", campaign.id, fault)
    while taken := await planning.take(setup, documents.now()):
        await _plan(taken, walk, setup)


async def finish_due(setup: Setup) -> None:
    """Complete the campaigns of which nothing more is expected, and settle those that were ended early."""
    now = documents.now()
    unfinished = await campaigns.unfinished()
    # Asked ten times a second while messages move; to read the counters takes five times as long.
    sent = [each.id for each in unfinished if not each.unsettled and await batches.is_done(each.id)]
    for campaign_id, total in (await tallies.totals(sent)).items():
        if not total.stats.to_send:
            await campaigns.complete_if_done(campaign_id, setup.receipt_timeout, now)
    for each in unfinished:
        if each.unsettled:
            await campaigns.settle(each.id, now)


async def _launch(campaign: Campaign, now: datetime) -> None:
    try:
        await campaigns.launch(campaign.id, now)
    except errors.NotFound as fault:  # its segment was deleted while it was being made: there is none to wait for
        await campaigns.fail(campaign.id, fault.message, now)


async def _plan(campaign: Campaign, walk: Walk, setup: Setup) -> None:
    log.info("campaign %s: planning", campaign.id)
    try:
        await planning.plan(campaign, walk, setup)
    except asyncio.CancelledError:
        await planning.put_down(campaign)
        raise
    except planning.LeaseLost:
        log.info("campaign %s: planning begins anew, as after an erasure or a merger, or was called off", campaign.id)
    except errors.Fault as fault:
        log.warning("campaign %s: cannot be planned: %s", campaign.id, fault)
        await planning.give_up(campaign, fault.message)


async def _until(stop: asyncio.Event, bell: Bell, turn: Callable[[], Awaitable[None]]) -> None:
    while not stop.is_set():
        try:
            await turn()
        except Exception:
            log.exception("a turn failed")
        await asyncio.sleep(SHORTEST_NAP_SECONDS)  # a busy campaign rings all the time
        await bell.wait(LONGEST_NAP_SECONDS)
