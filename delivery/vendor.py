"""The vendor's API, as we speak it: messages go by the batch, under keys that make a repetition harmless."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import httpx
import orjson

import metrics
from delivery import ledger

CALL_SECONDS = 10.0
LONGEST_RETRY_AFTER_SECONDS = 300.0  # a vendor that says more is asked again all the same
LONGEST_CODE = 100
LONGEST_REASON = 300
LONGEST_ID = 200
# Nobody is there, whatever was sent. A 500 or a time-out may be the fault of the messages.
DOWN = (httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the vendor did not take one message."""

    code: str
    reason: str
    permanent: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor said of each message of a call, by its key; a key in neither was not spoken of."""

    accepted: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, Refusal] = field(default_factory=dict)


class CallFailed(Exception):
    """The call as a whole did not work; the vendor may or may not have the messages."""

    def __init__(
        self,
        code: str,
        reason: str,
        retry_after: float = 0.0,
        *,
        too_large: bool = False,
        too_fast: bool = False,
        down: bool = False,
    ) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.retry_after = retry_after
        self.too_large = too_large
        self.too_fast = too_fast
        self.down = down


def key_of(message_id: str, life: int) -> str:
    """The idempotency key of a message in one of its lives."""
    return message_id if life == 1 else f"{message_id}~{life}"


def read_key(key: str) -> tuple[str, int] | None:
    """The message's id and its life; None for what is no key of ours."""
    message_id, mark, life = key.partition("~")
    if not mark:
        return message_id, 1
    return (message_id, int(life)) if life.isascii() and life.isdigit() and len(life) < 10 and int(life) > 1 else None


class Vendor:
    """The vendor at an address. Open it before use: `async with vendor:`."""

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        callback_url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self._callback_url = callback_url
        self._call_seconds = call_seconds
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=call_seconds,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def send(self, messages: Sequence[ledger.Row]) -> Answer:
        """Hand over messages as they are stored; raises CallFailed."""
        metrics.ATTEMPTS.inc(len(messages))
        try:
            with metrics.VENDOR_SECONDS.time():
                answer = await self._send(messages)
        except CallFailed as failure:
            metrics.VENDOR_CALLS.labels(failure.code).inc()
            raise
        metrics.VENDOR_CALLS.labels("OK").inc()
        return answer

    async def _send(self, messages: Sequence[ledger.Row]) -> Answer:
        body = {"callbackUrl": self._callback_url, "messages": [_outgoing(message) for message in messages]}
        try:
            async with asyncio.timeout(self._call_seconds):  # httpx's own begins anew with every byte that comes
                response = await self._client.post(
                    "/messages", content=orjson.dumps(body), headers={"Content-Type": "application/json"}
                )
        except (TimeoutError, httpx.TimeoutException) as error:
            raise CallFailed("VENDOR_TIMEOUT", f"No answer within {self._call_seconds:.0f} s.") from error
        except httpx.HTTPError as error:
            reason = f"The connection failed: {type(error).__name__}."
            raise CallFailed("VENDOR_UNREACHABLE", reason, down=True) from error
        if response.status_code != httpx.codes.ACCEPTED:
            raise _failed(response)
        return _answer(response.content)


def _outgoing(message: ledger.Row) -> dict[str, object]:
    return {
        "messageId": key_of(message["_id"], message["life"]),
        "channel": message["channel"],
        "to": message["recipient"],
        "subject": message.get("subject"),
        "body": message["body"],
    }


def _failed(response: httpx.Response) -> CallFailed:
    status = response.status_code
    return CallFailed(
        f"VENDOR_{status}",
        f"The vendor answered {status} {response.reason_phrase}.".replace(" .", "."),
        _seconds(response.headers.get("Retry-After")),
        too_large=status == httpx.codes.REQUEST_ENTITY_TOO_LARGE,
        too_fast=status == httpx.codes.TOO_MANY_REQUESTS,
        down=status in DOWN,
    )


def _seconds(retry_after: str | None) -> float:
    """The value of a Retry-After, in seconds or as an HTTP date; 0 when there is none that can be read."""
    if retry_after is None:
        return 0.0
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER_SECONDS)  # in this order NaN comes out as 0


def _answer(content: bytes) -> Answer:
    try:
        told = orjson.loads(content)
        return Answer(
            {row["messageId"]: str(row["vendorMessageId"] or "")[:LONGEST_ID] for row in told["accepted"]},
            {row["messageId"]: _refusal(row) for row in told["rejected"]},
        )
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise CallFailed("VENDOR_UNREADABLE", "The vendor's answer is not of the agreed shape.") from error


def _refusal(row: Mapping[str, object]) -> Refusal:
    reason = str(row.get("reason") or "")[:LONGEST_REASON]
    code = str(row.get("code") or "REFUSED")[:LONGEST_CODE]
    return Refusal(code, reason, permanent=row.get("permanent") is not False)
