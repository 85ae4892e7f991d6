"""Streams that must not outlive their reader."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import TypeVar

T = TypeVar("T")


async def until(
    source: AsyncGenerator[T, None], stops: Iterable[asyncio.Task[None]], pause_seconds: float
) -> AsyncGenerator[T | None, None]:
    """The items of a source until it ends or one of `stops` is done, and None for each pause without an item.

    The source is closed, and the stops are cancelled, however this ends.
    """
    waiting = set(stops)
    item: asyncio.Task[T] | None = None
    try:
        while True:
            item = item or asyncio.ensure_future(anext(source))
            done, _ = await asyncio.wait({item, *waiting}, timeout=pause_seconds, return_when=asyncio.FIRST_COMPLETED)
            if done & waiting:
                return
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
