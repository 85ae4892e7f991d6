"""Batches in chunks: the next chunk is read while MongoDB writes the one before, and others get their turn between.

A chunk either gets its results or, when the database cannot be reached, says so in every row. In somebody else's
transaction it does not: what is in the way of that is for its owner to see, who begins it anew.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import ConnectionFailure, ExecutionTimeout, PyMongoError, WTimeoutError

import errors
from ingestion.reports import Outcome, Report, Row, RowResult

log = logging.getLogger(__name__)

CHUNK_ROWS = 500
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


R = TypeVar("R", bound=Numbered)
Store = Callable[[list[R]], Awaitable[Sequence[RowResult]]]


async def ingest(
    rows: Sequence[Row],
    read: Callable[[int, Row], R],
    store: Store[R],
    transaction: AsyncClientSession | None = None,
) -> Report:
    """Read the rows and store those without faults, chunk after chunk, in order."""
    results: list[RowResult] = []
    outage = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        writing: asyncio.Task[Sequence[RowResult]] | None = None
        for start in range(0, len(rows), CHUNK_ROWS):
            chunk = await _read(rows, range(start, min(start + CHUNK_ROWS, len(rows))), read)
            if writing:
                results += await writing
            writing = group.create_task(_store(chunk, store, outage, transaction), name=f"chunk from row {start}")
        if writing:
            results += await writing
    return Report(sorted(results, key=lambda result: result.index))


def failed(row: Numbered, *faults: errors.Fault) -> RowResult:
    """The result of a row that cannot be stored."""
    return RowResult(row.index, Outcome.FAILED, faults=tuple(each for fault in faults for each in fault.faults))


async def _read(rows: Sequence[Row], chunk: range, read: Callable[[int, Row], R]) -> list[R]:
    found = []
    for index in chunk:
        if index % BREATH_ROWS == 0:
            await asyncio.sleep(0)
        found.append(read(index, rows[index]))
    return found


async def _store(
    rows: list[R], store: Store[R], outage: asyncio.Event, transaction: AsyncClientSession | None
) -> list[RowResult]:
    results = [failed(row, *row.faults) for row in rows if row.faults]
    sound = [row for row in rows if not row.faults]
    if not sound:
        return results
    if not outage.is_set():
        try:
            return [*results, *await store(sound)]
        except PyMongoError as error:
            if transaction or not _is_outage(error):
                raise
            log.warning("rows %s to %s were not stored: %s", rows[0].index, rows[-1].index, error)
            outage.set()  # the chunks that follow need not each wait for the same
    away = errors.Unavailable("The database did not answer. Send this again: nothing is counted twice.")
    return [*results, *(failed(row, away) for row in sound)]


def _is_outage(error: PyMongoError) -> bool:
    labels = ("TransientTransactionError", "UnknownTransactionCommitResult")
    return (
        error.timeout
        or isinstance(error, ConnectionFailure | ExecutionTimeout | WTimeoutError)
        or any(map(error.has_error_label, labels))
    )
