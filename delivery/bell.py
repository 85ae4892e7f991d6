"""A bell that one task rings and others wait for, so that work is found when it comes and not when one looks."""

import asyncio


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
