"""A change stream that goes on: through failovers, and afresh when the database no longer knows where it was."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from beanie import Document
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.errors import OperationFailure, PyMongoError

import metrics
from documents.values import now

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
AWAIT_MS = 1000

# What most want to hear: who it is, and when it was; the present state is read anyway.
IDS_ONLY: list[Mapping[str, object]] = [{"$project": {"documentKey": 1, "wallTime": 1}}]

Change = Mapping[str, object]  # what we have projected of it


@dataclass(slots=True)
class Stream:
    """What changes in a collection, told to `take` with each event, and to `reset` when some may have been missed."""

    document: type[Document]
    pipeline: Sequence[Mapping[str, object]]
    take: Callable[[Change], None]
    reset: Callable[[], None]
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    _resume_token: Mapping[str, object] | None = None

    @property
    def _name(self) -> str:
        return str(self.document.get_collection_name())

    async def follow(self) -> None:
        """Follow the collection until cancelled. Once `opened` is set, every later change is told."""
        while True:
            try:
                async with await self.document.get_pymongo_collection().watch(
                    self.pipeline, resume_after=self._resume_token, max_await_time_ms=AWAIT_MS
                ) as changes:
                    await self._read(changes)
            except OperationFailure as error:
                log.warning("the change stream of %s starts afresh: %s", self._name, error)
                self._resume_token = None
            except PyMongoError as error:
                log.warning("the change stream of %s broke off: %s", self._name, error)
            metrics.STREAM_BREAKS.labels(self._name).inc()
            await asyncio.sleep(RETRY_SECONDS)

    def forget(self) -> None:
        """Begin afresh when it is followed again: nobody cares for what changes in between."""
        self.opened.clear()
        self._resume_token = None

    async def _read(self, changes: AsyncChangeStream[Change]) -> None:
        if self._resume_token is None:
            self.reset()
        self.opened.set()
        heard, lag = metrics.STREAM_HEARD.labels(self._name), metrics.STREAM_LAG.labels(self._name)
        while changes.alive:
            change = await changes.try_next()
            self._resume_token = changes.resume_token
            heard.set_to_current_time()
            if change is not None:
                lag.set(_age(change))
                self.take(change)


class Tap:
    """Streams that are open only while somebody reads.

    A transaction is one entry of the oplog, and mongod looks through all of its writes for each stream, whichever
    collection that follows: with nobody there, that was a third of what mongod did for a campaign.
    """

    def __init__(self, *streams: Stream) -> None:
        self._streams = streams
        self._readers = 0
        self._wanted = asyncio.Event()
        self._idle = asyncio.Event()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Have the streams open meanwhile; each begins with a reset."""
        self._readers += 1
        self._idle.clear()
        self._wanted.set()
        try:
            yield
        finally:
            self._readers -= 1
            if not self._readers:
                self._wanted.clear()
                self._idle.set()

    async def opened(self) -> None:
        """Wait until every later change will be told."""
        for stream in self._streams:
            await stream.opened.wait()

    async def run(self) -> None:
        """Follow the streams whenever somebody reads, until cancelled."""
        while True:
            await self._wanted.wait()
            async with asyncio.TaskGroup() as group:
                following = [group.create_task(stream.follow()) for stream in self._streams]
                while self._readers:
                    await self._idle.wait()
                for stream, task in zip(self._streams, following, strict=True):
                    stream.forget()
                    task.cancel()


def _age(change: Change) -> float:
    """How many seconds ago it happened, by the clock of the database; 0 where that does not tell (before 6.0)."""
    at = change.get("wallTime")
    return max(0.0, (now() - at).total_seconds()) if isinstance(at, datetime) else 0.0
