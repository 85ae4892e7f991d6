"""Who is asking: what the endpoint needs to know of authentication, which lives elsewhere."""

import asyncio
from collections.abc import Hashable
from datetime import datetime
from typing import Protocol, TypeVar

import errors

# With the moment for which sessions are remembered, less than the minute within which a logout is promised to work.
RECHECK_SECONDS = 30.0

V = TypeVar("V")


class Context(Protocol):
    """What one operation's resolvers can reach. We ask of it only who the caller is, and what they may do how long."""

    @property
    def caller(self) -> str | None:
        """What the caller is known by; None for nobody."""

    @property
    def rights(self) -> Hashable:
        """What may be shown to the caller: to others of equal rights, the same. None when that is nobody else's."""

    @property
    def expires_at(self) -> datetime | None:
        """When the caller's credentials end; None when they do not."""


class Contexts(Protocol[V]):
    """Proves who is asking once for a connection, then opens a context for each of its operations."""

    async def authenticate(self, authorization: str | None) -> V:
        """The caller behind an Authorization value, or nobody.

        Raises Unauthenticated when it is no good, and Unavailable when that cannot be known now.
        """

    def open(self, viewer: V) -> Context:
        """A fresh context, so that what its loaders have read never goes stale."""


async def until_refused(
    contexts: Contexts[V], authorization: str | None, rights: Hashable, recheck_seconds: float = RECHECK_SECONDS
) -> str:
    """Why an Authorization value is no good any more, or for other rights than these, once that is so.

    Who has proved once who they are may keep a connection for hours, in which they sign out or are shut out.
    """
    while True:
        await asyncio.sleep(recheck_seconds)
        try:
            viewer = await contexts.authenticate(authorization)
        except errors.Unauthenticated as refused:
            return refused.message
        except errors.Unavailable:
            continue
        if contexts.open(viewer).rights != rights:
            return "The role has changed."
