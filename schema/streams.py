"""Streams that must not outlive their reader."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


class Cut(Exception):
    """A stream was stopped before its source had ended."""


async def until(
    source: AsyncGenerator[T, None], stops: Iterable[asyncio.Task[object]], pause_seconds: float
) -> AsyncGenerator[T | None, None]:
    """The items of a source until it ends, and None for each pause without an item. Raises Cut once one of `stops` is
    done.

    The source is closed, and the stops are cancelled, however this ends.
    """
    waiting = set(stops)
    item: asyncio.Task[T] | None = None
    try:
        while True:
            item = item or asyncio.ensure_future(anext(source))
            done, _ = await asyncio.wait({item, *waiting}, timeout=pause_seconds, return_when=asyncio.FIRST_COMPLETED)
            if done & waiting:
                raise Cut
            if item not in done:
                yield None
                continue
            finished, item = item, None
            try:
                yield finished.result()
            except StopAsyncIteration:
                return
    finally:
        under_way = waiting | ({item} if item else set())
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await source.aclose()


class Patience:
    """Is lost with a reader to whom something is being sent all the while, of which nothing gets through.

    It has one timer, which runs on over thousands of sends: a time-out for each took a tenth of a subscriber's time.
    """

    def __init__(self, seconds: float, lose: Callable[[], None]) -> None:
        self._seconds = seconds
        self._lose = lose
        self._under_way = 0
        self._through = 0
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False
        self.is_lost = False

    def __enter__(self) -> None:
        self._under_way += 1
        if self._timer is None and not self._is_over:
            self._wait()

    def __exit__(self, *_: object) -> None:
        self._under_way -= 1
        self._through += 1

    def end(self) -> None:
        """Wait for nothing any more."""
        self._is_over = True
        if self._timer:
            self._timer.cancel()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._look, self._through)

    def _look(self, through_before: int) -> None:
        self._timer = None
        if self._under_way and self._through == through_before:
            self.is_lost = True
            self._lose()
        elif self._under_way:
            self._wait()
