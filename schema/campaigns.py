"""Campaigns: what is said to whom, sending it, and watching it arrive."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

import documents
import errors
import resolvers.campaigns
from delivery.tallies import Stats
from documents import CampaignStatus, Channel
from schema import pages
from schema.context import EngineInfo
from schema.enums import publish
from schema.ids import object_id, some_id
from schema.payloads import Payload
from schema.scalars import SegmentRules
from schema.segments import Segment
from schema.users import User

publish(
    Channel, "The way a message travels.", SMS="To the customer's phone.", EMAIL="To the customer's e-mail address."
)
publish(
    CampaignStatus,
    "Where a campaign stands.",
    DRAFT="Being made.",
    SCHEDULED="Launches by itself at scheduledAt.",
    PLANNING="Launched: what becomes of each member of the audience is being decided.",
    RUNNING="Messages are being sent, or their receipts awaited.",
    PAUSED="Nothing more is sent until it is resumed.",
    COMPLETED="Ended; late receipts still count.",
    CANCELLED="Ended early; what was not sent is called off.",
    FAILED="Could not be planned; statusReason says why.",
)

WhichCampaign = Annotated[strawberry.ID, strawberry.argument(description="Which campaign.")]


@strawberry.type(
    description="audience = pending + sending + sent + delivered + failed + skipped + heldOut + cancelled, at every "
    "moment."
)
class CampaignStats:
    """A campaign's counters."""

    audience: int = strawberry.field(description="All members of the audience whose outcome is decided or under way.")
    pending: int = strawberry.field(description="To be sent.")
    sending: int = strawberry.field(description="On their way to the vendor.")
    sent: int = strawberry.field(description="Accepted by the vendor; no receipt yet.")
    delivered: int = strawberry.field(description="Delivered.")
    failed: int = strawberry.field(description="Refused, out of attempts, or not delivered.")
    skipped: int = strawberry.field(description="Not sent, for the reason that each message names.")
    held_out: int = strawberry.field(description="Not sent, for comparison.")
    cancelled: int = strawberry.field(description="Called off before they were sent.")
    delivery_rate: float | None = strawberry.field(
        description="delivered / (delivered + failed), null before the first outcome."
    )

    @classmethod
    def of(cls, stats: Stats) -> "CampaignStats":
        """The counters as clients see them."""
        return cls(
            audience=stats.audience,
            pending=stats.pending,
            sending=stats.sending,
            sent=stats.sent,
            delivered=stats.delivered,
            failed=stats.failed,
            skipped=stats.skipped,
            held_out=stats.held_out,
            cancelled=stats.cancelled,
            delivery_rate=stats.delivery_rate,
        )


@strawberry.type(description="One text of a campaign.")
class MessageVariant:
    """One text of a campaign."""

    name: str = strawberry.field(description="Its name, which each message bears.")
    weight: int = strawberry.field(description="Its share, against the other variants' weights.")
    subject: str | None = strawberry.field(description="The subject's Liquid template; e-mail only.")
    body: str = strawberry.field(description="The body's Liquid template.")


@strawberry.type(description="What is said to whom, and how far it has got.")
class Campaign:
    """A campaign."""

    document: strawberry.Private[documents.Campaign]
    id: strawberry.ID = strawberry.field(description="The campaign's id.")
    name: str = strawberry.field(description="The campaign's name; templates know it as campaign.name.")
    status: CampaignStatus = strawberry.field(description="Where it stands.")
    rules: SegmentRules | None = strawberry.field(description="The rules as they stood at launch.")
    channel: Channel = strawberry.field(description="The way its messages travel.")
    variants: list[MessageVariant] = strawberry.field(description="Its texts; one, unless there is a test.")
    holdout_percent: float = strawberry.field(description="The share of the audience that is held out for comparison.")
    rate_per_second: int | None = strawberry.field(description="How many messages a second at most.")
    conversion_window_days: int = strawberry.field(
        description="For how many days after its message a customer's order counts as caused by it."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    scheduled_at: datetime | None = strawberry.field(description="When it launches, or was to launch, by itself.")
    launched_at: datetime | None = strawberry.field(description="When it was launched; the audience is as of then.")
    completed_at: datetime | None = strawberry.field(description="When it was completed.")
    status_reason: str | None = strawberry.field(
        description="Why it waits, is PAUSED or FAILED, in words, when the system did it."
    )

    @classmethod
    def of(cls, document: documents.Campaign) -> "Campaign":
        """The campaign as clients see it."""
        return cls(
            document=document,
            id=strawberry.ID(str(document.id)),
            name=document.name,
            status=document.status,
            rules=None if document.rules is None else SegmentRules(document.rules),
            channel=document.channel,
            variants=[
                MessageVariant(name=each.name, weight=each.weight, subject=each.subject, body=each.body)
                for each in document.variants
            ],
            holdout_percent=document.holdout_percent,
            rate_per_second=document.rate_per_second,
            conversion_window_days=document.conversion_window_days,
            created_at=document.created_at,
            scheduled_at=document.scheduled_at,
            launched_at=document.launched_at,
            completed_at=document.completed_at,
            status_reason=document.status_reason,
        )

    @strawberry.field(description="The counters, as of now.")
    async def stats(self, info: EngineInfo) -> CampaignStats:
        return CampaignStats.of(await info.context.loaders.stats.load(self.document.id) or Stats())

    @strawberry.field(description="Whom it is meant for; null once the segment is deleted.")
    async def segment(self, info: EngineInfo) -> Segment | None:
        info.context.require("segment")  # a message leads here, and whoever reads messages
        found = await info.context.loaders.segment.load(self.document.segment_id)
        return Segment.of(found) if found else None

    @strawberry.field(description="Who made it; null once the user is gone.")
    async def created_by(self, info: EngineInfo) -> User | None:
        info.context.require("campaign")
        author = self.document.created_by
        user = await info.context.loaders.user.load(author) if author else None
        return User.of(user) if user else None


@strawberry.input(description="Finds campaigns. All given parts must hold.")
class CampaignFilter:
    """Which campaigns."""

    status: list[CampaignStatus] | None = strawberry.field(default=None, description="Standing in one of these.")
    segment_id: strawberry.ID | None = strawberry.field(default=None, description="To this segment.")
    search: str | None = strawberry.field(default=None, description="Part of the name.")

    def plain(self) -> resolvers.campaigns.CampaignFilter:
        """The filter without GraphQL."""
        segment_id = None if self.segment_id is None else object_id(self.segment_id) or str(self.segment_id)
        return resolvers.campaigns.CampaignFilter(self.status, segment_id, self.search)


@strawberry.input(description="One text of a campaign.")
class MessageVariantInput:
    """One text of a campaign."""

    name: str = strawberry.field(description="Its name, its own among the variants.")
    weight: int = strawberry.field(default=1, description="Its share, against the other variants' weights; 1 or more.")
    subject: str | None = strawberry.field(default=None, description="A Liquid template; needed for EMAIL.")
    body: str = strawberry.field(description="A Liquid template.")


@strawberry.input(description="A new campaign. Templates can name customer.*, campaign.name and now.")
class CreateCampaignInput:
    """A new campaign."""

    name: str = strawberry.field(description="The campaign's name.")
    segment_id: strawberry.ID = strawberry.field(description="Who is meant.")
    channel: Channel = strawberry.field(default=Channel.SMS, description="The way the messages travel.")
    subject: str | None = strawberry.field(default=None, description="A Liquid template; for EMAIL, with body.")
    body: str | None = strawberry.field(
        default=None,
        description='Liquid template, e.g. Hi {{ customer.name | default: "there" }}. Give body (and subject for '
        "EMAIL) or variants.",
    )
    variants: list[MessageVariantInput] | None = strawberry.field(
        default=None, description="Several texts to try against one another, instead of body and subject."
    )
    holdout_percent: float = strawberry.field(
        default=0, description="The share of the audience to hold out for comparison, from 0 to below 100."
    )
    rate_per_second: int | None = strawberry.field(
        default=None, description="How many messages a second at most, by all senders together."
    )
    conversion_window_days: int = strawberry.field(
        default=7, description="For how many days after its message an order counts; 1 to 365."
    )
    scheduled_at: datetime | None = strawberry.field(default=None, description="Launches by itself at this time.")

    def plain(self) -> resolvers.campaigns.Draft:
        """The draft without GraphQL."""
        return resolvers.campaigns.Draft(
            name=self.name,
            segment_id=object_id(self.segment_id),
            channel=self.channel,
            subject=self.subject,
            body=self.body,
            variants=None
            if self.variants is None
            else [
                documents.Variant(name=each.name, weight=each.weight, subject=each.subject, body=each.body)
                for each in self.variants
            ],
            holdout_percent=self.holdout_percent,
            rate_per_second=self.rate_per_second,
            conversion_window_days=self.conversion_window_days,
            scheduled_at=self.scheduled_at,
        )


@strawberry.type(description="The campaign as it is now.")
class CampaignPayload(Payload):
    """The campaign as it is now."""

    campaign: Campaign | None = strawberry.field(default=None, description="The campaign; null when it was refused.")

    @classmethod
    async def after(cls, move: Awaitable[documents.Campaign], *path: str) -> "CampaignPayload":
        """The payload once the campaign has moved, or was refused to; `path` names the argument that says which."""
        try:
            return cls(campaign=Campaign.of(await move))
        except errors.Fault as fault:
            return cls.refused(fault, *path)


@strawberry.type
class CampaignQuery:
    """Finding campaigns."""

    @strawberry.field(description="One campaign; null when there is none with this id.")
    async def campaign(self, info: EngineInfo, id: WhichCampaign) -> Campaign | None:
        viewer = info.context.require(info.field_name)
        id_ = object_id(id)
        found = await resolvers.campaigns.find(viewer, id_) if id_ else None
        return Campaign.of(found) if found else None

    @strawberry.field(description="Campaigns, the newest first.")
    async def campaigns(
        self,
        info: EngineInfo,
        filter: Annotated[CampaignFilter | None, strawberry.argument(description="Which campaigns.")] = None,
        first: pages.First = UNSET,
        after: pages.After = UNSET,
        last: pages.Last = UNSET,
        before: pages.Before = UNSET,
    ) -> pages.Connection[Campaign]:
        viewer = info.context.require(info.field_name)
        request = pages.request(first, after, last, before)
        page = await resolvers.campaigns.page(viewer, (filter or CampaignFilter()).plain(), request)
        return pages.Connection.of(page.map(Campaign.of))


@strawberry.type
class CampaignMutation:
    """Making campaigns, and moving them."""

    @strawberry.mutation(description="A new campaign. All that is wrong with it is told at once.")
    async def create_campaign(
        self,
        info: EngineInfo,
        input: Annotated[CreateCampaignInput, strawberry.argument(description="The campaign.")],
    ) -> CampaignPayload:
        viewer = info.context.require(info.field_name)
        return await CampaignPayload.after(resolvers.campaigns.create(viewer, input.plain()), "input")

    @strawberry.mutation(
        description="Launch a draft, or a scheduled campaign before its time. Answers at once; planning and sending "
        "go on in the background."
    )
    async def launch_campaign(self, info: EngineInfo, id: WhichCampaign) -> CampaignPayload:
        viewer = info.context.require(info.field_name)
        return await CampaignPayload.after(resolvers.campaigns.launch(viewer, some_id(id)), "id")

    @strawberry.mutation(description="Send nothing more for now. What the vendor has already takes its course.")
    async def pause_campaign(self, info: EngineInfo, id: WhichCampaign) -> CampaignPayload:
        viewer = info.context.require(info.field_name)
        return await CampaignPayload.after(resolvers.campaigns.pause(viewer, some_id(id)), "id")

    @strawberry.mutation(description="Go on with a paused campaign.")
    async def resume_campaign(self, info: EngineInfo, id: WhichCampaign) -> CampaignPayload:
        viewer = info.context.require(info.field_name)
        return await CampaignPayload.after(resolvers.campaigns.resume(viewer, some_id(id)), "id")

    @strawberry.mutation(description="End a campaign; what is not sent yet is called off.")
    async def cancel_campaign(self, info: EngineInfo, id: WhichCampaign) -> CampaignPayload:
        viewer = info.context.require(info.field_name)
        return await CampaignPayload.after(resolvers.campaigns.cancel(viewer, some_id(id)), "id")

    @strawberry.mutation(
        description="Send again to those whose message FAILED, as new attempts of the same messages. A completed "
        "campaign runs again."
    )
    async def retry_failed_messages(
        self,
        info: EngineInfo,
        campaign_id: WhichCampaign,
    ) -> CampaignPayload:
        viewer = info.context.require(info.field_name)
        move = resolvers.campaigns.retry_failed(viewer, some_id(campaign_id))
        return await CampaignPayload.after(move, "campaignId")
