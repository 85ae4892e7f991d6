"""An import in a terminal: the file on its way, its rows on theirs, and what was wrong with some."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import documents
import errors
from documents import FaultyRow, ImportJob, ImportKind, ImportStatus
from ingestion import Policy, importer, imports
from ingestion.files.blocks import Read
from ingestion.progress import Feed

MEGABYTE = 10**6
MOST_FAULTY_ROWS_SHOWN = 20

Show = Callable[[str, float, float | None], None]  # what is done, how much of it, of how much


async def import_file(kind: ImportKind, path: Path, policy: Policy) -> bool:
    """Import a file, and show how it goes on; whether every row of it was taken.

    This process carries it out, or watches another that is first. Raises Fault for a file that cannot be imported.
    """
    console = Console()
    with _opened(path) as file, _bar(console) as bar:
        line = bar.add_task("")

        def show(what: str, done: float, of: float | None) -> None:
            bar.update(line, description=what, completed=done, total=of)

        job = await imports.begin(kind, path.name, _reader(file.read, path.stat().st_size, show))
        job = await _carried_out(job, policy, show)
    await _tell(job, console)
    return job.status is ImportStatus.COMPLETED and not job.failed


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise errors.InvalidInput(f"{path} cannot be read: {error.strerror}.") from error


def _bar(console: Console) -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=console)


def _reader(read: Callable[[int], bytes], size: int, show: Show) -> Read:
    kept = 0

    async def read_on(most: int) -> bytes:
        nonlocal kept
        piece = await asyncio.to_thread(read, most)
        kept += len(piece)
        show("MB kept", kept // MEGABYTE, size // MEGABYTE)
        return piece

    return read_on


async def _carried_out(job: ImportJob, policy: Policy, show: Show) -> ImportJob:
    """The job when it is over."""
    feed = Feed()
    async with _background(feed.run(), importer.run(policy)), aclosing(feed.progress(job.id)) as progress:
        async for job in progress:
            show("rows counted" if job.total is None else "rows", job.processed, job.total)
    return job


@asynccontextmanager
async def _background(*work: Awaitable[None]) -> AsyncIterator[None]:
    """These go on for as long as this lasts; one that fails ends it."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_awaited(each)) for each in work]
        yield
        for task in tasks:
            task.cancel()


async def _awaited(work: Awaitable[None]) -> None:
    await work


async def _tell(job: ImportJob, console: Console) -> None:
    outcomes = ("created", "updated", "unchanged", "failed")
    counts = ", ".join(f"{getattr(job, outcome):,} {outcome}" for outcome in outcomes)
    console.print(f"{job.processed:,} rows: {counts}", highlight=False)
    if job.status_reason:
        console.print(f"The import has failed: {job.status_reason}", markup=False)
    rows = documents.FaultyRow.find({"job_id": job.id}).sort("index").limit(MOST_FAULTY_ROWS_SHOWN)
    async for row in rows:
        console.print(_line(row), markup=False, highlight=False)
    if job.failed > MOST_FAULTY_ROWS_SHOWN:
        console.print(
            f'… and {job.failed - MOST_FAULTY_ROWS_SHOWN:,} more; importJob(id: "{job.id}") has the first 1,000.'
        )


def _line(row: FaultyRow) -> str:
    faults = "; ".join(f"{'.'.join(fault.field)}: {fault.message}".removeprefix(": ") for fault in row.faults)
    return f"row {row.index:,}: {faults}"
