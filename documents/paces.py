"""Paces: how fast campaigns with a limit may be sent, by all processes together."""

from beanie import Document, PydanticObjectId


class Pace(Document):
    """`_id` is the campaign's. Up to `spent_to`, in seconds since 1970, what its rate allows is spent.

    A float, because a date's milliseconds are coarser than one message of a fast campaign.
    """

    id: PydanticObjectId
    spent_to: float

    class Settings:
        name = "paces"
