"""The state of things on one page. Each figure is asked for by itself, since some cost more than others."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from pymongo.asynchronous.collection import AsyncCollection

import documents
import errors
from auth import Viewer
from delivery import tallies
from delivery.tallies import Stats
from documents import Campaign, CampaignStatus, OrderStatus
from resolvers.pages import LARGEST_SIZE

RECENT = timedelta(days=30)


async def customers(viewer: Viewer) -> int:
    """How many customers there are."""
    return await _count(documents.Customer.get_pymongo_collection())


async def orders(viewer: Viewer) -> int:
    """How many orders there are, whatever their status."""
    return await _count(documents.Order.get_pymongo_collection())


async def segments(viewer: Viewer) -> int:
    """How many segments are saved."""
    return await _count(documents.Segment.get_pymongo_collection())


async def revenue(viewer: Viewer) -> Decimal:
    """What the COMPLETED orders add up to, less refunds. Reads every order: some 1 s for a million."""
    pipeline: list[Mapping[str, object]] = [
        {"$match": {"status": OrderStatus.COMPLETED.value}},
        {"$group": {"_id": None, "net": {"$sum": {"$subtract": ["$amount", "$payment.refunded_amount"]}}}},
    ]
    async with await documents.Order.get_pymongo_collection().aggregate(pipeline) as sums:
        return sum([Decimal(row["net"]) async for row in sums], Decimal(0))


async def campaigns_by_status(viewer: Viewer) -> Mapping[CampaignStatus, int]:
    """How many campaigns stand where; statuses without any are left out."""
    pipeline: list[Mapping[str, object]] = [
        {"$group": {"_id": "$status", "count": {"$sum": 1}}},
        {"$sort": {"_id": 1}},
    ]
    async with await documents.Campaign.get_pymongo_collection().aggregate(pipeline) as groups:
        return {CampaignStatus(group["_id"]): group["count"] async for group in groups}


async def recent_messages(viewer: Viewer) -> Stats:
    """The counters of all campaigns that were launched in the last 30 days, together."""
    launched = {"launched_at": {"$gte": documents.now() - RECENT}}
    ids = await documents.Campaign.get_pymongo_collection().distinct("_id", launched)
    each = (await tallies.stats(ids)).values()
    return Stats(**{name: sum(getattr(stats, name) for stats in each) for name in Stats.__dataclass_fields__})


async def recent_campaigns(viewer: Viewer, count: int) -> list[Campaign]:
    """The campaigns made last, the newest first. Raises InvalidInput for a count that is no page's."""
    if not 0 <= count <= LARGEST_SIZE:
        raise errors.InvalidInput(f"first must be between 0 and {LARGEST_SIZE}.", ["first"])
    return await Campaign.find().sort("-created_at", "-_id").limit(count).to_list() if count else []


async def _count(collection: AsyncCollection[dict[str, object]]) -> int:
    # The collection's own figure is free, but it may be off after a crash; with the hint only the index is read.
    return await collection.count_documents({}, hint="_id_")
