"""The pace of a campaign with a limit: a bucket of tokens in the database, which all processes draw from.

It is read and spent in the transaction that claims, so that two processes cannot spend one token twice, and a claim
that finds less than it might take spends only what it took.
"""

from datetime import datetime

from beanie import PydanticObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

import documents

# What may be sent at once after a lull. In no second does a campaign exceed its rate by more than this share of it.
BURST_SECONDS = 0.2


async def allowed(campaign_id: PydanticObjectId, rate: int, now: datetime, session: AsyncClientSession) -> int:
    """How many messages may be sent now; 0 until it is worth a call."""
    spent_to = await _spent_to(campaign_id, rate, now, session)
    tokens = (now.timestamp() - spent_to) * rate
    return int(tokens + 1e-6) if tokens >= max(1 - 1e-6, rate * BURST_SECONDS / 2) else 0


async def spend(
    campaign_id: PydanticObjectId, rate: int, count: int, now: datetime, session: AsyncClientSession
) -> None:
    """Take what `allowed` told, or less."""
    spent_to = await _spent_to(campaign_id, rate, now, session) + count / rate
    await documents.Pace.get_pymongo_collection().update_one(
        {"_id": campaign_id}, {"$set": {"spent_to": spent_to}}, upsert=True, session=session
    )


async def _spent_to(campaign_id: PydanticObjectId, rate: int, now: datetime, session: AsyncClientSession) -> float:
    pace = await documents.Pace.get_pymongo_collection().find_one({"_id": campaign_id}, session=session)
    full = now.timestamp() - max(1 / rate, BURST_SECONDS)
    return max(full, float(pace["spent_to"])) if pace else full
