"""The vendor's calls with receipts: genuine ones are taken, and everything else is refused with its own status."""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

import documents
from delivery import signature, webhook
from tests.delivery.conftest import messages_of, sent, stats_of

pytestmark = pytest.mark.usefixtures("database")

SECRET = "whsec_" + base64.b64encode(b"a secret of the tests").decode()
PATH = "http://server.test/webhooks/delivery-receipts"


def a_receipt(message_id: str, **fields: object) -> dict[str, object]:
    return {
        "receiptId": f"r-{message_id}",
        "messageId": message_id,
        "vendorMessageId": "vnd_1",
        "status": "DELIVERED",
        "occurredAt": "2026-11-22T10:00:00.123Z",
        "failureCode": None,
        "failureReason": None,
        **fields,
    }


async def call(
    body: bytes, *, secret: str = SECRET, at: datetime | None = None, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """A call as the vendor makes it."""
    app = Starlette(routes=[Route("/webhooks/delivery-receipts", webhook.endpoint(SECRET), methods=["POST"])])
    timestamp = str(int((at or documents.now()).timestamp()))
    signed = {
        "webhook-id": "msg_1",
        "webhook-timestamp": timestamp,
        "webhook-signature": signature.sign(signature.key_of(secret), "msg_1", timestamp, body),
        **(headers or {}),
    }
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        return await client.post(PATH, content=body, headers=signed)


async def report(*receipts: object) -> httpx.Response:
    return await call(orjson.dumps({"receipts": list(receipts)}))


async def test_receipts_are_stored_when_the_answer_is_200() -> None:
    campaign = await sent(audience=2)
    first, second = await messages_of(campaign)
    answer = await report(a_receipt(first.id), a_receipt(first.id), a_receipt(second.id), a_receipt("nobody"))
    assert answer.status_code == 200
    assert answer.json() == {"applied": 2, "duplicates": 1, "ignored": 0, "unknown": 1, "invalid": 0}
    assert (await stats_of(campaign)).delivered == 2


@pytest.mark.parametrize(
    "bad",
    [
        "no object",
        {},
        {"status": "LOST"},
        {"receiptId": ""},
        {"occurredAt": "yesterday"},
        {"occurredAt": "2026-11-22T10:00:00"},
        {"occurredAt": "0001-01-01T00:00:00+12:00"},
        {"occurredAt": "9999-12-31T23:59:59-12:00"},
        {"messageId": 7},
    ],
)
async def test_a_bad_receipt_harms_no_other(bad: object) -> None:
    campaign = await sent(audience=1)
    (message,) = await messages_of(campaign)
    other = {**a_receipt("x"), **bad} if isinstance(bad, dict) and bad else bad
    answer = await report(other, a_receipt(message.id))
    assert (answer.json()["invalid"], answer.json()["applied"]) == (1, 1)


async def test_what_the_vendor_says_at_length_is_cut() -> None:
    campaign = await sent(audience=1)
    (message,) = await messages_of(campaign)
    long = "long" * 100_000
    failed = a_receipt(message.id, status="FAILED", vendorMessageId=long, failureCode=long, failureReason=long)
    assert (await report(failed)).json()["applied"] == 1
    (message,) = await messages_of(campaign)
    assert (message.failure_code, message.failure_reason) == (long[:100], long[:300])


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b'{"receipts": {}}', b'{"receipt": []}'])
async def test_what_is_not_of_the_shape_is_422(body: bytes) -> None:
    assert (await call(body)).status_code == 422


async def test_a_call_that_is_not_the_vendors_is_401() -> None:
    body = orjson.dumps({"receipts": []})
    foreign = "whsec_" + base64.b64encode(b"of somebody else").decode()
    assert (await call(body)).status_code == 200
    assert (await call(body, secret=foreign)).status_code == 401
    assert (await call(body, at=documents.now() - timedelta(minutes=6))).status_code == 401
    assert (await call(body, at=documents.now() + timedelta(minutes=6))).status_code == 401
    assert (await call(body, headers={"webhook-timestamp": "soon"})).status_code == 401
    assert (await call(body, headers={"webhook-signature": ""})).status_code == 401


async def test_one_genuine_signature_among_several_is_enough() -> None:
    body = orjson.dumps({"receipts": []})
    timestamp = str(int(documents.now().timestamp()))
    good = signature.sign(signature.key_of(SECRET), "msg_1", timestamp, body)
    headers = {"webhook-timestamp": timestamp, "webhook-signature": f"v1,AAAA {good}"}
    assert (await call(body, headers=headers)).status_code == 200


async def test_too_much_at_once_is_413() -> None:
    assert (await report(*[a_receipt("x")] * 5001)).status_code == 413
    assert (await call(b" " * (5 * 1024 * 1024 + 1))).status_code == 413


async def test_without_a_secret_every_call_is_refused() -> None:
    app = Starlette(routes=[Route("/", webhook.endpoint(None), methods=["POST"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        assert (await client.post("http://server.test/", content=b"{}")).status_code == 401


@pytest.mark.parametrize("secret", ["", "plain", "whsec_", "whsec_!!", "c2VjcmV0"])
def test_a_secret_of_another_form_is_refused_at_the_start(secret: str) -> None:
    with pytest.raises(signature.SecretUnreadable):
        signature.key_of(secret)
