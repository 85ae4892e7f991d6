"""Subscribers who ask alike share the execution of an event, and nobody can tell by what they hear."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest
import strawberry
from strawberry.scalars import JSON

from schema.execution import EngineSchema
from schema.operations import Answer, Request, encode
from schema.sharing import Event
from tests.api.small import Caller, Query

NEWS = ["first", "second", "third"]


@dataclass
class Press:
    """Where the news are printed: how often, and for whom next; while `stopped` is clear, it stands still."""

    printed: int = 0
    running: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Reader:
    """A caller; those in one city have equal rights."""

    somebody: Caller
    press: Press
    city: str | None

    @property
    def caller(self) -> str | None:
        return self.somebody.name

    @property
    def rights(self) -> str | None:
        return self.city

    @property
    def expires_at(self) -> None:
        return None


Info = strawberry.Info[Reader, None]


@strawberry.type
class Item:
    text: str

    @strawberry.field
    async def copy(self, info: Info) -> int:
        press = info.context.press
        press.printed += 1
        copy = press.printed
        await press.running.wait()
        return copy

    @strawberry.field
    def city(self, info: Info) -> str | None:
        return info.context.city

    @strawberry.field
    def fails(self) -> str | None:
        raise RuntimeError("hunter2")

    @strawberry.field
    def unwritable(self) -> JSON:
        return JSON(object())


@strawberry.type
class Subscription:
    @strawberry.subscription(graphql_type=Item)
    async def news(self, about: str = "all") -> AsyncGenerator[Event[str, Item], None]:
        for text in NEWS:
            yield Event(text, lambda text: Item(text=f"{text} of {about}"))

    @strawberry.subscription
    async def letters(self) -> AsyncGenerator[Item, None]:
        for text in NEWS:
            yield Item(text=text)


SCHEMA = EngineSchema(Query, subscription=Subscription)
COPIES = 'subscription ($about: String! = "all") { news(about: $about) { text copy } }'


class Newsstand:
    """Subscribers to the news; each hears of the first item at once, so that all have sat down."""

    def __init__(self) -> None:
        self.press = Press()
        self.press.running.set()
        self._open: list[AsyncGenerator[Answer, None]] = []

    async def subscriber(
        self, query: str = COPIES, city: str | None = "Pune", name: str = "ann", **variables: object
    ) -> AsyncGenerator[Answer, None]:
        operation = SCHEMA.prepare(Request(query, variables), f"request-{name}")
        answers = SCHEMA.performed(operation, lambda: Reader(Caller(name), self.press, city))
        self._open.append(answers)
        await anext(answers)
        return answers

    async def close(self) -> None:
        for answers in self._open:
            await answers.aclose()


@pytest.fixture
async def stand() -> AsyncGenerator[Newsstand, None]:
    stand = Newsstand()
    yield stand
    await stand.close()


def news(answer: Answer) -> dict[str, object]:
    item = json.loads(encode(answer, "nobody's"))["data"]["news"]
    assert isinstance(item, dict)
    return item


async def test_an_event_is_executed_and_written_once_for_all_who_ask_alike(stand: Newsstand) -> None:
    subscribers = [await stand.subscriber(name=name) for name in ("ann", "ben", "cem")]
    stand.press.printed = 0
    for text in NEWS[1:]:
        answers = [await anext(each) for each in subscribers]
        assert {id(encode(answer, "x")) for answer in answers} == {id(encode(answers[0], "x"))}
        assert news(answers[0])["text"] == f"{text} of all"
    assert stand.press.printed == 2


async def test_what_is_being_executed_is_waited_for(stand: Newsstand) -> None:
    subscribers = [await stand.subscriber() for _ in range(3)]
    stand.press.printed = 0
    stand.press.running.clear()
    waiting = [asyncio.create_task(anext(each)) for each in subscribers]
    await asyncio.sleep(0)
    stand.press.running.set()
    assert [news(answer) for answer in await asyncio.gather(*waiting)] == [{"text": "second of all", "copy": 1}] * 3


async def test_when_the_one_who_executes_leaves_the_others_are_told_all_the_same(stand: Newsstand) -> None:
    first, *others = [await stand.subscriber() for _ in range(3)]
    stand.press.running.clear()
    leaving = asyncio.create_task(anext(first))
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(anext(each)) for each in others]
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    stand.press.running.set()
    texts = [news(answer)["text"] for answer in await asyncio.gather(*waiting)]
    assert texts == ["second of all"] * 2


async def test_a_subscription_begins_with_what_is_so_now(stand: Newsstand) -> None:
    early = await stand.subscriber()
    assert news(await anext(early))["copy"] == 2
    late = SCHEMA.performed(SCHEMA.prepare(Request(COPIES)), lambda: Reader(Caller("late"), stand.press, "Pune"))
    async with aclosing(late):
        assert news(await anext(late)) == {"text": "first of all", "copy": 3}
        assert news(await anext(late)) == {"text": "second of all", "copy": 4}, "and not the copy made before"
        assert news(await anext(late)) == {"text": "third of all", "copy": 5}
    assert news(await anext(early)) == {"text": "third of all", "copy": 5}


# What tells a subscriber from one who asks for COPIES in Pune.
UNLIKE: list[dict[str, str | None]] = [
    {"city": "Agra"},
    {"city": None},
    {"about": "Pune"},
    {"query": COPIES.replace("text", "city text")},
    {"query": COPIES.replace("text", "title: text")},
]


@pytest.mark.parametrize("difference", UNLIKE, ids=repr)
async def test_who_asks_for_something_else_or_is_somebody_else_is_told_apart(
    stand: Newsstand, difference: dict[str, str | None]
) -> None:
    usual, other = await stand.subscriber(), await stand.subscriber(**difference)  # type: ignore[arg-type]  # of texts
    one, another = news(await anext(usual)), news(await anext(other))
    assert one["copy"] != another["copy"]
    assert one["text"] == "second of all"
    assert another.get("text", another.get("title")) == f"second of {difference.get('about', 'all')}"
    assert another.get("city", "Pune") == "Pune"


async def test_nobodys_rights_are_nobody_elses(stand: Newsstand) -> None:
    subscribers = [await stand.subscriber(city=None) for _ in range(2)]
    one, other = [news(await anext(each)) for each in subscribers]
    assert one["copy"] != other["copy"]


async def test_the_operation_that_is_named_is_the_one_that_is_shared(stand: Newsstand) -> None:
    both = "subscription A { news { text copy } } subscription B { news { copy } }"
    answers = []
    for name in "AB":
        operation = SCHEMA.prepare(Request(both, {}, name))
        async with aclosing(SCHEMA.performed(operation, lambda: Reader(Caller("ann"), stand.press, "Pune"))) as told:
            answers.append(news(await anext(told)).keys())
    assert answers == [{"text", "copy"}, {"copy"}]


@pytest.mark.parametrize("selection", ["copy fails", "copy unwritable"])
async def test_an_error_names_the_request_of_each(stand: Newsstand, selection: str) -> None:
    query = f"subscription {{ news {{ {selection} }} }}"
    names = ["ann", "ben"]
    subscribers = [await stand.subscriber(query, name=name) for name in names]
    stand.press.printed = 0
    told = [
        json.loads(encode(await anext(each), f"request-{name}")) for each, name in zip(subscribers, names, strict=True)
    ]
    assert [each["errors"][0]["extensions"]["requestId"] for each in told] == ["request-ann", "request-ben"]
    assert "hunter2" not in json.dumps(told)
    assert stand.press.printed == 1


async def test_what_is_not_said_to_look_the_same_is_executed_for_each(stand: Newsstand) -> None:
    subscribers = [await stand.subscriber("subscription { news: letters { copy } }") for _ in range(2)]
    one, other = [news(await anext(each)) for each in subscribers]
    assert one["copy"] != other["copy"]
