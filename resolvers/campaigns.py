"""Campaigns: making one, sending it on its way, and following how it gets on."""

import math
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from beanie import PydanticObjectId

import delivery.campaigns
import documents
import errors
from auth import Viewer
from delivery import Setup, deciding, ledger, planning
from delivery.ledger import Check
from delivery.live import Feed
from delivery.planning import FlightPlan, Walk
from delivery.topic import Progress
from documents import Campaign, CampaignStatus, Channel, Variant
from resolvers import pages, texts
from resolvers.pages import Page, PageRequest, Sort

LONGEST_NAME = 200
MOST_VARIANTS = 20
HEAVIEST_VARIANT = 1_000_000
FASTEST_RATE = 1_000_000
LONGEST_WINDOW_DAYS = 365
ONLY_VARIANT = "A"

_NEWEST_FIRST = Sort("created_at", descending=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A campaign as it is asked for: `body`, and `subject` for e-mail, or `variants`."""

    name: str
    segment_id: PydanticObjectId | None
    channel: Channel = Channel.SMS
    subject: str | None = None
    body: str | None = None
    variants: Sequence[Variant] | None = None
    holdout_percent: float = 0
    rate_per_second: int | None = None
    conversion_window_days: int = 7
    scheduled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CampaignFilter:
    """Which campaigns; all parts that are given must hold."""

    statuses: Sequence[CampaignStatus] | None = None
    segment_id: PydanticObjectId | str | None = None  # a text that is no id is nobody's
    search: str | None = None


async def create(viewer: Viewer, draft: Draft) -> Campaign:
    """A campaign that can be launched, or that launches by itself when it is scheduled. Raises Rejected."""
    now = documents.now()
    variants, faults = _variants(draft)
    faults += [*_faults(draft, now), *await _faults_of_segment(draft.segment_id)]
    if faults or draft.segment_id is None:
        raise errors.Rejected(faults)
    campaign = Campaign(
        name=draft.name.strip(),
        name_folded=documents.fold(draft.name),
        status=CampaignStatus.SCHEDULED if draft.scheduled_at else CampaignStatus.DRAFT,
        segment_id=draft.segment_id,
        channel=draft.channel,
        variants=list(variants),
        holdout_percent=draft.holdout_percent,
        rate_per_second=draft.rate_per_second,
        conversion_window_days=draft.conversion_window_days,
        created_by=viewer.id,
        created_at=now,
        updated_at=now,
        scheduled_at=draft.scheduled_at,
    )
    await campaign.insert()
    delivery.campaigns.note_move(campaign.id, campaign.status)
    return campaign


async def launch(viewer: Viewer, campaign_id: PydanticObjectId) -> Campaign:
    """Let it be planned and sent in the background. Raises NotFound, IllegalState."""
    return await delivery.campaigns.launch(campaign_id, documents.now())


async def pause(viewer: Viewer, campaign_id: PydanticObjectId) -> Campaign:
    """Send nothing more for now. Raises NotFound, IllegalState."""
    return await delivery.campaigns.pause(campaign_id, documents.now())


async def resume(viewer: Viewer, campaign_id: PydanticObjectId) -> Campaign:
    """Go on sending. Raises NotFound, IllegalState."""
    return await delivery.campaigns.resume(campaign_id, documents.now())


async def cancel(viewer: Viewer, campaign_id: PydanticObjectId) -> Campaign:
    """End it, and call off what is not sent yet. Raises NotFound, IllegalState."""
    return await delivery.campaigns.cancel(campaign_id, documents.now())


async def retry_failed(viewer: Viewer, campaign_id: PydanticObjectId) -> Campaign:
    """Send again to those whose message failed. Raises NotFound, IllegalState."""
    return await delivery.campaigns.retry_failed(campaign_id, documents.now())


async def flight_plan(viewer: Viewer, setup: Setup, walk: Walk, campaign_id: PydanticObjectId) -> FlightPlan:
    """What launching it now would do. Raises NotFound, and IllegalState when it was launched."""
    campaign = await find(viewer, campaign_id)
    if campaign is None:
        raise errors.NotFound("There is no such campaign.")
    if campaign.status not in delivery.campaigns.UNLAUNCHED:
        raise errors.IllegalState(f"The campaign is {campaign.status}: its plan has been carried out.")
    return await planning.preview(campaign, walk, setup, documents.now())


async def find(viewer: Viewer, campaign_id: PydanticObjectId) -> Campaign | None:
    """One campaign."""
    return await Campaign.get(campaign_id)


async def find_many(ids: Iterable[PydanticObjectId]) -> Mapping[PydanticObjectId, Campaign]:
    """Campaigns by id."""
    return {campaign.id: campaign async for campaign in Campaign.find({"_id": {"$in": list(ids)}})}


async def page(viewer: Viewer, filter: CampaignFilter, request: PageRequest) -> Page[Campaign]:
    """Campaigns that match, the newest first."""
    found = await pages.fetch(Campaign.get_pymongo_collection(), _matching(filter), request, _NEWEST_FIRST)
    return found.map(Campaign.model_validate)


async def verify(viewer: Viewer, campaign_id: PydanticObjectId) -> Check | None:
    """The counters against a recount; None when there is no such campaign."""
    return await ledger.verify(campaign_id) if await find(viewer, campaign_id) else None


async def watch(viewer: Viewer, feed: Feed, campaign_id: PydanticObjectId) -> AsyncGenerator[Progress]:
    """The present state, then every change, until it has ended. Raises NotFound."""
    if await find(viewer, campaign_id) is None:
        raise errors.NotFound("There is no such campaign.")
    async for progress in feed.progress(campaign_id):
        yield progress


def _matching(filter: CampaignFilter) -> dict[str, object]:
    conditions: dict[str, object] = {}
    if filter.statuses is not None:
        conditions["status"] = {"$in": [status.value for status in filter.statuses]}
    if filter.segment_id is not None:
        conditions["segment_id"] = filter.segment_id
    if searched := texts.searched(filter.search, "filter", "search"):
        conditions["name_folded"] = searched
    return conditions


def _faults(draft: Draft, now: datetime) -> list[errors.Fault]:
    """What is wrong with everything but the texts and the segment."""
    faults: list[errors.Fault] = []

    def check(holds: bool, field: str, text: str) -> None:
        if not holds:
            faults.append(errors.InvalidInput(text, [field]))

    if not draft.name.strip():
        faults.append(errors.Required("A name is needed.", ["name"]))
    faults += texts.faults(draft.name, "name")
    check(len(draft.name) <= LONGEST_NAME, "name", f"A name has at most {LONGEST_NAME} characters.")
    share = draft.holdout_percent
    check(math.isfinite(share) and 0 <= share < 100, "holdoutPercent", "The holdout is from 0 to below 100 percent.")
    rate = draft.rate_per_second
    check(rate is None or 1 <= rate <= FASTEST_RATE, "ratePerSecond", f"A rate is from 1 to {FASTEST_RATE}.")
    days = draft.conversion_window_days
    check(1 <= days <= LONGEST_WINDOW_DAYS, "conversionWindowDays", f"From 1 to {LONGEST_WINDOW_DAYS} days.")
    check(draft.scheduled_at is None or draft.scheduled_at >= now, "scheduledAt", "This time has passed.")
    return faults


async def _faults_of_segment(segment_id: PydanticObjectId | None) -> list[errors.Fault]:
    if segment_id is not None and await documents.Segment.get(segment_id) is not None:
        return []
    return [errors.NotFound("There is no such segment.", ["segmentId"])]


def _variants(draft: Draft) -> tuple[Sequence[Variant], list[errors.Fault]]:
    """The campaign's texts, however they were given, and what is wrong with them."""
    if draft.variants is not None:
        if draft.body is not None or draft.subject is not None:
            return (), [errors.InvalidInput("Give body and subject, or variants, but not both.", ["variants"])]
        return draft.variants, _faults_of_variants(draft.variants, draft.channel)
    if draft.body is None:
        return (), [errors.Required("Give a body, or variants.", ["body"])]
    variant = Variant(name=ONLY_VARIANT, subject=draft.subject, body=draft.body)
    return [variant], _faults_of_texts(variant, draft.channel)


def _faults_of_variants(variants: Sequence[Variant], channel: Channel) -> list[errors.Fault]:
    if not 1 <= len(variants) <= MOST_VARIANTS:
        return [errors.InvalidInput(f"There are from 1 to {MOST_VARIANTS} variants.", ["variants"])]
    faults: list[errors.Fault] = []
    names: set[str] = set()
    for index, variant in enumerate(variants):
        found = _faults_of_texts(variant, channel)
        name = variant.name.strip()
        if not 0 < len(name) <= LONGEST_NAME:
            found.append(errors.InvalidInput(f"A name has 1 to {LONGEST_NAME} characters.", ["name"]))
        elif name in names:
            found.append(errors.InvalidInput("Another variant has this name.", ["name"]))
        if not 1 <= variant.weight <= HEAVIEST_VARIANT:
            found.append(errors.InvalidInput(f"A weight is from 1 to {HEAVIEST_VARIANT}.", ["weight"]))
        names.add(name)
        faults += [fault.under("variants", str(index)) for fault in found]
    return faults


def _faults_of_texts(variant: Variant, channel: Channel) -> list[errors.Fault]:
    faults: list[errors.Fault] = []
    if channel is Channel.EMAIL and not (variant.subject or "").strip():
        faults.append(errors.Required("An e-mail needs a subject.", ["subject"]))
    if not variant.body.strip():
        faults.append(errors.Required("A body is needed.", ["body"]))
    for field, source in (("subject", variant.subject), ("body", variant.body)):
        faults += texts.faults(source, field)
        try:
            deciding.parsed(source or "", field)
        except errors.InvalidInput as fault:
            faults.append(fault)
    return faults
