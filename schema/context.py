"""What every field can reach: who is asking, the services that the server composed, and this operation's loaders."""

from dataclasses import dataclass, field
from datetime import datetime

from strawberry.types import Info

import errors
from auth import Viewer
from delivery import Setup
from delivery.live import Feed
from delivery.planning import Walk
from ingestion import Policy
from resolvers.sessions import Sessions
from resolvers.users import Registration
from schema import access
from schema.loaders import Loaders


@dataclass(frozen=True, slots=True)
class Services:
    """What server.py makes once and every operation shares."""

    sessions: Sessions
    registration: Registration
    delivery: Setup
    walk: Walk
    feed: Feed
    policy: Policy = field(default_factory=Policy)


@dataclass(slots=True)
class Context:
    """One operation's context: made anew for each, over WebSocket too, so that loaders never go stale."""

    viewer: Viewer | None
    services: Services
    loaders: Loaders = field(default_factory=Loaders)

    @property
    def expires_at(self) -> datetime | None:
        """When the viewer's token ends; None for nobody and for API keys."""
        return self.viewer.expires_at if self.viewer else None

    def require(self, root_field: str) -> Viewer:
        """The viewer, when their role may use this root field; raises Unauthenticated or Forbidden otherwise."""
        if self.viewer is None:
            raise errors.Unauthenticated("Sign in first.")
        if self.viewer.role not in access.ROLES[root_field]:
            raise errors.Forbidden(f"The role {self.viewer.role} may not use {root_field}.")
        return self.viewer


EngineInfo = Info[Context, None]


@dataclass(frozen=True, slots=True)
class ContextFactory:
    """Opens contexts: proves who is asking once, then makes as many as the connection has operations."""

    services: Services

    async def authenticate(self, authorization: str | None) -> Viewer | None:
        """The viewer behind an Authorization value; raises Unauthenticated when there is one that is no good."""
        return await self.services.sessions.viewer(authorization) if authorization else None

    def open(self, viewer: Viewer | None) -> Context:
        """A fresh context for one operation."""
        return Context(viewer, self.services)
