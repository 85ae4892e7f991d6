"""Files of rows: found out about, kept, and read row by row, however large and however broken they are.

layouts         what a file is, from its beginning; refuses what cannot be imported
blocks          where a file is kept: bytes in, bytes out, from anywhere in it
gunzip, lines   bytes → lines, of which none grows without bound
records         lines → records, and these → rows
columns, fields what a header, a cell and a value of JSON say
"""

from collections.abc import AsyncGenerator

from documents import ImportJob
from ingestion.files import blocks, records
from ingestion.files.lines import Lines
from ingestion.files.records import Record


async def read(job: ImportJob) -> AsyncGenerator[list[Record], None]:
    """The records of a job's file from its position on, a few at a time, with room for others between.

    Raises Fault when the file cannot be read any further; what is wrong with one record is that one's to say.
    """
    lines, found = Lines(job.position), records.of(job.kind, job.layout)
    async for piece in blocks.unpacked(job):
        yield list(found.feed(lines.feed(piece)))
    yield [*found.feed(lines.finish()), *found.finish()]
