"""A campaign's moves: each one conditional update on its present state, whose result tells who won.

Whoever asks for a move that the state does not allow gets IllegalState; docs/architecture.md draws those that it does.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from beanie import PydanticObjectId
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

import documents
import errors
import metrics
from delivery import batches, ledger, tallies
from delivery.bell import campaigns_moved
from documents import Campaign, CampaignStatus

log = logging.getLogger(__name__)

UNLAUNCHED = (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED)
SENDABLE = (CampaignStatus.RUNNING, CampaignStatus.PAUSED)
CANCELLABLE = (*UNLAUNCHED, CampaignStatus.PLANNING, *SENDABLE)
RETRIABLE = (*SENDABLE, CampaignStatus.COMPLETED)


@dataclass(frozen=True, slots=True)
class Running:
    """A campaign whose messages may be claimed."""

    id: PydanticObjectId
    rate_per_second: int | None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A campaign that is to be completed one day, or settled now."""

    id: PydanticObjectId
    unsettled: bool


async def running() -> list[Running]:
    """All of them, the oldest first."""
    found = documents.Campaign.get_pymongo_collection().find(
        {"status": CampaignStatus.RUNNING.value}, {"rate_per_second": 1}
    )
    return [Running(stored["_id"], stored.get("rate_per_second")) async for stored in found.sort("_id")]


async def unfinished() -> list[Unfinished]:
    """Those that run or are paused, and those that were ended early and may still have something to call off."""
    which = {"$or": [{"status": {"$in": list(SENDABLE)}}, {"unsettled": True}]}
    found = Campaign.get_pymongo_collection().find(which, {"unsettled": 1})
    return [Unfinished(stored["_id"], bool(stored.get("unsettled"))) for stored in await found.to_list()]


async def launch(campaign_id: PydanticObjectId, now: datetime) -> Campaign:
    """Freeze who is meant, as of now, and let planning begin. Raises NotFound, IllegalState."""
    campaign = await _existing(campaign_id)
    segment = await documents.Segment.get(campaign.segment_id)
    if segment is None:
        raise errors.NotFound("The campaign's segment is no more.", ["segmentId"])
    frozen = {"rules": segment.rules, "as_of": now, "launched_at": now}
    return await _move(campaign_id, UNLAUNCHED, CampaignStatus.PLANNING, frozen, now)


async def fail(campaign_id: PydanticObjectId, reason: str, now: datetime) -> Campaign:
    """Give up a scheduled campaign that cannot be launched. Raises NotFound, IllegalState."""
    return await _move(campaign_id, (CampaignStatus.SCHEDULED,), CampaignStatus.FAILED, {"status_reason": reason}, now)


async def pause(campaign_id: PydanticObjectId, now: datetime) -> Campaign:
    """Claim nothing more; what is with the vendor already takes its course. Raises NotFound, IllegalState."""
    return await _move(campaign_id, (CampaignStatus.RUNNING,), CampaignStatus.PAUSED, {"status_reason": None}, now)


async def resume(campaign_id: PydanticObjectId, now: datetime) -> Campaign:
    """Go on sending. Raises NotFound, IllegalState."""
    return await _move(campaign_id, (CampaignStatus.PAUSED,), CampaignStatus.RUNNING, {"status_reason": None}, now)


async def cancel(campaign_id: PydanticObjectId, now: datetime) -> Campaign:
    """End it, and call off what is PENDING; what is being sent follows when its call ends, by `settle`.

    Raises NotFound, IllegalState.
    """
    ended = {"status_reason": None, "unsettled": True}
    await _move(campaign_id, CANCELLABLE, CampaignStatus.CANCELLED, ended, now)
    await settle(campaign_id, now)
    return await _existing(campaign_id)


async def settle(campaign_id: PydanticObjectId, now: datetime) -> None:
    """Call off what a cancelled or failed campaign still has PENDING. Safe to repeat."""
    await batches.call_off(campaign_id, now)
    if await batches.is_done(campaign_id):
        await Campaign.get_pymongo_collection().update_one({"_id": campaign_id}, ledger.update({"unsettled": None}))


async def retry_failed(campaign_id: PydanticObjectId, now: datetime) -> Campaign:
    """Make the FAILED messages PENDING again, each as a new delivery; a completed campaign runs again.

    Raises NotFound, IllegalState.
    """

    async def work(entry: ledger.Entry) -> CampaignStatus:
        campaign = await _existing(campaign_id, entry.session)
        status = CampaignStatus.PAUSED if campaign.status is CampaignStatus.PAUSED else CampaignStatus.RUNNING
        await _write_move(campaign_id, RETRIABLE, status, {"completed_at": None}, now, entry.session)
        await batches.mark_for_revival(campaign_id, entry)
        return status

    note_move(campaign_id, await ledger.write(work, now))
    await batches.revive(campaign_id, now)
    return await _existing(campaign_id)


async def complete_if_done(campaign_id: PydanticObjectId, receipt_timeout: timedelta, now: datetime) -> bool:
    """Complete a campaign of which nothing is left to send and no receipt awaited any longer; whether that was so."""

    async def work(entry: ledger.Entry) -> bool:
        total = (await tallies.totals([campaign_id], entry.session))[campaign_id]
        awaited = total.stats.sent and (total.last_sent_at is None or total.last_sent_at + receipt_timeout > now)
        if total.stats.to_send or awaited or not await batches.is_done(campaign_id, entry.session):
            return False
        changes = {"completed_at": now, "status_reason": None}
        await _write_move(campaign_id, SENDABLE, CampaignStatus.COMPLETED, changes, now, entry.session)
        return True

    try:
        is_done = await ledger.write(work, now)
    except errors.IllegalState:
        return False  # somebody else was faster
    if is_done:
        note_move(campaign_id, CampaignStatus.COMPLETED)
    return is_done


async def explain(reason: str | None) -> None:
    """Have the running campaigns say why nothing happens; None when it does."""
    await Campaign.get_pymongo_collection().update_many(
        {"status": CampaignStatus.RUNNING.value, "status_reason": {"$ne": reason}},
        ledger.update({"status_reason": reason}),
    )


def note_move(campaign_id: PydanticObjectId, status: CampaignStatus) -> None:
    """Tell the operator of a campaign that has come to a status, and those in this process who wait for that."""
    campaigns_moved.ring()
    log.info("campaign %s: now %s", campaign_id, status)
    metrics.CAMPAIGNS.labels(status).inc()


async def _move(
    campaign_id: PydanticObjectId,
    sources: tuple[CampaignStatus, ...],
    target: CampaignStatus,
    changes: Mapping[str, object],
    now: datetime,
) -> Campaign:
    campaign = await _write_move(campaign_id, sources, target, changes, now)
    note_move(campaign_id, target)
    return campaign


async def _write_move(
    campaign_id: PydanticObjectId,
    sources: tuple[CampaignStatus, ...],
    target: CampaignStatus,
    changes: Mapping[str, object],
    now: datetime,
    session: AsyncClientSession | None = None,
) -> Campaign:
    """The move, of which nobody is told: a transaction may be done again, and is to be told of once it is committed."""
    stored = await Campaign.get_pymongo_collection().find_one_and_update(
        {"_id": campaign_id, "status": {"$in": list(sources)}},
        ledger.update({**changes, "status": target.value, "updated_at": now}),
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    if stored is None:
        present = await _existing(campaign_id, session)
        raise errors.IllegalState(f"The campaign is {present.status}, and would have to be {' or '.join(sources)}.")
    campaign: Campaign = Campaign.model_validate(stored)
    return campaign


async def _existing(campaign_id: PydanticObjectId, session: AsyncClientSession | None = None) -> Campaign:
    campaign = await Campaign.get(campaign_id, session=session)
    if campaign is None:
        raise errors.NotFound("There is no such campaign.")
    return campaign
