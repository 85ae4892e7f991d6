"""What the vendor's answer to a call, or its failure, makes of the messages that were in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from beanie import PydanticObjectId

import documents
from delivery import batches, ledger
from delivery.batches import Claim
from delivery.vendor import Answer, CallFailed, Refusal, key_of
from documents import MessageStatus

UNSPOKEN = Refusal("NO_ANSWER", "The vendor's answer did not mention the message.", permanent=False)


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many messages of a call came to what."""

    sent: int = 0
    failed: int = 0
    to_retry: int = 0


async def record(claimed: Claim, answer: Answer, *, max_attempts: int, retry_at: datetime, now: datetime) -> Recorded:
    """Write down an answer and give the batch back, due at `retry_at` if some are to be tried again.

    A message whose receipt was faster than the answer stays as it is. Raises batches.LeaseLost, with nothing written.
    """
    others = [message for message in claimed.messages if _key(message) not in answer.accepted]

    async def work(entry: ledger.Entry) -> Recorded:
        failed = to_retry = 0
        sent = await _accept(claimed, answer, others, entry)
        for message in await _not_moved(others, entry):
            refusal = answer.refused.get(_key(message), UNSPOKEN)
            final = refusal.permanent or message["attempts"] >= max_attempts
            failed, to_retry = failed + final, to_retry + (not final)
            _refuse(entry, message, refusal, final)
        await batches.release(
            claimed,
            entry,
            retry_at=retry_at if to_retry else None,
            failures=claimed.failures + 1 if to_retry else 0,
        )
        return Recorded(sent, failed, to_retry)

    return await ledger.write(work, now)


def none_taken(claimed: Claim, failure: CallFailed) -> Answer:
    """The answer that the failure of a whole call amounts to: each message refused, for now."""
    refusal = Refusal(failure.code, failure.reason, permanent=False)
    return Answer(refused={_key(message): refusal for message in claimed.messages})


async def ids_at_vendor(
    accepted: Iterable[tuple[PydanticObjectId, str]],
) -> Mapping[tuple[PydanticObjectId, str], str]:
    """The vendor's id of each of these messages, by the call in which it was accepted and the key that it had there."""
    wanted = list(accepted)
    calls = documents.VendorCall.get_pymongo_collection().find(
        {"_id": {"$in": list({call_id for call_id, _ in wanted})}}, [f"vendor_ids.{key}" for _, key in wanted]
    )
    return {(call["_id"], key): id_ async for call in calls for key, id_ in call["vendor_ids"].items() if id_}


async def _accept(claimed: Claim, answer: Answer, others: Sequence[ledger.Row], entry: ledger.Entry) -> int:
    """Make SENT what the vendor has accepted and no receipt has moved yet; returns how many that were."""
    not_theirs = {message["_id"] for message in others}
    keys = {message["_id"]: _key(message) for message in claimed.messages if message["_id"] not in not_theirs}
    if not keys:
        return 0
    call_id = PydanticObjectId()
    vendor_ids = {key: answer.accepted[key] for key in keys.values()}
    call = {"_id": call_id, "campaign_id": claimed.campaign_id, "answered_at": entry.now, "vendor_ids": vendor_ids}
    await documents.VendorCall.get_pymongo_collection().insert_one(call, session=entry.session)
    which = {"_id": {**claimed.stretch, "$nin": list(not_theirs)}}
    changes = {"call_id": call_id, "sent_at": entry.now}
    sent = await entry.move_all(claimed.campaign_id, which, MessageStatus.SENDING, MessageStatus.SENT, changes)
    if sent:
        entry.sent(claimed.campaign_id)
    if sent < len(keys):  # the others stay where their receipts have brought them
        await documents.Message.get_pymongo_collection().update_many(
            {"_id": {"$in": list(keys)}, "call_id": {"$exists": False}},
            ledger.update({"call_id": call_id, "updated_at": entry.now}),
            session=entry.session,
        )
    return sent


async def _not_moved(messages: Sequence[ledger.Row], entry: ledger.Entry) -> Sequence[ledger.Row]:
    """Those that are as they were claimed; the others are where receipts have brought them."""
    if not messages:
        return ()
    which = {"_id": {"$in": [message["_id"] for message in messages]}, "status": {"$ne": MessageStatus.SENDING.value}}
    moved = documents.Message.get_pymongo_collection().find(which, {"_id": 1}, session=entry.session)
    ids = {message["_id"] for message in await moved.to_list()}
    return [message for message in messages if message["_id"] not in ids]


def _key(message: ledger.Row) -> str:
    return key_of(message["_id"], message["life"])


def _refuse(entry: ledger.Entry, message: ledger.Row, refusal: Refusal, final: bool) -> None:
    if final:
        failure = {"failure_code": refusal.code, "failure_reason": refusal.reason, "failed_at": entry.now}
        entry.move(message, MessageStatus.FAILED, failure)
    else:
        entry.move(message, MessageStatus.PENDING, {})
