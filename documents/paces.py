"""Paces: how fast campaigns with a limit may be sent, by all processes together."""

from datetime import datetime

from beanie import Document, PydanticObjectId


class Pace(Document):
    """`_id` is the campaign's. Until `free_at`, what the campaign's rate allows is spoken for."""

    id: PydanticObjectId
    free_at: datetime

    class Settings:
        name = "paces"
