"""Imports: files of customers and orders, sent once, taken in the background, and watched."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated

import strawberry
from beanie import PydanticObjectId
from strawberry.file_uploads import Upload

import documents
import errors
import resolvers.imports
from documents import FaultyRow, ImportKind, ImportStatus
from ingestion import Outcome
from schema import uploads
from schema.context import EngineInfo
from schema.enums import publish
from schema.errors import UserError, UserErrorCode
from schema.ids import object_id, some_id
from schema.payloads import Payload
from schema.reports import IngestResult
from schema.sharing import Event

publish(
    documents.ImportKind,
    "What the rows of a file are about.",
    CUSTOMERS="Each row is about a customer.",
    ORDERS="Each row is about an order.",
)
publish(
    documents.ImportStatus,
    "Where an import stands.",
    QUEUED="The file is kept; imports are taken one at a time, in the order in which they came.",
    RUNNING="Its rows are being taken, or counted at first.",
    COMPLETED="Every row was looked at; those at fault are told.",
    FAILED="The file cannot be read to its end; statusReason says why.",
)

WhichFile = Annotated[
    Upload,
    strawberry.argument(
        description="CSV or NDJSON in UTF-8, also packed with gzip; at most 1 GB. See docs/imports.md."
    ),
]


@strawberry.type(description="A CSV or NDJSON file being ingested in the background.")
class ImportJob:
    """A file being ingested in the background."""

    id: strawberry.ID = strawberry.field(description="The import's id.")
    kind: ImportKind = strawberry.field(description="What its rows are about.")
    filename: str = strawberry.field(description="The name that the file was sent under.")
    status: ImportStatus = strawberry.field(description="Where it stands.")
    status_reason: str | None = strawberry.field(description="Why it is FAILED, in words.")
    processed: int = strawberry.field(description="How many rows were looked at.")
    total: int | None = strawberry.field(description="How many rows there are; null until they are counted.")
    created: int = strawberry.field(description="How many were not known before.")
    updated: int = strawberry.field(description="How many were known, and changed.")
    unchanged: int = strawberry.field(description="How many were known, just as they were sent.")
    failed: int = strawberry.field(description="How many are at fault.")
    started_at: datetime | None = strawberry.field(description="When work on it began.")
    finished_at: datetime | None = strawberry.field(description="When it was over.")

    @classmethod
    def of(cls, job: documents.ImportJob) -> "ImportJob":
        """The import as clients see it."""
        return cls(
            id=strawberry.ID(str(job.id)),
            kind=job.kind,
            filename=job.filename,
            status=job.status,
            status_reason=job.status_reason,
            processed=job.processed,
            total=job.total,
            created=job.created,
            updated=job.updated,
            unchanged=job.unchanged,
            failed=job.failed,
            started_at=job.started_at,
            finished_at=job.finished_at,
        )

    @strawberry.field(
        description="The first 1,000 rows at fault; their index counts the file's rows from 0, the header apart."
    )
    async def row_errors(self, info: EngineInfo) -> list[IngestResult]:
        rows = await info.context.loaders.faulty_rows.load(PydanticObjectId(self.id))
        return [_told(row) for row in rows or ()]


def _told(row: FaultyRow) -> IngestResult:
    faults = [
        UserError(field=fault.field or None, code=UserErrorCode(fault.code), message=fault.message)
        for fault in row.faults
    ]
    return IngestResult(index=row.index, outcome=Outcome.FAILED, id=None, user_errors=faults)


@strawberry.type(description="What became of a file that was sent to be imported.")
class ImportPayload(Payload):
    """What became of a file that was sent."""

    job: ImportJob | None = strawberry.field(
        default=None, description="The import, which goes on by itself; null when the file was refused."
    )


@strawberry.type
class ImportQuery:
    """Finding imports."""

    @strawberry.field(description="One import; null when there is none with this id.")
    async def import_job(
        self, info: EngineInfo, id: Annotated[strawberry.ID, strawberry.argument(description="Which import.")]
    ) -> ImportJob | None:
        viewer = info.context.require(info.field_name)
        id_ = object_id(id)
        job = await resolvers.imports.find(viewer, id_) if id_ else None
        return ImportJob.of(job) if job else None


@strawberry.type
class ImportMutation:
    """Sending files."""

    @strawberry.mutation(
        description="Take in a file of customers, in the background. Its columns are the fields of CustomerInput; a "
        "file with others is refused at once."
    )
    async def import_customers(self, info: EngineInfo, file: WhichFile) -> ImportPayload:
        return await _begin(info, ImportKind.CUSTOMERS, file)

    @strawberry.mutation(
        description="Take in a file of orders, in the background. Its columns are the fields of OrderInput, those of "
        "fields within fields with a dot; a file with others is refused at once."
    )
    async def import_orders(self, info: EngineInfo, file: WhichFile) -> ImportPayload:
        return await _begin(info, ImportKind.ORDERS, file)


@strawberry.type
class ImportSubscription:
    """Watching imports."""

    @strawberry.subscription(
        graphql_type=ImportJob,
        description="First the present state, then every change, at most ten a second, until the import is over.",
    )
    async def import_progress(
        self, info: EngineInfo, job_id: Annotated[strawberry.ID, strawberry.argument(description="Which import.")]
    ) -> AsyncGenerator[Event[documents.ImportJob, ImportJob], None]:
        viewer = info.context.require(info.field_name)
        feed = info.context.services.imports
        async with aclosing(resolvers.imports.watch(viewer, feed, some_id(job_id))) as watched:
            async for job in watched:
                yield Event(job, ImportJob.of)


async def _begin(info: EngineInfo, kind: ImportKind, file: object) -> ImportPayload:
    viewer = info.context.require(info.field_name)
    try:
        sent = uploads.sent_file(file)
        job = await resolvers.imports.begin(viewer, kind, sent.filename or "", sent.read)
    except errors.Fault as fault:
        return ImportPayload.refused(fault, "file")
    return ImportPayload(job=ImportJob.of(job))
