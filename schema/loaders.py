"""Batched look-ups behind nested links: one query a level, however many parents."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from functools import cached_property
from typing import TypeVar

from beanie import PydanticObjectId
from strawberry.dataloader import DataLoader

import documents
import resolvers.campaigns
import resolvers.customers
import resolvers.duplicates
import resolvers.imports
import resolvers.messages
import resolvers.orders
import resolvers.segments
import resolvers.users
from delivery import answers, tallies
from delivery.tallies import Stats
from documents import MessageStatus
from resolvers.pages import Page, PageRequest, Record
from segmentation.dates import AsOf

WhichMessages = tuple[frozenset[MessageStatus] | None, PageRequest]

H = TypeVar("H", bound=Hashable)
K = TypeVar("K")
P = TypeVar("P")
T = TypeVar("T")


class Loaders:
    """The loaders of one operation, each made when it is first used; what depends on time is as of one instant."""

    def __init__(self, as_of: AsOf) -> None:
        self._as_of = as_of

    @cached_property
    def user(self) -> DataLoader[PydanticObjectId, documents.User | None]:
        """Users by id; None for one that is gone."""
        return _by_id(resolvers.users.find_many)

    @cached_property
    def customer(self) -> DataLoader[PydanticObjectId, Record | None]:
        """Customers, as they are stored, by id; None for one that is gone."""
        return _by_id(resolvers.customers.find_many)

    @cached_property
    def campaign(self) -> DataLoader[PydanticObjectId, documents.Campaign | None]:
        """Campaigns by id; None for one that is gone."""
        return _by_id(resolvers.campaigns.find_many)

    @cached_property
    def segment(self) -> DataLoader[PydanticObjectId, documents.Segment | None]:
        """Segments by id; None for one that is gone."""
        return _by_id(resolvers.segments.find_many)

    @cached_property
    def segments_of_customer(self) -> DataLoader[PydanticObjectId, list[documents.Segment] | None]:
        """The segments that customers belong to, by the customer's id."""
        return _by_id(lambda ids: resolvers.segments.of_customers(ids, self._as_of))

    @cached_property
    def faulty_rows(self) -> DataLoader[PydanticObjectId, list[documents.FaultyRow] | None]:
        """The rows at fault that are kept of imports, by the import's id."""
        return _by_id(resolvers.imports.faulty_rows)

    @cached_property
    def merged(self) -> DataLoader[PydanticObjectId, list[Mapping[str, object]] | None]:
        """Those who were merged into customers, by the customer's id."""
        return _by_id(resolvers.duplicates.merged)

    @cached_property
    def receipts(self) -> DataLoader[str, list[Mapping[str, object]] | None]:
        """The receipts of messages, by the message's id."""
        return _by_id(resolvers.messages.receipts_of)

    @cached_property
    def id_at_vendor(self) -> DataLoader[tuple[PydanticObjectId, str], str | None]:
        """The vendor's ids of messages, by the call and the key under which it accepted them."""
        return _by_id(answers.ids_at_vendor)

    @cached_property
    def stats(self) -> DataLoader[PydanticObjectId, Stats | None]:
        """The counters of campaigns."""
        return _by_id(tallies.stats)

    @cached_property
    def orders_of_customer(self) -> DataLoader[tuple[PydanticObjectId, PageRequest], Page[Record]]:
        """Pages of the orders of customers."""
        return _by_parent(resolvers.orders.pages_of_customers)

    @cached_property
    def messages_of_customer(self) -> DataLoader[tuple[PydanticObjectId, PageRequest], Page[Record]]:
        """Pages of the messages to customers."""
        return _by_parent(resolvers.messages.pages_of_customers)

    @cached_property
    def messages_of_campaign(self) -> DataLoader[tuple[PydanticObjectId, WhichMessages], Page[Record]]:
        """Pages of the messages of campaigns, those with some statuses."""
        return _by_parent(lambda ids, which: resolvers.messages.pages_of_campaigns(ids, *which))


def _by_parent(
    find: Callable[[list[P], H], Awaitable[Mapping[P, Page[Record]]]],
) -> DataLoader[tuple[P, H], Page[Record]]:
    """Pages by what they belong to and how they are asked for: one query for all that are asked for alike."""

    async def load(keys: list[tuple[P, H]]) -> list[Page[Record] | BaseException]:
        parents: dict[H, list[P]] = {}
        for parent, how in keys:
            parents.setdefault(how, []).append(parent)
        found = await asyncio.gather(*(find(of, how) for how, of in parents.items()), return_exceptions=True)
        results = dict(zip(parents, found, strict=True))
        return [each if isinstance(each := results[how], BaseException) else each[parent] for parent, how in keys]

    return DataLoader(load_fn=load)


def _by_id(find: Callable[[Iterable[K]], Awaitable[Mapping[K, T]]]) -> DataLoader[K, T | None]:
    async def load(ids: list[K]) -> list[T | None]:
        found = await find(ids)
        return [found.get(id_) for id_ in ids]

    return DataLoader(load_fn=load)
