"""Bells that tasks ring and others wait for, so that work is found when it comes and not when one looks.

They are heard in this process alone; whoever waits looks every second all the same, for what others have brought.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Bell:
    """Rings are not counted: one that nobody waited for is heard by the next who waits."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake whoever waits, or whoever waits next."""
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for a ring, at most so long; whether there was one."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


class Chime:
    """Bells that ring together."""

    def __init__(self) -> None:
        self._bells: list[Bell] = []

    def ring(self) -> None:
        """Ring all those that hang here now."""
        for bell in self._bells:
            bell.ring()

    @contextmanager
    def hung(self, *bells: Bell) -> Iterator[None]:
        """Have these bells ring too, meanwhile."""
        self._bells.extend(bells)
        try:
            yield
        finally:
            for bell in bells:
                self._bells.remove(bell)


campaigns_moved = Chime()
messages_moved = Chime()
