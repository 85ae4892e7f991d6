"""The files of imports, kept in MongoDB in blocks, so that whoever works on a job, on whichever machine, has its file.

A file is named by its job alone, which is stored after its last block. Decision 15 says why it is not GridFS.
"""

import asyncio
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable

from beanie import PydanticObjectId

import documents
import errors
from documents import ImportJob
from ingestion.files.gunzip import PIECE_BYTES, Gunzip

# Gives at most so many bytes, and none at the end.
Read = Callable[[int], Awaitable[bytes]]

BLOCK_BYTES = 2**20
LARGEST_FILE_BYTES = 2**30

# The fastest one leaves a third of a CSV, and the oplog holds every block once more.
_COMPRESSION = 1


async def store(job_id: PydanticObjectId, head: bytes, read: Read, *, compress: bool) -> int:
    """Store a file that begins with `head` and goes on with what `read` gives; its size. Raises TooLarge.

    One block is compressed while the one before is written. If it is not stored whole, nothing of it is left.
    """
    size, writing = 0, None
    try:
        async for block in _cut(head, read):
            data = await asyncio.to_thread(zlib.compress, block, _COMPRESSION) if compress else block
            if writing:
                await writing
            stored = documents.ImportBlock(job_id=job_id, n=size // BLOCK_BYTES, data=data)
            writing = asyncio.create_task(stored.insert(), name=f"block {stored.n} of import {job_id}")
            size += len(block)
            if size > LARGEST_FILE_BYTES:
                raise errors.TooLarge(f"The file has more than {LARGEST_FILE_BYTES:,} bytes.")
        if writing:
            await writing
    except BaseException:
        if writing:
            await asyncio.wait([writing])
        await remove(job_id)
        raise
    return size


async def _cut(head: bytes, read: Read) -> AsyncGenerator[bytes, None]:
    rest = head
    while True:
        while len(rest) < BLOCK_BYTES and (more := await read(BLOCK_BYTES - len(rest))):
            rest += more
        if not rest:
            return
        yield rest[:BLOCK_BYTES]
        rest = rest[BLOCK_BYTES:]


async def remove(job_id: PydanticObjectId) -> None:
    """Forget a file; what cannot be removed now expires."""
    await documents.ImportBlock.get_pymongo_collection().delete_many({"job_id": job_id})


async def unpacked(job: ImportJob) -> AsyncGenerator[bytes, None]:
    """What the job's file holds from its position on, in small pieces; others get their turn before each.

    Raises NotFound when the file has expired, and InvalidInput or TooLarge for gzip that cannot be unpacked.
    """
    pieces = _unzipped(job) if job.layout.gzip else _plain(job)
    async for piece in pieces:
        await asyncio.sleep(0)
        yield piece


async def _plain(job: ImportJob) -> AsyncGenerator[bytes, None]:
    first, skipped = divmod(job.position, BLOCK_BYTES)
    for n in range(first, _count(job)):
        block = await asyncio.to_thread(zlib.decompress, await _block(job, n))
        for start in range(skipped, len(block), PIECE_BYTES):
            yield block[start : start + PIECE_BYTES]
        skipped = 0


async def _unzipped(job: ImportJob) -> AsyncGenerator[bytes, None]:
    # There is no way into the middle of a gzip: what was read before is unpacked once more.
    gunzip, skipped = Gunzip(), job.position
    for n in range(_count(job)):
        block = await _block(job, n)
        for start in range(0, len(block), PIECE_BYTES):
            for piece in gunzip.feed(block[start : start + PIECE_BYTES]):
                yield piece[skipped:]
                skipped = max(0, skipped - len(piece))
    gunzip.finish()


def _count(job: ImportJob) -> int:
    return -(-job.size // BLOCK_BYTES)


async def _block(job: ImportJob, n: int) -> bytes:
    stored = await documents.ImportBlock.get_pymongo_collection().find_one({"job_id": job.id, "n": n})
    data = stored and stored.get("data")
    if not isinstance(data, bytes):
        raise errors.NotFound("The file is no longer kept: send it again.")
    return data
