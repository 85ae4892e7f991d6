"""The vendor's API as we speak it: what is made of its answers."""

import asyncio
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from beanie import PydanticObjectId

from delivery.ledger import Row
from delivery.vendor import LONGEST_RETRY_AFTER_SECONDS, CallFailed, Vendor, read_key
from tests.delivery.conftest import CALLBACK, ScriptedVendor, failing

MESSAGE = Row(
    _id="c-1",
    campaign_id=PydanticObjectId(),
    channel="SMS",
    recipient="+12015550123",
    body="Hi",
    status="SENDING",
    attempts=1,
    life=1,
)


async def failure(vendor: ScriptedVendor) -> CallFailed:
    async with vendor.client() as client:
        with pytest.raises(CallFailed) as caught:
            await client.send([MESSAGE])
    return caught.value


@pytest.mark.parametrize(("told", "kept"), [("vnd-1", "vnd-1"), (17, "17"), (None, ""), ("v" * 5000, "v" * 200)])
async def test_an_accepted_message_is_accepted_whatever_id_the_vendor_gives_it(
    vendor: ScriptedVendor, told: object, kept: str
) -> None:
    answer = {"accepted": [{"messageId": "c-1", "vendorMessageId": told}], "rejected": []}
    vendor.script = [lambda _: httpx.Response(202, json=answer)]
    async with vendor.client() as client:
        assert (await client.send([MESSAGE])).accepted == {"c-1": kept}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0.5", 0.5), ("-3", 0), ("soon", 0), ("nan", 0), ("1e9", LONGEST_RETRY_AFTER_SECONDS), ("", 0)],
)
async def test_a_retry_after_in_seconds_is_read_and_bounded(
    vendor: ScriptedVendor, header: str, seconds: float
) -> None:
    vendor.script = [failing(503, **{"Retry-After": header})]
    assert (await failure(vendor)).retry_after == seconds


async def test_a_retry_after_may_be_a_date(vendor: ScriptedVendor) -> None:
    later = datetime.now(UTC) + timedelta(seconds=100)
    vendor.script = [failing(429, **{"Retry-After": format_datetime(later, usegmt=True)})]
    assert math.isclose((await failure(vendor)).retry_after, 100, abs_tol=20)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"accepted": [{}], "rejected": []}', b'{"accepted": null}'])
async def test_an_answer_of_another_shape_is_a_failed_call(vendor: ScriptedVendor, body: bytes) -> None:
    vendor.script = [lambda _: httpx.Response(202, content=body)]
    assert (await failure(vendor)).code == "VENDOR_UNREADABLE"


async def test_an_answer_that_trickles_is_waited_for_no_longer_than_any() -> None:
    async def trickle() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0)

    endless = httpx.MockTransport(lambda _: httpx.Response(202, content=trickle()))
    async with Vendor("http://vendor", None, CALLBACK, transport=endless, call_seconds=0.05) as client:
        with pytest.raises(CallFailed, match="VENDOR_TIMEOUT"):
            await client.send([MESSAGE])


@pytest.mark.parametrize(
    ("key", "read"),
    [("m", ("m", 1)), ("m~2", ("m", 2)), ("m~1", None), ("m~", None), ("m~x", None), ("m~2~3", None), ("m~²", None)],
)
def test_a_key_is_a_message_in_one_of_its_lives(key: str, read: tuple[str, int] | None) -> None:
    assert read_key(key) == read
