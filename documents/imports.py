"""Imports: files being ingested in the background, what they hold, and which of their rows are at fault."""

from datetime import datetime
from enum import StrEnum

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import ASCENDING, IndexModel

from documents.values import Stored, now

# The file of a job that nobody has worked on for so long is removed, as is one whose upload was cut off.
BLOCK_LIFETIME_SECONDS = 7 * 24 * 3600
LEASE_LIFETIME_SECONDS = 3600


class ImportKind(StrEnum):
    """What the rows of a file are about."""

    CUSTOMERS = "CUSTOMERS"
    ORDERS = "ORDERS"


class ImportStatus(StrEnum):
    """Where an import stands."""

    QUEUED = "QUEUED"  # the file is stored whole
    RUNNING = "RUNNING"  # somebody has the lease, or had it and is gone: then another goes on
    COMPLETED = "COMPLETED"  # every row was looked at; how many failed is another matter
    FAILED = "FAILED"  # the file cannot be read to its end, status_reason says why


class FileFormat(StrEnum):
    """How a file writes rows."""

    CSV = "CSV"
    NDJSON = "NDJSON"


class FileLayout(BaseModel):
    """How to read a file, decided once from its beginning. `start` is where its rows begin, unpacked."""

    format: FileFormat
    gzip: bool
    start: int
    delimiter: str = ","
    columns: list[str] = Field(default_factory=list)


class ImportJob(Stored):
    """An import. `processed`, the counts and `position` move in the transaction that stores the rows they speak of.

    `position` is where in the unpacked file the first row that is not stored yet begins. `lease` names the lease of the
    process that works on the job. `attempts` counts how often the job was taken since it last got on.
    """

    kind: ImportKind
    filename: str
    status: ImportStatus = ImportStatus.QUEUED
    status_reason: str | None = None
    layout: FileLayout
    position: int
    size: int  # of the file as it was sent
    total: int | None = None
    processed: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    created_by: PydanticObjectId | None = None
    created_at: datetime = Field(default_factory=now)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    lease: str | None = None
    attempts: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more will become of it."""
        return self.status in (ImportStatus.COMPLETED, ImportStatus.FAILED)

    class Settings:
        name = "import_jobs"
        keep_nulls = False
        indexes = [IndexModel([("status", ASCENDING), ("created_at", ASCENDING)])]


class ImportLease(Document):
    """How long a process has a job to itself; its id is that of the session in which the process works.

    It is apart from the job because it is renewed while a transaction that changes the job is under way.
    """

    id: str  # type: ignore[assignment]  # a key of our own
    until: datetime

    class Settings:
        name = "import_leases"
        indexes = [IndexModel([("until", ASCENDING)], expireAfterSeconds=LEASE_LIFETIME_SECONDS)]


class ImportBlock(Stored):
    """A piece of a job's file: number `n` of blocks that hold equally many bytes, but for the last."""

    job_id: PydanticObjectId
    n: int
    data: bytes
    created_at: datetime = Field(default_factory=now)

    class Settings:
        name = "import_blocks"
        indexes = [
            IndexModel([("job_id", ASCENDING), ("n", ASCENDING)], unique=True),
            IndexModel([("created_at", ASCENDING)], expireAfterSeconds=BLOCK_LIFETIME_SECONDS),
        ]


class RowFault(BaseModel):
    """One thing that is wrong with a row."""

    field: list[str]
    code: str
    message: str


class FaultyRow(Stored):
    """A row that failed, at `index` in its file; kept for the first of a job only."""

    job_id: PydanticObjectId
    index: int
    faults: list[RowFault]

    class Settings:
        name = "faulty_rows"
        indexes = [IndexModel([("job_id", ASCENDING), ("index", ASCENDING)], unique=True)]
