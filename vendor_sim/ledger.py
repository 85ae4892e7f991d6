"""What the vendor holds: every message that it accepted in the last 24 hours, under its idempotency key."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b

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


@dataclass(slots=True)
class Held:
    """One accepted message. Its texts and its address are not kept, only digests of both, one behind the other."""

    digest: bytes
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

    def accept(self, message: dict[str, str | None], now: float) -> Refusal | bool:
        """Take a message in: True when it is new, False when it is held already, or why it is refused."""
        if refusal := _fault(message):
            return refusal
        digest = _digest(message)
        held = self.messages.get(str(message["messageId"]))
        if held is None:
            self.messages[str(message["messageId"])] = Held(digest, now)
            self.accepted += 1
            return True
        if held.digest != digest:
            return Refusal("IDEMPOTENCY_MISMATCH", "this messageId was used for another message")
        held.requests += 1
        self.duplicate_requests += 1
        return False

    def settle(self, message_id: str) -> Status:
        """Decide what becomes of an accepted message, once."""
        held = self.messages[message_id]
        if held.status is Status.ACCEPTED:
            held.status = self.fate(message_id)
            if held.status is Status.DELIVERED:
                held.deliveries += 1
                self.delivered += 1
            else:
                self.failed += 1
        return held.status

    def fate(self, message_id: str) -> Status:
        """The outcome that the seed has for this id: the same at every run."""
        share = int.from_bytes(self._hash("fate", message_id)) / 2**64
        return Status.DELIVERED if share < self.success_rate else Status.FAILED

    def vendor_message_id(self, message_id: str) -> str:
        """Our own id of the message: the same whenever it is asked for."""
        return f"vnd_{self._hash('message', message_id).hex()}"

    def receipt_id(self, message_id: str) -> str:
        """The id of the one receipt of the message."""
        return f"rcp_{self._hash('receipt', message_id).hex()}"

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

    def _hash(self, what: str, message_id: str) -> bytes:
        return blake2b(f"{self.seed}:{what}:{message_id}".encode(), digest_size=8).digest()


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
    address = (message.get(name) or "" for name in ("channel", "to"))
    texts = (message.get(name) or "" for name in ("subject", "body"))
    return b"".join(blake2b("\0".join(parts).encode(), digest_size=DIGEST_BYTES).digest() for parts in (address, texts))
