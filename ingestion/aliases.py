"""Aliases: whom a key or an id means that belonged to a customer who was merged into another.

They are asked after the customers, never before: between the two questions a customer may have been merged, who would
then be found by neither.
"""

from collections.abc import Iterable
from typing import TypeVar

from beanie import PydanticObjectId
from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

import documents

Name = tuple[str, str | ObjectId]  # the name of a stored field, and a value
N = TypeVar("N", bound=Name)


async def owners(names: Iterable[N], session: AsyncClientSession | None = None) -> dict[N, PydanticObjectId]:
    """Who is meant by each of these keys and ids; those that nobody merged ever had are left out."""
    wanted: dict[str, list[object]] = {}
    asked: dict[tuple[str, object], N] = {}
    for name in names:
        asked[name] = name
        wanted.setdefault(name[0], []).append(name[1])
    aliases = documents.Alias.get_pymongo_collection()
    # Most have merged nobody; a thousand look-ups in an empty index still take their time to be written down.
    if not wanted or await aliases.find_one({}, ["_id"], session=session) is None:
        return {}
    anyone = {"$or": [{field: {"$in": values}} for field, values in wanted.items()]}
    # The latest last, whose word counts.
    found = await aliases.find(anyone, session=session).sort("merged_at").to_list()
    return {
        meant: PydanticObjectId(alias["customer_id"])
        for alias in found
        for field in wanted
        if (meant := asked.get((field, alias.get(field))))
    }


async def kept(
    ids: Iterable[PydanticObjectId], session: AsyncClientSession | None = None
) -> dict[PydanticObjectId, PydanticObjectId]:
    """Into whom each of these was merged; those who were not are left out."""
    found = await owners([("_id", id_) for id_ in ids], session)
    return {PydanticObjectId(id_): owner for (_, id_), owner in found.items()}
