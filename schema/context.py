"""What every field can reach: who is asking, the services that the server composed, and this operation's loaders."""

import logging
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from pymongo.errors import PyMongoError
from strawberry.types import Info

import documents
import errors
from ai.sentences import Sentences
from auth import Viewer
from delivery import Setup
from delivery.live import Feed
from delivery.planning import Walk
from documents import Role
from ingestion import Policy, progress
from resolvers.sentences import Reader, Reading
from resolvers.sessions import Sessions
from resolvers.users import Registration
from schema import access
from schema.loaders import Loaders
from segmentation.dates import AsOf, Calendar

log = logging.getLogger(__name__)

UTC = Calendar(ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True)
class Services:
    """What server.py makes once and every operation shares."""

    sessions: Sessions
    registration: Registration
    delivery: Setup
    walk: Walk
    feed: Feed
    policy: Policy = field(default_factory=Policy)
    imports: progress.Feed = field(default_factory=progress.Feed)
    calendar: Calendar = UTC
    reader: Reader = field(default_factory=Sentences)


@dataclass(slots=True)
class Context:
    """One operation's context: made anew for each, over WebSocket too, so that loaders never go stale."""

    viewer: Viewer | None
    services: Services
    loaders: Loaders = field(init=False)
    as_of: AsOf = field(init=False)

    def __post_init__(self) -> None:
        # One instant for the whole operation: two figures of one answer are about the same moment.
        self.as_of = self.services.calendar.as_of(documents.now())
        self.loaders = Loaders(self.as_of)

    @property
    def caller(self) -> str | None:
        """The viewer's id; None for nobody."""
        return str(self.viewer.id) if self.viewer else None

    @property
    def rights(self) -> Role | None:
        """The viewer's role, by which alone it is decided what they may see; None for nobody."""
        return self.viewer.role if self.viewer else None

    @property
    def expires_at(self) -> datetime | None:
        """When the viewer's token ends; None for nobody and for API keys."""
        return self.viewer.expires_at if self.viewer else None

    @property
    def reading(self) -> Reading:
        """What sentences are read by, as of this operation's instant."""
        return Reading(self.services.reader, self.as_of)

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
        try:
            return await self.services.sessions.viewer(authorization) if authorization else None
        except PyMongoError as error:
            log.warning("who is asking could not be looked up", exc_info=True)
            raise errors.Unavailable("Nothing was done, as the database did not answer; try again.") from error

    def open(self, viewer: Viewer | None) -> Context:
        """A fresh context for one operation."""
        return Context(viewer, self.services)
