"""What is made once for all who want it at the same time, however many they are."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class _Attempt:
    """One making of something, for others to wait for."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.error: Exception | None = None
        self.traceback: TracebackType | None = None


class Once(Generic[T]):
    """Something that the first who wants it makes, and that the others wait for and then get, all at the same time.

    A lock would be handed on from one to the next: a thousand of them keep the event loop turning for half a second.
    """

    def __init__(self) -> None:
        self._made: tuple[T] | None = None
        self._under_way: _Attempt | None = None

    async def get(self, make: Callable[[], Awaitable[T]]) -> T:
        """The thing, made now if nobody has.

        What making it raises, all get who wait for it, and whoever comes after them tries again. When its maker is
        cancelled, one of those who wait makes it.
        """
        while self._made is None:
            if self._under_way is None:
                await self._make(make)
                continue
            attempt = self._under_way
            await attempt.over.wait()
            if attempt.error:
                # As it was first raised: each raising adds to it, and of a thousand the last would log all of them.
                raise attempt.error.with_traceback(attempt.traceback)
        return self._made[0]

    async def _make(self, make: Callable[[], Awaitable[T]]) -> None:
        self._under_way = attempt = _Attempt()
        try:
            self._made = (await make(),)
        except Exception as error:
            attempt.error, attempt.traceback = error, error.__traceback__
            raise
        finally:
            self._under_way = None
            attempt.over.set()
