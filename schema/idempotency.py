"""Mutations that a client may send again: under one key, the first answer stands for a day.

A mutation is carried out at most once under a key. Between its last write and the recording of its answer a process
may die: then nobody knows how far it came, and that is what a repetition is told, never that it may try again.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from io import BufferedIOBase
from typing import Protocol, runtime_checkable

import orjson
from graphql import OperationType
from pymongo.errors import PyMongoError

import documents
from resolvers import idempotency
from resolvers.idempotency import Earlier, Fate
from schema import access, errors, selections
from schema.operations import Answer, Operation, Request, encode
from schema.reading import Refused

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 1

Perform = Callable[[], Awaitable[Answer]]

# The event loop itself holds on to no task.
_under_way: set[asyncio.Task[Answer]] = set()


@runtime_checkable
class _File(Protocol):
    """A file that was sent beside the request."""

    file: BufferedIOBase


async def once(operation: Operation, caller: str | None, perform: Perform) -> Answer:
    """The answer of `perform`, or of the first request under the same key; raises Refused when there is none to give.

    Keys are for mutations of callers who are somebody: nobody's keys could be anybody's.
    """
    key = operation.request.key
    if key is None or caller is None or operation.kind is not OperationType.MUTATION:
        return await perform()
    if earlier := await _begin(operation, caller, key):
        return _repeated(earlier)
    # A client that leaves takes its task along; what has begun under a key goes on, to be found by the next request.
    begun = asyncio.create_task(_recorded(operation, caller, key, perform), name=f"mutation {operation.request_id}")
    _under_way.add(begun)
    begun.add_done_callback(_under_way.discard)
    return await asyncio.shield(begun)


async def _begin(operation: Operation, caller: str, key: str) -> Earlier | None:
    try:
        body_hash = await asyncio.to_thread(_hash, operation.request)
    except TypeError as error:
        problem = "Under an Idempotency-Key, variables nest at most 250 levels deep."
        raise _refused(errors.BAD_USER_INPUT, problem) from error
    try:
        return await idempotency.begin(caller, key, body_hash, documents.now())
    except PyMongoError as error:
        log.warning("the key of request %s could not be claimed", operation.request_id, exc_info=True)
        raise _refused(errors.UNAVAILABLE, "Nothing was done, as the database did not answer; try again.") from error


async def _recorded(operation: Operation, caller: str, key: str, perform: Perform) -> Answer:
    answer = await perform()
    text = None if _hands_out_secrets(operation) else encode(answer, operation.request_id)
    try:
        await idempotency.finish(caller, key, text, documents.now())
    except PyMongoError:
        # The caller has the answer all the same; only a repetition will be told that the outcome is unknown.
        log.warning("the answer of request %s could not be recorded", operation.request_id, exc_info=True)
    return answer


def _repeated(earlier: Earlier) -> Answer:
    match earlier.fate:
        case Fate.ANSWERED:
            return Answer(executed=True, text=earlier.answer, is_repeated=True)
        case Fate.OTHER:
            raise _refused(errors.KEY_REUSED, "This Idempotency-Key was used before, for another request.")
        case Fate.RUNNING:
            problem = "The first request with this Idempotency-Key still runs; try again for its answer."
            raise _refused(errors.IN_PROGRESS, problem, retryAfterSeconds=RETRY_AFTER_SECONDS)
        case Fate.LOST:
            problem = (
                "The first request with this Idempotency-Key was begun and never finished: it may have been carried "
                "out, in part or not at all. See what is stored before you send it with a new key."
            )
            raise _refused(errors.OUTCOME_UNKNOWN, problem)
        case Fate.UNKEPT:
            problem = (
                "The first request with this Idempotency-Key was carried out, and its answer was not kept, being too "
                "large or holding a secret."
            )
            raise _refused(errors.ANSWER_NOT_KEPT, problem)


def _refused(code: str, problem: str, **extensions: object) -> Refused:
    return Refused([errors.coded(code, problem, **extensions)], code)


def _hash(request: Request) -> str:
    """What tells one request from another; a file among its variables counts by what is in it.

    Raises TypeError for what nests deeper than orjson writes: it reads four times as deep.
    """
    asked = [request.query, request.variables, request.operation_name]
    return hashlib.sha256(orjson.dumps(asked, default=_digest, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _digest(value: object) -> str:
    if not isinstance(value, _File):
        raise TypeError(f"{type(value).__name__} is neither JSON nor a file")
    value.file.seek(0)
    digest = hashlib.file_digest(value.file, "sha256")
    value.file.seek(0)
    return digest.hexdigest()


def _hands_out_secrets(operation: Operation) -> bool:
    fragments = {name: details.definition for name, details in operation.document.fragments.items()}
    asked = {node.name.value for node in selections.fields([operation.node.selection_set], fragments)}
    return not asked.isdisjoint(access.SECRET_FIELDS)
