"""A step of an import: rows, what they count, their faults and the position behind them, in one transaction.

Killed anywhere, an import has either made a step or not begun it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import pymongo
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, PyMongoError

import documents
import errors
import ingestion.customers
import ingestion.orders
from documents import FaultyRow, ImportJob, ImportKind, RowFault
from ingestion import chunks, imports
from ingestion.files.records import Record
from ingestion.policy import Policy
from ingestion.reports import Outcome, Report, Row, RowResult

log = logging.getLogger(__name__)

STEP_ROWS = 1_000
STEP_BYTES = 4 * 2**20
TRANSACTION_SECONDS = 20
MOST_FAULTY_ROWS = 1_000

# What others have under way is over in milliseconds; what a killed process had, in half a minute at the latest.
ATTEMPTS = 2
ATTEMPTS_ALONE = 60
PAUSE_SECONDS = 0.5

_INGEST = {
    ImportKind.CUSTOMERS: ingestion.customers.ingest,
    ImportKind.ORDERS: ingestion.orders.ingest,
}


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a job that was taken, in the session that is its lease."""

    job: ImportJob
    session: AsyncClientSession
    policy: Policy
    attempts_alone: int = ATTEMPTS_ALONE

    async def make(self, records: Sequence[Record]) -> None:
        """Store these records, the next ones of the file. Raises LeaseLost.

        What gets in the way of a step may be in the step itself: customers who hand on a key to each other can be
        stored one after another, and not at once. So a step that cannot be made is made in halves.
        """
        is_alone = len(records) == 1
        for _ in range(self.attempts_alone if is_alone else ATTEMPTS):
            try:
                await self._transact(records, self._ingest)
            except PyMongoError as error:
                if not _is_conflict(error):
                    raise
                # Not what MongoDB says, which quotes the key that is there twice.
                log.info("import %s: %s rows met others: %s", self.job.id, len(records), type(error).__name__)
                await asyncio.sleep(PAUSE_SECONDS if is_alone else 0)
            else:
                return
        if is_alone:
            await self._transact(records, _refuse)
            return
        half = len(records) // 2
        await self.make(records[:half])
        await self.make(records[half:])

    async def _transact(
        self, records: Sequence[Record], ingest: Callable[[Sequence[Record]], Awaitable[Report]]
    ) -> None:
        job, end = self.job, records[-1].end
        with pymongo.timeout(TRANSACTION_SECONDS):
            async with await self.session.start_transaction():
                report = await ingest(records)
                counts = {outcome.value.lower(): report.count(outcome) for outcome in Outcome}
                counts["processed"] = len(records)
                await self._keep_faults(report)
                moved = {"$inc": counts, "$set": {"position": end, "attempts": 0}}
                await imports.change(job, moved, self.session)
        job.position = end
        for name, count in counts.items():
            setattr(job, name, getattr(job, name) + count)

    async def _ingest(self, records: Sequence[Record]) -> Report:
        """What becomes of the records; a result's index is its place among these."""
        rows: dict[int, Row] = {}
        results = []
        async for place, record in chunks.unhurried(enumerate(records)):
            try:
                rows[place] = record.read()
            except errors.Fault as fault:
                results.append(RowResult(place, Outcome.FAILED, faults=fault.faults))
        places = list(rows)
        ingest = _INGEST[self.job.kind]
        taken = await ingest(list(rows.values()), self.policy, documents.now(), self.session)
        results += [replace(result, index=places[result.index]) for result in taken.results]
        return Report(sorted(results, key=lambda result: result.index))

    async def _keep_faults(self, report: Report) -> None:
        room = max(0, MOST_FAULTY_ROWS - self.job.failed)
        failed = [result for result in report.results if result.outcome is Outcome.FAILED][:room]
        if failed:
            rows = [_faulty(self.job, result).model_dump(by_alias=True) for result in failed]
            await FaultyRow.get_pymongo_collection().insert_many(rows, session=self.session)


async def _refuse(records: Sequence[Record]) -> Report:
    busy = errors.Unavailable("Others keep changing what this row is about. Send it again.")
    return Report([RowResult(place, Outcome.FAILED, faults=(busy,)) for place, _ in enumerate(records)])


def _faulty(job: ImportJob, result: RowResult) -> FaultyRow:
    faults = [RowFault(field=list(each.field), code=each.code, message=each.message) for each in result.faults]
    return FaultyRow(job_id=job.id, index=job.processed + result.index, faults=faults)


def _is_conflict(error: PyMongoError) -> bool:
    """Whether others, or other rows of the step, were in the way, and not the database itself."""
    return error.has_error_label("TransientTransactionError") or isinstance(error, BulkWriteError)
