"""What the vendor's answer to a call, or its failure, makes of the messages that were in it."""

from dataclasses import dataclass
from datetime import datetime

import documents
from delivery import batches, ledger
from delivery.batches import Claim
from delivery.vendor import Answer, CallFailed, Refusal, key_of
from documents import MessageStatus

WANTED_FIELDS = ("campaign_id", "status", "vendor_message_id")
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

    async def work(entry: ledger.Entry) -> Recorded:
        sent = failed = to_retry = 0
        faster = await _moved_meanwhile(claimed, entry)
        for message in claimed.messages:
            key = key_of(message["_id"], message["life"])
            vendor_id = answer.accepted.get(key)
            if moved := faster.get(message["_id"]):
                _complete(entry, moved, vendor_id)
            elif vendor_id is not None:
                sent += 1
                entry.move(message, MessageStatus.SENT, {"vendor_message_id": vendor_id, "sent_at": entry.now})
            else:
                refusal = answer.refused.get(key, UNSPOKEN)
                final = refusal.permanent or message["attempts"] >= max_attempts
                failed, to_retry = failed + final, to_retry + (not final)
                _refused(entry, message, refusal, final)
        if sent:
            entry.sent(claimed.campaign_id)
        await batches.release(
            claimed,
            entry,
            retry_at=retry_at if to_retry else None,
            failures=claimed.failures + 1 if to_retry else 0,
        )
        return Recorded(sent, failed, to_retry)

    return await ledger.write_in_turn(work, now)


def none_taken(claimed: Claim, failure: CallFailed) -> Answer:
    """The answer that the failure of a whole call amounts to: each message refused, for now."""
    refusal = Refusal(failure.code, failure.reason, permanent=False)
    return Answer(refused={key_of(message["_id"], message["life"]): refusal for message in claimed.messages})


async def _moved_meanwhile(claimed: Claim, entry: ledger.Entry) -> dict[str, ledger.Row]:
    """The few messages that receipts have moved already; all others are as they were claimed."""
    ids = [message["_id"] for message in claimed.messages]
    moved = documents.Message.get_pymongo_collection().find(
        {"_id": {"$in": ids}, "status": {"$ne": MessageStatus.SENDING.value}}, WANTED_FIELDS, session=entry.session
    )
    return {message["_id"]: message for message in await moved.to_list()}


def _complete(entry: ledger.Entry, message: ledger.Row, vendor_id: str | None) -> None:
    if vendor_id is not None and "vendor_message_id" not in message:
        entry.move(message, MessageStatus(message["status"]), {"vendor_message_id": vendor_id})


def _refused(entry: ledger.Entry, message: ledger.Row, refusal: Refusal, final: bool) -> None:
    if final:
        failure = {"failure_code": refusal.code, "failure_reason": refusal.reason, "failed_at": entry.now}
        entry.move(message, MessageStatus.FAILED, failure)
    else:
        entry.move(message, MessageStatus.PENDING, {})
