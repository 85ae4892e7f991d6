"""What the vendor holds: every message that it accepted in the last 24 hours, under its idempotency key."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

KEPT_SECONDS = 24 * 3600.0
DIGEST_BYTES = 8
RECIPIENTS = {
    "SMS": re.compile(r"\+[1-9]\d{6,14}", re.ASCII),
    "EMAIL": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
}


class Status(StrEnum):
    """What became of a message."""

    ACCEPTED = "ACCEPTED"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


class Marks(NamedTuple):
    """What a seed makes of an id: one hash in three parts, the same at every run."""

    fate: float  # from 0 to below 1
    vendor_message_id: str
    receipt_id: str

    @classmethod
    def of(cls, seed: int, message_id: str) -> "Marks":
        """The marks of a message."""
        digest = blake2b(f"{seed}:{message_id}".encode(), digest_size=24).hexdigest()
        return cls(int(digest[:16], 16) / 2**64, f"vnd_{digest[16:32]}", f"rcp_{digest[32:]}")


@dataclass(slots=True)
class Held:
    """One accepted message. Its texts and its address are not kept, only digests of both, one behind the other."""

    digest: bytes
    marks: Marks
    accepted_at: float
    status: Status = Status.ACCEPTED
    requests: int = 1
    deliveries: int = 0
    acknowledged: bool = False

    @property
    def recipient(self) -> str:
        """Tells one address from another, so that somebody who was written to twice can be seen."""
        return self.digest[:DIGEST_BYTES].hex()


@dataclass(slots=True)
class Refusal:
    """Why a message is not accepted, for good."""

    code: str
    reason: str


@dataclass(slots=True)
class Ledger:
    """The messages by id, the oldest first, and the counters that `/stats` tells."""

    seed: int
    success_rate: float
    messages: dict[str, Held] = field(default_factory=dict)
    accepted: int = 0
    delivered: int = 0
    failed: int = 0
    duplicate_requests: int = 0

    def accept(self, message: dict[str, str | None], now: float) -> Refusal | Held:
        """Take a message in: what is held of it, at its first request if it is new; or why it is refused."""
        if refusal := _fault(message):
            return refusal
        digest = _digest(message)
        id_ = str(message["messageId"])
        held = self.messages.get(id_)
        if held is None:
            held = self.messages[id_] = Held(digest, Marks.of(self.seed, id_), now)
            self.accepted += 1
            return held
        if held.digest != digest:
            return Refusal("IDEMPOTENCY_MISMATCH", "this messageId was used for another message")
        held.requests += 1
        self.duplicate_requests += 1
        return held

    def settle(self, message_id: str) -> Held:
        """Decide what becomes of an accepted message, once."""
        held = self.messages[message_id]
        if held.status is Status.ACCEPTED:
            held.status = self.fate(held.marks)
            if held.status is Status.DELIVERED:
                held.deliveries += 1
                self.delivered += 1
            else:
                self.failed += 1
        return held

    def fate(self, marks: Marks) -> Status:
        """The outcome of a message with these marks."""
        return Status.DELIVERED if marks.fate < self.success_rate else Status.FAILED

    def forget(self, now: float) -> None:
        """Drop what is older than 24 hours and has been told."""
        for message_id, held in list(self._oldest(now)):
            if held.acknowledged:
                del self.messages[message_id]

    def _oldest(self, now: float) -> list[tuple[str, Held]]:
        found = []
        for message_id, held in self.messages.items():
            if held.accepted_at > now - KEPT_SECONDS:
                break
            found.append((message_id, held))
        return found


def _fault(message: dict[str, str | None]) -> Refusal | None:
    recipient = RECIPIENTS.get(str(message.get("channel")))
    if recipient is None:
        return Refusal("INVALID_CHANNEL", "the channel is SMS or EMAIL")
    if not recipient.fullmatch(message.get("to") or ""):
        return Refusal("INVALID_RECIPIENT", "not an address of this channel")
    if not message.get("body"):
        return Refusal("EMPTY_BODY", "there is nothing to say")
    return None


def _digest(message: dict[str, str | None]) -> bytes:
    return _hash(message["channel"], message["to"]) + _hash(message.get("subject"), message["body"])


def _hash(first: str | None, second: str | None) -> bytes:
    return blake2b(f"{first or ''}\0{second}".encode(), digest_size=DIGEST_BYTES).digest()
