"""Mutations that may be sent twice: what became of the first one under a key."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import orjson

import documents

KEPT_FOR = timedelta(hours=24)
# A mutation is given up after 30 s, and its answer recorded at once: past this, the process that began it has died.
LONGEST_RUN = timedelta(minutes=1)
LARGEST_ANSWER = 2**20  # bytes
ANSWERS_AT_ONCE = 16  # read while others wait
LONG_TRACE = 7  # characters, quotes included: a shorter text stands in too many others


class Fate(StrEnum):
    """What became of the first mutation under a key."""

    RUNNING = "RUNNING"  # it still runs
    LOST = "LOST"  # it was begun and never ended: nobody knows how far it came
    ANSWERED = "ANSWERED"  # its answer is at hand
    UNKEPT = "UNKEPT"  # it ended, and its answer was not kept
    OTHER = "OTHER"  # it was another mutation


@dataclass(frozen=True, slots=True)
class Earlier:
    """The first mutation under a key, as the second finds it; `answer` when it was ANSWERED."""

    fate: Fate
    answer: bytes = b""


async def begin(caller: str, key: str, body_hash: str, now: datetime) -> Earlier | None:
    """Claim a caller's key for a mutation. None: the claim is stored, and it may be carried out, once."""
    first = documents.KeyedMutation(
        id=_id_of(caller, key), body_hash=body_hash, begun_at=now, expires_at=now + KEPT_FOR
    )
    record = first.model_dump(exclude={"id"}, exclude_none=True)
    stored = await documents.KeyedMutation.get_pymongo_collection().find_one_and_update(
        {"_id": first.id}, {"$setOnInsert": record}, upsert=True
    )
    if stored is None:
        return None
    earlier: documents.KeyedMutation = documents.KeyedMutation.model_validate(stored)
    return _told(earlier, body_hash, now)


async def finish(caller: str, key: str, answer: bytes | None, now: datetime) -> None:
    """Record that a mutation has ended, with its answer if that is to be kept and not too large."""
    kept = {"answer": answer} if answer is not None and len(answer) <= LARGEST_ANSWER else {}
    await documents.KeyedMutation.get_pymongo_collection().update_one(
        {"_id": _id_of(caller, key)}, {"$set": {"finished_at": now, **kept}}
    )


async def forget(traces: Collection[str]) -> None:
    """Keep no answer in which one of these texts stands, alone or, if it is not short, within another."""
    whole = [orjson.dumps(trace).lower() for trace in traces]
    within = [text.strip(b'"') for text in whole if len(text) > LONG_TRACE]
    mutations = documents.KeyedMutation.get_pymongo_collection()
    async for stored in mutations.find({"answer": {"$exists": True}}, ["answer"], batch_size=ANSWERS_AT_ONCE):
        answer = stored["answer"].lower()
        if any(trace in answer for trace in (*whole, *within)):
            await mutations.update_one({"_id": stored["_id"]}, {"$unset": {"answer": ""}})
        await asyncio.sleep(0)


def _id_of(caller: str, key: str) -> str:
    return f"{caller}:{key}"


def _told(earlier: documents.KeyedMutation, body_hash: str, now: datetime) -> Earlier:
    if earlier.body_hash != body_hash:
        return Earlier(Fate.OTHER)
    if earlier.answer is not None:
        return Earlier(Fate.ANSWERED, earlier.answer)
    if earlier.finished_at is not None:
        return Earlier(Fate.UNKEPT)
    return Earlier(Fate.RUNNING if now - earlier.begun_at < LONGEST_RUN else Fate.LOST)
