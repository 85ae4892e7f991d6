"""Batches in chunks: the next chunk is read while MongoDB writes the one before, and others get their turn between.

A chunk either gets its results or, when the database cannot be reached, says so in every row. In somebody else's
transaction it does not: what is in the way of that is for its owner to see, who begins it anew.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import ConnectionFailure, ExecutionTimeout, PyMongoError, WTimeoutError

import errors
from ingestion.reports import Outcome, Report, Row, RowResult

log = logging.getLogger(__name__)

LANE_ROWS = 500
# One transaction keeps one thread of MongoDB busy; two at once store a chunk in two thirds of the time.
LANES = 2
# What the event loop may be held up for others to notice nothing: 100 rows take some 5 ms to read.
BREATH_ROWS = 100


class Numbered(Protocol):
    """A row that was read: it knows its place in the batch, and what is wrong with it."""

    @property
    def index(self) -> int:
        """Its place."""

    @property
    def faults(self) -> list[errors.Fault]:
        """What is wrong with it."""


T = TypeVar("T")
R = TypeVar("R", bound=Numbered)
Store = Callable[[list[R]], Awaitable[Sequence[RowResult]]]
Split = Callable[[list[R], int], Sequence[list[R]]]


async def ingest(
    rows: Sequence[Row],
    read: Callable[[int, Row], R],
    store: Store[R],
    transaction: AsyncClientSession | None = None,
    split: Split[R] | None = None,
) -> Report:
    """Read the rows and store those without faults, chunk after chunk, in order.

    What `split` parts into so many lanes is stored at once, in a chunk as much larger.
    """
    lanes = _Lanes(store, split if transaction is None else None, raises=transaction is not None)
    results: list[RowResult] = []
    writing: asyncio.Task[Sequence[RowResult]] | None = None
    try:
        for start in range(0, len(rows), lanes.chunk_rows):
            chunk = await _read(rows, range(start, min(start + lanes.chunk_rows, len(rows))), read)
            if writing:
                results += await writing
            writing = asyncio.create_task(lanes.store(chunk), name=f"chunk from row {start}")
        if writing:
            results += await writing
    finally:
        if writing:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
    return Report(sorted(results, key=lambda result: result.index))


async def unhurried(items: Iterable[T]) -> AsyncGenerator[T]:
    """The items, with a turn for others now and then."""
    for number, item in enumerate(items):
        if number % BREATH_ROWS == 0:
            await asyncio.sleep(0)
        yield item


def failed(row: Numbered, *faults: errors.Fault) -> RowResult:
    """The result of a row that cannot be stored."""
    return RowResult(row.index, Outcome.FAILED, faults=tuple(each for fault in faults for each in fault.faults))


async def _read(rows: Sequence[Row], chunk: range, read: Callable[[int, Row], R]) -> list[R]:
    return [read(index, rows[index]) async for index in unhurried(chunk)]


class _Lanes(Generic[R]):
    """Stores chunks, the lanes of each at once, and remembers when the database is away."""

    def __init__(self, store: Store[R], split: Split[R] | None, *, raises: bool) -> None:
        self._store = store
        self._split = split
        self._raises = raises
        self._is_away = False
        self.chunk_rows = LANE_ROWS * (LANES if split else 1)

    async def store(self, rows: list[R]) -> list[RowResult]:
        """The results of a chunk."""
        results = [failed(row, *row.faults) for row in rows if row.faults]
        sound = [row for row in rows if not row.faults]
        lanes = self._split(sound, LANES) if self._split else [sound]
        for stored in await asyncio.gather(*(self._store_lane(lane) for lane in lanes if lane)):
            results += stored
        return results

    async def _store_lane(self, rows: list[R]) -> Sequence[RowResult]:
        if not self._is_away:
            try:
                return await self._store(rows)
            except PyMongoError as error:
                if self._raises or not _is_outage(error):
                    raise
                log.warning("rows %s to %s were not stored: %s", rows[0].index, rows[-1].index, error)
                self._is_away = True  # the chunks that follow need not each wait for the same
        away = errors.Unavailable("The database did not answer. Send this again: nothing is counted twice.")
        return [failed(row, away) for row in rows]


def _is_outage(error: PyMongoError) -> bool:
    labels = ("TransientTransactionError", "UnknownTransactionCommitResult")
    return (
        error.timeout
        or isinstance(error, ConnectionFailure | ExecutionTimeout | WTimeoutError)
        or any(map(error.has_error_label, labels))
    )
