"""Import jobs: files that were sent, each worked through by one process at a time, in the order in which they came.

A job is held by a lease, which is the id of the session that its transactions run in. Whoever takes over from a
process that died ends that session first: what it had under way would stay locked until MongoDB gives it up.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from uuid import UUID

import pymongo
from beanie import PydanticObjectId
from bson import Binary
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure, PyMongoError

import documents
from documents import ImportJob, ImportKind, ImportLease, ImportStatus
from ingestion.files import blocks, layouts

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=6)
RENEWALS = 3  # in the time of a lease
LONGEST_FILENAME = 200

_UNFINISHED = [ImportStatus.QUEUED.value, ImportStatus.RUNNING.value]

Changes = Mapping[str, Mapping[str, object]]


class LeaseLost(Exception):
    """Somebody else works on this job now."""


async def begin(
    kind: ImportKind, filename: str, read: blocks.Read, created_by: PydanticObjectId | None = None
) -> ImportJob:
    """Keep a file, and queue its import. Raises Fault when it cannot be one of rows about this, nothing being kept
    then: Rejected with all that is wrong with its header, TooLarge for more than a gigabyte."""
    head = b""
    while len(head) < layouts.HEAD_BYTES and (more := await read(layouts.HEAD_BYTES - len(head))):
        head += more
    layout = layouts.of(kind, head)
    id_ = PydanticObjectId()
    size = await blocks.store(id_, head, read, compress=not layout.gzip)
    job = ImportJob(
        id=id_,
        kind=kind,
        filename=_plain(filename),
        layout=layout,
        position=layout.start,
        size=size,
        created_by=created_by,
    )
    await job.insert()
    log.info("import %s: %s bytes of %s are queued", job.id, size, kind)
    return job


async def take(session: AsyncClientSession, now: datetime) -> ImportJob | None:
    """Lease the job whose turn it is, if nobody works on it.

    One at a time, so that the orders of a file find the customers of the file before.
    """
    jobs = ImportJob.get_pymongo_collection()
    in_order = [("created_at", 1), ("_id", 1)]
    first = await jobs.find_one({"status": {"$in": _UNFINISHED}}, sort=in_order)
    if first is None:
        return None
    before: ImportJob = ImportJob.model_validate(first)
    if before.lease is not None:
        if await _is_in_force(before.lease, now):
            return None
        log.warning("import %s: taken over from a process that is gone", before.id)
        await _end_session(session, before.lease)
    lease = session.session_id["id"].hex()
    await renew(lease)
    sets = {
        "status": ImportStatus.RUNNING.value,
        "started_at": before.started_at or now,
        "lease": lease,
    }
    taken = await jobs.find_one_and_update(
        {"_id": before.id, "lease": before.lease},
        {"$set": sets, "$inc": {"attempts": 1}},
        return_document=ReturnDocument.AFTER,
    )
    return ImportJob.model_validate(taken) if taken else None


@asynccontextmanager
async def kept(lease: str) -> AsyncGenerator[None]:
    """Renew a lease for as long as this lasts."""

    async def keep() -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / RENEWALS)
            try:
                await renew(lease)
            except PyMongoError as error:
                log.warning("the lease of an import was not renewed: %s", error)

    keeper = asyncio.create_task(keep(), name="keeper of an import's lease")
    try:
        yield
    finally:
        keeper.cancel()


async def renew(lease: str) -> None:
    """Let a lease begin anew."""
    until = {"$set": {"until": documents.now() + LEASE}}
    await ImportLease.get_pymongo_collection().update_one({"_id": lease}, until, upsert=True)


async def change(job: ImportJob, changes: Changes, session: AsyncClientSession | None = None) -> None:
    """Change a job as stored, for as long as it is ours; raises LeaseLost when it is not."""
    ours = {"_id": job.id, "lease": job.lease}
    result = await ImportJob.get_pymongo_collection().update_one(ours, changes, session=session)
    if not result.matched_count:
        raise LeaseLost(str(job.id))


async def put_down(job: ImportJob) -> None:
    """Let another process go on with the job at once; if that cannot be said, the lease runs out all the same."""
    with suppress(LeaseLost, PyMongoError), pymongo.timeout(LEASE.total_seconds()):
        await change(job, {"$unset": {"lease": ""}, "$inc": {"attempts": -1}})


async def complete(job: ImportJob) -> None:
    """Every row was looked at."""
    await _end(job, {"status": ImportStatus.COMPLETED.value})
    log.info("import %s: completed, with %s rows", job.id, job.processed)


async def give_up(job: ImportJob, reason: str) -> None:
    """The import cannot go on, for this reason; what is stored stays."""
    await _end(job, {"status": ImportStatus.FAILED.value, "status_reason": reason})
    log.warning("import %s: failed at row %s: %s", job.id, job.processed, reason)


async def _end(job: ImportJob, sets: Mapping[str, object]) -> None:
    sets = {**sets, "finished_at": documents.now()}
    await change(job, {"$set": sets, "$unset": {"lease": ""}})
    await blocks.remove(job.id)


async def _is_in_force(lease: str, now: datetime) -> bool:
    found = await ImportLease.get(lease)
    return found is not None and found.until > now


async def _end_session(session: AsyncClientSession, lease: str) -> None:
    try:
        stale = {"id": Binary.from_uuid(UUID(hex=lease))}
        await session.client.admin.command("killSessions", [stale])
    except OperationFailure as error:
        log.warning("the session of a dead process cannot be ended, only waited for: %s", error)


def _plain(filename: str) -> str:
    """A name that can be stored and shown, whatever was sent."""
    text = filename.encode(errors="replace").decode().replace("\0", "")
    return text.replace("\\", "/").rpartition("/")[2][:LONGEST_FILENAME] or "unnamed"
