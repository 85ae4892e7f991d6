"""Answers that many get: an event is executed and written once for all who subscribed alike.

Alike is the same operation with the same variables, by callers of equal rights. Each of them keeps a stream of their
own, which they read at their own pace; what is shared is the answer to an event that several of them come to.
"""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

import orjson
from graphql import ExecutionResult

from documents.once import Once
from schema.operations import Answer, Operation, text_of

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Event(Generic[S, T]):
    """What a subscription yields whose events look the same to all callers of equal rights.

    It is the same event when it is about the same object, which is not to change any more.
    """

    about: S
    show: Callable[[S], T]

    def shown(self) -> T:
        """What the API shows of it."""
        return self.show(self.about)


# An answer for all, or, since errors name the request that met them, what each is to be told of in their own words.
Outcome = Answer | ExecutionResult


class _Told:
    """An event, how many had sat down before it was executed, and what came of it."""

    def __init__(self, about: object, number: int) -> None:
        self.about = about
        self.number = number
        self.outcome = Once[Outcome]()


class Audience:
    """Those who have subscribed alike, and the latest event that they were told."""

    def __init__(self) -> None:
        self._seats = 0
        self._latest = _Told(None, 0)

    def sit_down(self) -> int:
        """Become one of them; the number of one's seat."""
        self._seats += 1
        return self._seats

    async def outcome(
        self, event: Event[S, T], seat: int, execute: Callable[[object], Awaitable[ExecutionResult]]
    ) -> Outcome:
        """What comes of an event, executed now unless that was done for another since one has sat down.

        A subscription begins with what is so now, and what an event is about may be older than what is shown beside it.
        """
        told = self._latest
        if told.about is not event.about or told.number < seat:
            told = self._latest = _Told(event.about, self._seats)
        return await told.outcome.get(lambda: _outcome(execute(event.shown())))


class Audiences:
    """The audiences of this process; each is forgotten with the last who sits in it."""

    def __init__(self) -> None:
        self._audiences: WeakValueDictionary[Hashable, Audience] = WeakValueDictionary()

    def of(self, operation: Operation, rights: Hashable) -> Audience:
        """Those who ask for the same with the same rights; None are rights that nobody shares."""
        key = _key(operation, rights)
        return Audience() if key is None else self._audiences.setdefault(key, Audience())


def _key(operation: Operation, rights: Hashable) -> Hashable:
    request = operation.request
    try:
        variables = orjson.dumps(request.variables, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return None
    return None if rights is None else (request.query, request.operation_name, variables, rights)


async def _outcome(executed: Awaitable[ExecutionResult]) -> Outcome:
    result = await executed
    answer = Answer(executed=True, data=result.data)
    try:
        return result if result.errors else replace(answer, text=text_of(answer))
    except TypeError:  # a bug, of which each is told
        return result
