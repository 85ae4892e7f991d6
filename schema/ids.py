"""Ids in arguments: a text that is not an id is one that nothing has, not an error."""

from beanie import PydanticObjectId
from bson import ObjectId


def object_id(text: str) -> PydanticObjectId | None:
    """The id that a client sent; None when it cannot be the id of anything."""
    return PydanticObjectId(text) if ObjectId.is_valid(text) else None
