"""Imports: files of customers and orders, taken in the background."""

from collections.abc import AsyncGenerator, Iterable, Mapping

from beanie import PydanticObjectId

import errors
import ingestion.imports
from auth import Viewer
from documents import FaultyRow, ImportJob, ImportKind
from ingestion.files.blocks import Read
from ingestion.progress import Feed


async def begin(viewer: Viewer, kind: ImportKind, filename: str, read: Read) -> ImportJob:
    """Keep a file, and queue its import. Raises Fault for a file that cannot be imported at all."""
    return await ingestion.imports.begin(kind, filename, read, viewer.id)


async def find(viewer: Viewer, job_id: PydanticObjectId) -> ImportJob | None:
    """One import."""
    return await ImportJob.get(job_id)


async def watch(viewer: Viewer, feed: Feed, job_id: PydanticObjectId) -> AsyncGenerator[ImportJob]:
    """An import as it is, then as it goes on, until it is over. Raises NotFound."""
    if await ImportJob.get(job_id) is None:
        raise errors.NotFound("There is no such import.")
    async for job in feed.progress(job_id):
        yield job


async def faulty_rows(job_ids: Iterable[PydanticObjectId]) -> Mapping[PydanticObjectId, list[FaultyRow]]:
    """The rows at fault that are kept of these imports, in order."""
    found: dict[PydanticObjectId, list[FaultyRow]] = {}
    async for row in FaultyRow.find({"job_id": {"$in": list(job_ids)}}).sort("job_id", "index"):
        found.setdefault(row.job_id, []).append(row)
    return found
