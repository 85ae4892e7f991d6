"""Imports as they go on, for any number of subscribers in this process, whichever process works on them."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

from beanie import PydanticObjectId

from documents import ImportJob
from documents.once import Once
from documents.stream import IDS_ONLY, Change, Stream, Tap

SHORTEST_INTERVAL_SECONDS = 0.1


class Feed:
    """The feed of this process; `run` it for as long as anybody may subscribe.

    Only one job goes on at a time, a few steps a second: there is one bell for all of them.
    """

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._read: dict[PydanticObjectId, Once[ImportJob | None]] = {}  # since something last changed
        self._jobs = Tap(Stream(ImportJob, IDS_ONLY, self._take, self._ring))

    async def run(self) -> None:
        """Follow the jobs while somebody reads, until cancelled."""
        await self._jobs.run()

    async def progress(self, job_id: PydanticObjectId) -> AsyncGenerator[ImportJob]:
        """The present state, then every change, at most ten a second, until the import is over.

        Nothing when there is no such job.
        """
        told: ImportJob | None = None
        with self._jobs.reading():
            changed, job = self._changed, await ImportJob.get(job_id)
            while True:
                if job is None:
                    return
                if job != told:
                    yield job
                    told = job
                if job.is_over:
                    return
                await asyncio.sleep(SHORTEST_INTERVAL_SECONDS)
                await changed.wait()
                changed, job = self._changed, await self._as_changed(job_id)

    async def _as_changed(self, job_id: PydanticObjectId) -> ImportJob | None:
        return await self._read.setdefault(job_id, Once()).get(partial(ImportJob.get, job_id))

    def _take(self, change: Change) -> None:
        self._ring()

    def _ring(self) -> None:
        self._read = {}
        self._changed.set()
        self._changed = asyncio.Event()
