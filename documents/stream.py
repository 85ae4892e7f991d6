"""A change stream that goes on: through failovers, and afresh when the database no longer knows where it was."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from beanie import Document
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.errors import OperationFailure, PyMongoError

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
AWAIT_MS = 1000

Change = dict[str, dict[str, object]]  # what we have projected of it


@dataclass(slots=True)
class Stream:
    """What changes in a collection, told to `take` with each event, and to `reset` when some may have been missed."""

    document: type[Document]
    pipeline: Sequence[Mapping[str, object]]
    take: Callable[[Change], None]
    reset: Callable[[], None]
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    _resume_token: Mapping[str, object] | None = None

    async def follow(self) -> None:
        """Follow the collection until cancelled. Once `opened` is set, every later change is told."""
        while True:
            try:
                async with await self.document.get_pymongo_collection().watch(
                    self.pipeline, resume_after=self._resume_token, max_await_time_ms=AWAIT_MS
                ) as changes:
                    await self._read(changes)
            except OperationFailure as error:
                log.warning("the change stream of %s starts afresh: %s", self.document.get_collection_name(), error)
                self._resume_token = None
            except PyMongoError as error:
                log.warning("the change stream of %s broke off: %s", self.document.get_collection_name(), error)
            await asyncio.sleep(RETRY_SECONDS)

    def forget(self) -> None:
        """Begin afresh when it is followed again: nobody cares for what changes in between."""
        self.opened.clear()
        self._resume_token = None

    async def _read(self, changes: AsyncChangeStream[Change]) -> None:
        if self._resume_token is None:
            self.reset()
        self.opened.set()
        while changes.alive:
            change = await changes.try_next()
            self._resume_token = changes.resume_token
            if change is not None:
                self.take(change)
