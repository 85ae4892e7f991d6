"""The state of things on one page."""

from decimal import Decimal
from typing import Annotated

import strawberry

import documents
import resolvers.overview
from schema.campaigns import Campaign, CampaignStats
from schema.context import EngineInfo

ROOT = "overview"


@strawberry.type(description="How many campaigns have a status.")
class CampaignStatusCount:
    """How many campaigns have a status."""

    status: documents.CampaignStatus = strawberry.field(description="The status.")
    count: int = strawberry.field(description="How many campaigns have it.")


@strawberry.type(description="The state of things on one page. Each figure is worked out when it is asked for.")
class Overview:
    """The state of things on one page."""

    @strawberry.field(description="How many customers there are.")
    async def customers(self, info: EngineInfo) -> int:
        return await resolvers.overview.customers(info.context.require(ROOT))

    @strawberry.field(description="How many orders there are, whatever their status.")
    async def orders(self, info: EngineInfo) -> int:
        return await resolvers.overview.orders(info.context.require(ROOT))

    @strawberry.field(description="What the COMPLETED orders add up to, less refunds.")
    async def revenue(self, info: EngineInfo) -> Decimal:
        return await resolvers.overview.revenue(info.context.require(ROOT))

    @strawberry.field(description="How many segments are saved.")
    async def segments(self, info: EngineInfo) -> int:
        return await resolvers.overview.segments(info.context.require(ROOT))

    @strawberry.field(description="How many campaigns stand where; statuses without any are left out.")
    async def campaigns_by_status(self, info: EngineInfo) -> list[CampaignStatusCount]:
        counts = await resolvers.overview.campaigns_by_status(info.context.require(ROOT))
        return [CampaignStatusCount(status=status, count=count) for status, count in counts.items()]

    @strawberry.field(description="The counters of the campaigns launched in the last 30 days, together.")
    async def messages_last30_days(self, info: EngineInfo) -> CampaignStats:
        return CampaignStats.of(await resolvers.overview.recent_messages(info.context.require(ROOT)))

    @strawberry.field(description="The campaigns made last, the newest first.")
    async def recent_campaigns(
        self, info: EngineInfo, first: Annotated[int | None, strawberry.argument(description="How many at most.")] = 5
    ) -> list[Campaign]:
        newest = await resolvers.overview.recent_campaigns(info.context.require(ROOT), 5 if first is None else first)
        return [Campaign.of(each) for each in newest]


@strawberry.type
class OverviewQuery:
    """The one page."""

    @strawberry.field(description="The state of things on one page.")
    async def overview(self, info: EngineInfo) -> Overview:
        info.context.require(info.field_name)
        return Overview()
