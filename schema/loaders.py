"""Batched look-ups behind nested links: one query a level, however many parents."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cached_property
from typing import TypeVar

from beanie import PydanticObjectId
from strawberry.dataloader import DataLoader

import documents
import resolvers.customers
import resolvers.users
from resolvers.pages import Record

T = TypeVar("T")


class Loaders:
    """The loaders of one operation, each made when it is first used."""

    @cached_property
    def user(self) -> DataLoader[PydanticObjectId, documents.User | None]:
        """Users by id; None for one that is gone."""
        return _by_id(resolvers.users.find_many)

    @cached_property
    def customer(self) -> DataLoader[PydanticObjectId, Record | None]:
        """Customers, as they are stored, by id; None for one that is gone."""
        return _by_id(resolvers.customers.find_many)


def _by_id(
    find: Callable[[Iterable[PydanticObjectId]], Awaitable[Mapping[PydanticObjectId, T]]],
) -> DataLoader[PydanticObjectId, T | None]:
    async def load(ids: list[PydanticObjectId]) -> list[T | None]:
        found = await find(ids)
        return [found.get(id_) for id_ in ids]

    return DataLoader(load_fn=load)
