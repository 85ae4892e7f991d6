"""Imports in the background: whichever process has a hand free takes the job whose turn it is, and works through it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

import documents
import errors
from documents import ImportJob
from ingestion import files, imports
from ingestion.files.records import Record
from ingestion.policy import Policy
from ingestion.steps import STEP_BYTES, STEP_ROWS, Steps

log = logging.getLogger(__name__)

NAP_SECONDS = 0.5
# A row at which the process ends would otherwise end every process that takes the job, for ever.
MOST_ATTEMPTS = 5


async def run(policy: Policy) -> None:
    """Carry out imports until cancelled, which puts the one under way down for another process."""
    while True:
        try:
            while await carry_out_next(policy):
                pass
        except Exception:
            log.exception("an import was broken off, to be taken up again")
        await asyncio.sleep(NAP_SECONDS)


async def carry_out_next(policy: Policy) -> bool:
    """Carry out the job whose turn it is; False when there is none to be had."""
    async with ImportJob.get_pymongo_collection().database.client.start_session() as session:
        job = await imports.take(session, documents.now())
        if job is None:
            return False
        log.info("import %s: from row %s", job.id, job.processed)
        try:
            async with imports.kept(str(job.lease)):
                await _carry_out(job, Steps(job, session, replace(policy, max_batch=STEP_ROWS)))
        except imports.LeaseLost:
            log.warning("import %s: somebody else works on it now", job.id)
        except asyncio.CancelledError:
            await imports.put_down(job)
            raise
        return True


async def _carry_out(job: ImportJob, steps: Steps) -> None:
    try:
        if job.attempts > MOST_ATTEMPTS:
            raise errors.Unavailable(f"Work on it broke off {MOST_ATTEMPTS} times behind row {job.processed}.")
        if job.total is None:
            # Reading the file to its end before anything is stored: one that is damaged stores nothing.
            job.total = await _count(job)
            await imports.change(job, {"$set": {"total": job.total}})
        async with aclosing(_batches(job)) as batches:
            async for records in batches:
                await steps.make(records)
    except errors.Fault as fault:
        await imports.give_up(job, fault.message)
    else:
        await imports.complete(job)


async def _count(job: ImportJob) -> int:
    count = 0
    async with aclosing(files.read(job)) as found:
        async for records in found:
            count += len(records)
    return count


async def _batches(job: ImportJob) -> AsyncGenerator[Sequence[Record]]:
    """The records behind the job's position, as many at a time as one step takes."""
    batch: list[Record] = []
    begun = job.position
    async with aclosing(files.read(job)) as found:
        async for records in found:
            for record in records:
                batch.append(record)
                if len(batch) == STEP_ROWS or record.end - begun >= STEP_BYTES:
                    yield batch
                    batch, begun = [], record.end
    if batch:
        yield batch
