"""How far a campaign has got: watching it, holding its counters against its messages, and what launching would do."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime

import strawberry
from beanie import PydanticObjectId

import errors
import resolvers.campaigns
from delivery.deciding import Decision
from delivery.ledger import Check
from delivery.planning import FlightPlan as Plan
from delivery.topic import Progress
from documents import CampaignStatus
from schema.campaigns import Campaign, CampaignStats, WhichCampaign
from schema.context import EngineInfo
from schema.customers import Customer
from schema.ids import some_id
from schema.payloads import Payload
from schema.sharing import Event


@strawberry.type(description="How far a campaign has got. Coalesced: at most ten a second, always the last one.")
class CampaignProgress:
    """How far a campaign has got."""

    campaign: Campaign = strawberry.field(description="The campaign.")
    status: CampaignStatus = strawberry.field(description="Where it stands.")
    stats: CampaignStats = strawberry.field(description="The counters.")
    messages_per_second: float | None = strawberry.field(
        description="How many messages a second the vendor has taken lately; of a completed campaign, over all."
    )
    eta_seconds: float | None = strawberry.field(description="How long until all are sent, at that speed.")
    at: datetime = strawberry.field(description="When this was so.")

    @classmethod
    def of(cls, progress: Progress) -> "CampaignProgress":
        """The progress as clients see it."""
        return cls(
            campaign=Campaign.of(progress.campaign),
            status=progress.campaign.status,
            stats=CampaignStats.of(progress.stats),
            messages_per_second=progress.messages_per_second,
            eta_seconds=progress.eta_seconds,
            at=progress.at,
        )


@strawberry.type(description="The counters against a recount of the ledger, both as of one instant.")
class LedgerCheck:
    """The counters against a recount of the ledger."""

    consistent: bool = strawberry.field(description="Whether nothing has drifted, and nobody got a message twice.")
    stats: CampaignStats = strawberry.field(description="The counters.")
    recount: CampaignStats = strawberry.field(description="What counting the messages gives.")
    duplicate_messages: int = strawberry.field(description="How many deliveries of a message there were too many.")

    @classmethod
    def of(cls, check: Check) -> "LedgerCheck":
        """The check as clients see it."""
        return cls(
            consistent=check.consistent,
            stats=CampaignStats.of(check.stats),
            recount=CampaignStats.of(check.recount),
            duplicate_messages=check.duplicate_messages,
        )


@strawberry.type(description="How often a reason occurred.")
class ReasonCount:
    """How often a reason occurred."""

    reason: str = strawberry.field(description="The reason, e.g. NO_ADDRESS.")
    count: int = strawberry.field(description="How often it occurred.")


@strawberry.type(description="A message as it would be sent.")
class RenderedMessage:
    """A message as it would be sent."""

    customer_id: strawberry.Private[PydanticObjectId]
    recipient: str | None = strawberry.field(description="The address.")
    variant: str = strawberry.field(description="Which of the campaign's texts it is.")
    subject: str | None = strawberry.field(description="The subject; e-mail only.")
    body: str = strawberry.field(description="The text.")

    @classmethod
    def of(cls, decision: Decision) -> "RenderedMessage":
        """The message as clients see it."""
        return cls(
            customer_id=decision.customer_id,
            recipient=decision.recipient,
            variant=decision.variant,
            subject=decision.subject,
            body=decision.body,
        )

    @strawberry.field(description="To whom.")
    async def customer(self, info: EngineInfo) -> Customer:
        record = await info.context.loaders.customer.load(self.customer_id)
        if record is None:
            raise errors.NotFound("The customer is no more.")
        return Customer.of(record)


@strawberry.type(description="What launching would do, decided by the code that launches.")
class FlightPlan(Payload):
    """What launching would do."""

    audience: int = strawberry.field(default=0, description="How many customers the segment holds now.")
    to_send: int = strawberry.field(default=0, description="How many would be written to.")
    held_out: int = strawberry.field(default=0, description="How many would be held out for comparison.")
    skipped: list[ReasonCount] = strawberry.field(default_factory=list, description="How many would not, and why.")
    estimated_seconds: float | None = strawberry.field(
        default=None, description="How long sending would take; null when nothing limits it but the vendor."
    )
    samples: list[RenderedMessage] = strawberry.field(default_factory=list, description="The first few messages.")

    @classmethod
    def of(cls, plan: Plan) -> "FlightPlan":
        """The plan as clients see it."""
        return cls(
            audience=plan.audience,
            to_send=plan.to_send,
            held_out=plan.held_out,
            skipped=[ReasonCount(reason=reason, count=count) for reason, count in plan.skipped.most_common()],
            estimated_seconds=plan.estimated_seconds,
            samples=[RenderedMessage.of(sample) for sample in plan.samples],
        )


@strawberry.type
class ProgressQuery:
    """Looking ahead, and checking."""

    @strawberry.field(description="What launching a campaign now would do; nothing is written.")
    async def flight_plan(self, info: EngineInfo, campaign_id: WhichCampaign) -> FlightPlan:
        viewer = info.context.require(info.field_name)
        services = info.context.services
        try:
            plan = await resolvers.campaigns.flight_plan(viewer, services.delivery, services.walk, some_id(campaign_id))
        except errors.Fault as fault:
            return FlightPlan.refused(fault, "campaignId")
        return FlightPlan.of(plan)

    @strawberry.field(description="Recounts a campaign's messages; null when there is no such campaign.")
    async def verify_campaign(self, info: EngineInfo, id: WhichCampaign) -> LedgerCheck | None:
        viewer = info.context.require(info.field_name)
        check = await resolvers.campaigns.verify(viewer, some_id(id))
        return LedgerCheck.of(check) if check else None


@strawberry.type
class ProgressSubscription:
    """Watching campaigns."""

    @strawberry.subscription(
        graphql_type=CampaignProgress,
        description="First the present state, then every change, until the campaign has ended.",
    )
    async def campaign_progress(
        self, info: EngineInfo, campaign_id: WhichCampaign
    ) -> AsyncGenerator[Event[Progress, CampaignProgress], None]:
        viewer = info.context.require(info.field_name)
        feed = info.context.services.feed
        async with aclosing(resolvers.campaigns.watch(viewer, feed, some_id(campaign_id))) as watched:
            async for progress in watched:
                yield Event(progress, CampaignProgress.of)
