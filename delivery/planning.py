"""Planning: one message for every member of the audience, written step by step behind a cursor.

A step is one transaction: its messages, their batches, the counters and the campaign's cursor. A planning that was
killed is taken over behind the cursor; one that was only thought dead finds its lease gone, and writes nothing more.
"""

import asyncio
import contextlib
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from beanie import PydanticObjectId
from pymongo import ReturnDocument
from pymongo.errors import PyMongoError

import documents
import errors
import metrics
from delivery import campaigns, ledger
from delivery.deciding import Decider, Decision, Member
from delivery.setup import Setup
from documents import Campaign, CampaignStatus, MessageStatus

log = logging.getLogger(__name__)

CAP_WINDOW = timedelta(days=1)
CAPPED_STATUSES = (MessageStatus.PENDING, MessageStatus.SENDING, MessageStatus.SENT, MessageStatus.DELIVERED)
SAMPLES = 5

# The members of a campaign's audience behind a customer, in the order of their ids, some hundreds at a time, with
# these stored fields.
Walk = Callable[[Campaign, PydanticObjectId | None, Sequence[str]], AsyncIterator[Sequence[Member]]]


class LeaseLost(Exception):
    """Somebody else plans this campaign now, or it was cancelled."""


@dataclass(slots=True)
class FlightPlan:
    """What launching would do."""

    to_send: int = 0
    held_out: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    samples: list[Decision] = field(default_factory=list)
    estimated_seconds: float | None = None

    @property
    def audience(self) -> int:
        """All members."""
        return self.to_send + self.held_out + self.skipped.total()


async def preview(campaign: Campaign, walk: Walk, setup: Setup, now: datetime) -> FlightPlan:
    """What launching this campaign now would do, decided by the code that launches, with nothing written."""
    segment = await documents.Segment.get(campaign.segment_id)
    if segment is None:
        raise errors.NotFound("The campaign's segment is no more.", ["segmentId"])
    campaign = campaign.model_copy(update={"rules": segment.rules, "as_of": now})
    plan = FlightPlan()
    seen: set[int] = set()  # hashes of addresses: a quarter of the memory, and one in 10¹³ is taken for another
    decider = Decider(campaign, now)
    async for members in walk(campaign, None, decider.fields):
        addresses = {address for member in members if (address := decider.address_of(member))}
        taken = {address for address in addresses if hash(address) in seen}
        decisions = await _decide(campaign, decider, members, taken, setup)
        for decision in decisions:
            _count(plan, decision)
        seen.update(map(hash, _recipients(decisions)))
    if campaign.rate_per_second:
        plan.estimated_seconds = plan.to_send / campaign.rate_per_second
    return plan


async def take(setup: Setup, now: datetime) -> Campaign | None:
    """Lease a campaign that is to be planned and that nobody plans; None when there is none."""
    lease = {"lease": secrets.token_hex(8), "lease_until": now + setup.lease}
    before = await Campaign.get_pymongo_collection().find_one_and_update(
        {"status": CampaignStatus.PLANNING.value, "$or": [{"lease": None}, {"lease_until": {"$lte": now}}]},
        {"$set": lease},
        return_document=ReturnDocument.BEFORE,
    )
    if before is None:
        return None
    if before.get("lease"):
        metrics.TAKEOVERS.labels("planning").inc()
        log.warning("campaign %s: the planning of another process is taken over", before["_id"])
    campaign: Campaign = Campaign.model_validate({**before, **lease})
    return campaign


async def plan(campaign: Campaign, walk: Walk, setup: Setup) -> None:
    """Plan a campaign that was taken, and let it run. Raises LeaseLost; Fault when planning is impossible."""
    decider = Decider(campaign, campaign.as_of or documents.now())
    async with _kept(campaign, setup), _writer(campaign, setup) as write:
        latest: set[str] = set()  # the addresses of the step that is being written
        async for members in walk(campaign, campaign.planned_to, decider.fields):
            addresses = {address for member in members if (address := decider.address_of(member))}
            taken = (latest & addresses) | await _taken(campaign, addresses)
            decisions = await _decide(campaign, decider, members, taken, setup)
            latest = _recipients(decisions)
            await write(decisions)
    await _change(campaign, {"status": CampaignStatus.RUNNING.value, "planned_at": documents.now(), "lease": None})
    campaigns.note_move(campaign.id, CampaignStatus.RUNNING)


async def put_down(campaign: Campaign) -> None:
    """Let another process go on with the planning at once."""
    with contextlib.suppress(LeaseLost):
        await _change(campaign, {"lease": None})


async def give_up(campaign: Campaign, reason: str) -> None:
    """Planning is impossible: the campaign has failed, for this reason, and what was planned is called off."""
    await _change(
        campaign,
        {"status": CampaignStatus.FAILED.value, "status_reason": reason, "unsettled": True, "lease": None},
    )
    campaigns.note_move(campaign.id, CampaignStatus.FAILED)


async def _decide(
    campaign: Campaign, decider: Decider, members: Sequence[Member], taken: set[str], setup: Setup
) -> list[Decision]:
    capped = await _capped(campaign, members, setup)
    decisions = []
    for member in members:
        address = decider.address_of(member)
        decision = decider.decide(member, taken=address in taken, capped=member["_id"] in capped)
        decisions.append(decision)
        if decision.recipient:
            taken.add(decision.recipient)
    return decisions


def _recipients(decisions: Iterable[Decision]) -> set[str]:
    return {decision.recipient for decision in decisions if decision.recipient}


async def _capped(campaign: Campaign, members: Sequence[Member], setup: Setup) -> set[PydanticObjectId]:
    """Those who were written to as often as is allowed in the 24 hours before the campaign."""
    if setup.frequency_cap_per_day is None:
        return set()
    recent = documents.Message.get_pymongo_collection().find(
        {
            "customer_id": {"$in": [member["_id"] for member in members]},
            "created_at": {"$gt": (campaign.as_of or documents.now()) - CAP_WINDOW},
            "campaign_id": {"$ne": campaign.id},
            "status": {"$in": list(CAPPED_STATUSES)},
        },
        {"customer_id": 1},
    )
    counts = Counter([message["customer_id"] async for message in recent])
    return {customer_id for customer_id, count in counts.items() if count >= setup.frequency_cap_per_day}


async def _taken(campaign: Campaign, addresses: set[str]) -> set[str]:
    """Which of these addresses an earlier step has written to."""
    # MongoDB takes the index, which has strings only, for no others than those that say so.
    which = {"campaign_id": campaign.id, "recipient": {"$in": list(addresses), "$type": "string"}}
    found = documents.Message.get_pymongo_collection().find(which, {"recipient": 1, "_id": 0})
    return {message["recipient"] async for message in found}


@asynccontextmanager
async def _writer(campaign: Campaign, setup: Setup) -> AsyncIterator[Callable[[Sequence[Decision]], Awaitable[None]]]:
    """Writes steps in their order, each while the next one is being decided: a core for us, and one for mongod."""
    under_way: asyncio.Task[None] | None = None

    async def write(decisions: Sequence[Decision]) -> None:
        nonlocal under_way
        if under_way is not None:
            await under_way
        under_way = asyncio.create_task(_write(campaign, decisions, setup), name=f"plan campaign {campaign.id}")

    try:
        yield write
        if under_way is not None:
            await under_way
    finally:
        if under_way is not None:
            under_way.cancel()
            await asyncio.gather(under_way, return_exceptions=True)


async def _write(campaign: Campaign, decisions: Sequence[Decision], setup: Setup) -> None:
    now = documents.now()
    campaign_id, channel = campaign.id, campaign.channel
    messages = [decision.stored(campaign_id, channel, now) for decision in decisions]
    to_send = [str(message["_id"]) for message in messages if message["status"] == MessageStatus.PENDING]
    parts = [to_send[at : at + setup.vendor_batch_size] for at in range(0, len(to_send), setup.vendor_batch_size)]
    stretches = [
        {"_id": PydanticObjectId(), "campaign_id": campaign.id, "first": part[0], "last": part[-1], "due_at": now}
        for part in parts
    ]

    async def work(entry: ledger.Entry) -> None:
        changes = {"planned_to": decisions[-1].customer_id, "lease_until": now + setup.lease}
        await _change(campaign, changes, entry)
        await documents.Message.get_pymongo_collection().insert_many(messages, ordered=False, session=entry.session)
        if stretches:
            await documents.Batch.get_pymongo_collection().insert_many(stretches, session=entry.session)
        for (status, reason), count in Counter((each.status, each.skip_reason) for each in decisions).items():
            entry.count(campaign.id, status, count, reason)

    await ledger.write(work, now)


@asynccontextmanager
async def _kept(campaign: Campaign, setup: Setup) -> AsyncIterator[None]:
    """Prolong the lease meanwhile: a step may wait long for a difficult audience."""

    async def keep() -> None:
        # Once it is lost, or the database is, the next step will tell.
        with contextlib.suppress(LeaseLost, PyMongoError):
            while True:
                await asyncio.sleep(setup.lease.total_seconds() / 3)
                await _change(campaign, {"lease_until": documents.now() + setup.lease})

    keeper = asyncio.create_task(keep(), name=f"lease of campaign {campaign.id}")
    try:
        yield
    finally:
        keeper.cancel()


async def _change(campaign: Campaign, changes: Mapping[str, object], entry: ledger.Entry | None = None) -> None:
    """Change the campaign for as long as it is ours to plan; raises LeaseLost when it is not."""
    result = await Campaign.get_pymongo_collection().update_one(
        {"_id": campaign.id, "status": CampaignStatus.PLANNING.value, "lease": campaign.lease},
        ledger.update(changes),
        session=entry.session if entry else None,
    )
    if not result.matched_count:
        raise LeaseLost(str(campaign.id))


def _count(plan: FlightPlan, decision: Decision) -> None:
    if decision.skip_reason is not None:
        plan.skipped[decision.skip_reason.value] += 1
    elif decision.status is MessageStatus.HELD_OUT:
        plan.held_out += 1
    else:
        plan.to_send += 1
        if len(plan.samples) < SAMPLES:
            plan.samples.append(decision)
