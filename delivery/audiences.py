"""Whom a campaign is for: its frozen rules, as of the instant at which it was launched."""

from collections.abc import AsyncIterator, Sequence

from beanie import PydanticObjectId

import documents
from delivery.deciding import Member
from delivery.planning import Walk
from documents import Campaign
from segmentation import audience, rules
from segmentation.dates import Calendar


def walker(calendar: Calendar) -> Walk:
    """The walk through the audience of any campaign, in the server's time zone."""

    async def walk(
        campaign: Campaign, after: PydanticObjectId | None, fields: Sequence[str]
    ) -> AsyncIterator[Sequence[Member]]:
        as_of = calendar.as_of(campaign.as_of or documents.now())
        async for batch in audience.batches(rules.read(campaign.rules), as_of, after, fields):
            yield batch  # type: ignore[misc]  # a record with an _id, and whatever fields there are

    return walk
