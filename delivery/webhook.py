"""Where the vendor brings its receipts: POST /webhooks/delivery-receipts."""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

import orjson
import pymongo
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pymongo.errors import PyMongoError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

import documents
import metrics
from delivery import receipts, signature, vendor
from delivery.receipts import Outcome, Report
from documents import ReceiptStatus

log = logging.getLogger(__name__)

LARGEST_BODY = 5 * 1024 * 1024
MOST_RECEIPTS = 5000
STORE_SECONDS = 20.0  # the vendor had better try again than wait for a database that is away


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:  # in the first hours of the year 1, or the last of 9999; such an instant cannot be stored
        raise ValueError("There is no such instant in UTC.") from None


def _cut(longest: int) -> AfterValidator:
    def cut(text: str) -> str:
        return text[:longest]

    return AfterValidator(cut)


Identifier = Annotated[str, Field(min_length=1, max_length=vendor.LONGEST_ID)]
Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class _Receipt(BaseModel):
    """One receipt in the vendor's words."""

    model_config = ConfigDict(alias_generator=to_camel)

    receipt_id: Identifier
    message_id: Identifier
    status: ReceiptStatus
    occurred_at: Instant
    vendor_message_id: Annotated[str, _cut(vendor.LONGEST_ID)] | None = None
    failure_code: Annotated[str, _cut(vendor.LONGEST_CODE)] | None = None
    failure_reason: Annotated[str, _cut(vendor.LONGEST_REASON)] | None = None

    def report(self) -> Report:
        """The same, as the ledger takes it."""
        return Report(
            receipt_id=self.receipt_id,
            key=self.message_id,
            status=self.status,
            occurred_at=self.occurred_at,
            vendor_message_id=self.vendor_message_id,
            failure_code=self.failure_code,
            failure_reason=self.failure_reason,
        )


class _Call(BaseModel):
    receipts: list[_Receipt]


class _Refused(Exception):
    """The call is answered with a status other than 200."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def endpoint(secret: str | None) -> Callable[[Request], Awaitable[Response]]:
    """The handler of receipts signed with this secret; without one it refuses every call."""
    key = signature.key_of(secret) if secret else None

    async def take_receipts(request: Request) -> Response:
        response = await answer(request)
        metrics.WEBHOOK_CALLS.labels(str(response.status_code)).inc()
        return response

    async def answer(request: Request) -> Response:
        try:
            body = await _body(request)
            now = documents.now()
            if key is None or not signature.is_genuine(key, request.headers, body, now):
                raise _Refused(401, "The signature is not valid.")
            reports = _reports(body)
            with pymongo.timeout(STORE_SECONDS):
                outcomes = await receipts.apply([report for report in reports if report], now)
        except _Refused as refused:
            return PlainTextResponse(f"{refused}\n", refused.status)
        except PyMongoError:
            log.exception("receipts could not be stored")
            return PlainTextResponse("The receipts could not be stored: try again.\n", 503)
        counts = receipts.tally(outcomes)
        told = {
            "applied": counts[Outcome.APPLIED],
            "duplicates": counts[Outcome.DUPLICATE],
            "ignored": counts[Outcome.IGNORED],
            "unknown": counts[Outcome.UNKNOWN_MESSAGE],
            "invalid": reports.count(None),
        }
        return Response(orjson.dumps(told), media_type="application/json")

    return take_receipts


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise _Refused(413, f"A call has at most {LARGEST_BODY} bytes.")
    return bytes(body)


def _reports(body: bytes) -> list[Report | None]:
    """The receipts of a call; None for each that is not one."""
    try:
        read = _Call.model_validate_json(body).receipts
    except ValidationError:
        return _one_by_one(body)
    _check_number(len(read))
    return [receipt.report() for receipt in read]


def _one_by_one(body: bytes) -> list[Report | None]:
    """The receipts of a call that has bad ones among them, or is none at all: a bad one must not harm the others."""
    try:
        rows = orjson.loads(body)["receipts"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise _Refused(422, 'The body is not of the form {"receipts": […]}.') from error
    if not isinstance(rows, list):
        raise _Refused(422, "receipts is not a list.")
    _check_number(len(rows))
    return [_report(row) for row in rows]


def _report(row: object) -> Report | None:
    try:
        return _Receipt.model_validate_json(orjson.dumps(row)).report()
    except ValidationError:
        return None


def _check_number(count: int) -> None:
    if count > MOST_RECEIPTS:
        raise _Refused(413, f"A call has at most {MOST_RECEIPTS} receipts.")
