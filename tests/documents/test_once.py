"""What is made once for all who want it at the same time."""

import asyncio
import traceback

import pytest

from documents.once import Once


class Maker:
    """Makes something when it is told to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.goes_on = asyncio.Event()

    async def make(self) -> str:
        self.asked += 1
        await self.goes_on.wait()
        return "made"

    async def fail(self) -> str:
        await self.make()
        raise ValueError("no")


async def test_all_who_want_it_get_what_the_first_made() -> None:
    maker, once = Maker(), Once[str]()
    waiting = [asyncio.create_task(once.get(maker.make)) for _ in range(3)]
    await asyncio.sleep(0)
    maker.goes_on.set()
    assert await asyncio.gather(*waiting) == ["made"] * 3
    assert await once.get(maker.make) == "made"
    assert maker.asked == 1


async def test_nothing_is_something_too() -> None:
    async def nothing() -> None:
        return None

    maker, once = Maker(), Once[str | None]()
    assert await once.get(nothing) is None
    assert await once.get(maker.make) is None
    assert maker.asked == 0


async def test_a_failure_is_for_those_who_waited_and_the_next_tries_again() -> None:
    maker, once = Maker(), Once[str]()
    waiting = [asyncio.create_task(once.get(maker.fail)) for _ in range(3)]
    await asyncio.sleep(0)
    maker.goes_on.set()
    failures = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(failure) for failure in failures] == ["no"] * 3
    assert maker.asked == 1
    with pytest.raises(ValueError, match="no"):
        await once.get(maker.fail)
    assert await once.get(maker.make) == "made"


async def test_a_failure_tells_each_of_where_it_came_from_and_not_of_who_else_heard() -> None:
    maker, once = Maker(), Once[str]()

    async def frames() -> list[str]:
        with pytest.raises(ValueError, match="no") as caught:
            await once.get(maker.fail)
        return [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]

    waiting = [asyncio.create_task(frames()) for _ in range(50)]
    await asyncio.sleep(0)
    maker.goes_on.set()
    first, *others = await asyncio.gather(*waiting)
    assert first == ["frames", "get", "_make", "fail"]
    assert others == [["frames", "get", "_make", "fail"]] * 49


async def test_when_the_maker_leaves_another_makes_it() -> None:
    maker, once = Maker(), Once[str]()
    first, *others = [asyncio.create_task(once.get(maker.make)) for _ in range(3)]
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    maker.goes_on.set()
    assert await asyncio.gather(*others) == ["made"] * 2
    assert maker.asked == 2
