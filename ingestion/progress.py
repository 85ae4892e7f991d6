"""Imports as they go on, for any number of subscribers in this process, whichever process works on them."""

import asyncio
from collections.abc import AsyncGenerator

from beanie import PydanticObjectId

from documents import ImportJob
from documents.stream import IDS_ONLY, Change, Stream, Tap

SHORTEST_INTERVAL_SECONDS = 0.1


class Feed:
    """The feed of this process; `run` it for as long as anybody may subscribe.

    Only one job goes on at a time, a few steps a second: there is one bell for all of them.
    """

    def __init__(self) -> None:
        self._changed = asyncio.Event()
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
            while True:
                changed = self._changed
                job = await ImportJob.get(job_id)
                if job is None:
                    return
                if job != told:
                    yield job
                    told = job
                if job.is_over:
                    return
                await asyncio.sleep(SHORTEST_INTERVAL_SECONDS)
                await changed.wait()

    def _take(self, change: Change) -> None:
        self._ring()

    def _ring(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
