"""Who is asking: what the endpoint needs to know of authentication, which lives elsewhere."""

from collections.abc import Hashable
from datetime import datetime
from typing import Protocol, TypeVar

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
        """The caller behind an Authorization value, or nobody; raises Unauthenticated when it is no good."""

    def open(self, viewer: V) -> Context:
        """A fresh context, so that what its loaders have read never goes stale."""
