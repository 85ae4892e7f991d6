"""Ids in arguments: a text that is not an id is one that nothing has, not an error."""

from beanie import PydanticObjectId
from bson import ObjectId


def object_id(text: str) -> PydanticObjectId | None:
    """The id that a client sent; None when it cannot be the id of anything."""
    return PydanticObjectId(text) if ObjectId.is_valid(text) else None


def some_id(text: str) -> PydanticObjectId:
    """The id that a client sent; when it cannot be the id of anything, a fresh one, which nothing has either."""
    return object_id(text) or PydanticObjectId()
