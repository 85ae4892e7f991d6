"""Connections: how a page of records looks to a client.

A field returns `pages.Connection[Customer]`, which GraphQL knows as CustomerConnection:

    async def customers(self, first: pages.First = UNSET, after: pages.After = UNSET,
                        last: pages.Last = UNSET, before: pages.Before = UNSET) -> pages.Connection[Customer]:
        page = await resolvers.customers.page(…, pages.request(first, after, last, before))
        return pages.Connection.of(page.map(Customer.of))
"""

from typing import Annotated, Generic, TypeVar

import strawberry
from strawberry import UNSET

from resolvers.pages import Page, PageRequest

T = TypeVar("T")

First = Annotated[
    int | None, strawberry.argument(description="How many at most, from the start or after a cursor; 50 unless given.")
]
After = Annotated[str | None, strawberry.argument(description="Begin after the item with this cursor.")]
Last = Annotated[
    int | None, strawberry.argument(description="How many at most, from the end or before a cursor; not with first.")
]
Before = Annotated[str | None, strawberry.argument(description="End before the item with this cursor.")]


def request(first: int | None, after: str | None, last: int | None, before: str | None) -> PageRequest:
    """The page that these arguments ask for, unset ones included; raises InvalidInput when they make no sense."""
    return PageRequest(_given(first), _given(after), _given(last), _given(before))


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool = strawberry.field(description="Whether there are items after this page.")
    has_previous_page: bool = strawberry.field(description="Whether there are items before this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first item.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last item.")


@strawberry.type(description="An item of a page, with its place in the list.")
class Edge(Generic[T]):
    """An item of a page, with its place in the list."""

    cursor: str = strawberry.field(description="The item's place, for after and before.")
    node: T = strawberry.field(description="The item itself.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """A page of a list; counts the whole list only when asked."""

    page: strawberry.Private[Page[T]]
    nodes: list[T] = strawberry.field(description="The items of this page.")

    @classmethod
    def of(cls, page: Page[T]) -> "Connection[T]":
        """This page, as clients see it."""
        return cls(page=page, nodes=list(page.items))

    @strawberry.field(description="Where this page stands in the list.")
    def page_info(self) -> PageInfo:
        """Where this page stands in the list."""
        page = self.page
        return PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursors[0] if page.items else None,
            end_cursor=page.cursors[-1] if page.items else None,
        )

    @strawberry.field(description="The items of this page, each with its cursor.")
    def edges(self) -> list[Edge[T]]:
        """The items of this page, each with its cursor."""
        return [Edge(cursor=cursor, node=node) for cursor, node in zip(self.page.cursors, self.page.items, strict=True)]

    @strawberry.field(description="How many items there are in all. Counted when asked for.")
    async def total_count(self) -> int:
        """How many items there are in all."""
        return await self.page.count()


def _given(argument: T | None) -> T | None:
    return None if argument is UNSET else argument
