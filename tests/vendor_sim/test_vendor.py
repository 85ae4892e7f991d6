"""The simulated vendor keeps its protocol, and breaks where it is told to."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from tests.vendor_sim.conftest import Callback, a_message, is_signed, vendor
from vendor_sim.ledger import Ledger, Marks, Status

SECRET = f"whsec_{base64.b64encode(b'a secret of the tests').decode()}"


async def test_a_message_is_accepted_and_its_fate_is_told(callback: Callback) -> None:
    async with vendor(callback, success_rate=1) as client:
        answer = await client.send(a_message())
        assert answer.status_code == 202
        (accepted,) = answer.json()["accepted"]
        (receipt,) = await callback.until(1)
        assert receipt["vendorMessageId"] == accepted["vendorMessageId"]
        assert (receipt["messageId"], receipt["status"], receipt["failureCode"]) == ("m1", "DELIVERED", None)


async def test_the_same_message_again_is_answered_as_before_and_delivered_no_more(callback: Callback) -> None:
    async with vendor(callback) as client:
        first = await client.send(a_message())
        second = await client.send(a_message())
        assert first.json() == second.json()
        await callback.until(1)
        assert (await client.get("stats")).json() | {"receiptsPending": 0} == {
            "accepted": 1,
            "delivered": 1,
            "failed": 0,
            "duplicateRequests": 1,
            "receiptsPending": 0,
        }


async def test_another_message_under_the_same_id_is_rejected(callback: Callback) -> None:
    async with vendor(callback) as client:
        await client.send(a_message())
        (rejected,) = (await client.send(a_message(body="Hello"))).json()["rejected"]
        assert (rejected["code"], rejected["permanent"]) == ("IDEMPOTENCY_MISMATCH", True)


async def test_one_bad_message_harms_no_other(callback: Callback) -> None:
    async with vendor(callback) as client:
        answer = (await client.send(a_message(1), a_message(2, to="nobody"), a_message(3, body=""))).json()
        assert [each["messageId"] for each in answer["accepted"]] == ["m1"]
        assert [each["code"] for each in answer["rejected"]] == ["INVALID_RECIPIENT", "EMPTY_BODY"]


async def test_all_that_it_holds_is_listed_and_tells_who_was_written_to_twice(callback: Callback) -> None:
    async with vendor(callback) as client:
        await client.send(a_message(1), a_message(2, to="+12015550199"), a_message(3, body="Hello"))
        first, second, third = (await client.get("messages")).json()["messages"]
        assert [each["messageId"] for each in (first, second, third)] == ["m1", "m2", "m3"]
        assert first["recipient"] == third["recipient"] != second["recipient"]
        assert (await client.get("messages?skip=2")).json()["messages"] == [(await client.get("messages/m3")).json()]
        assert (await client.get("messages?skip=-1")).status_code == 400


async def test_what_is_not_a_call_is_refused_whole(callback: Callback) -> None:
    async with vendor(callback) as client:
        assert (await client.send({"messageId": 5})).status_code == 400
        assert (await client.send(*(a_message(number) for number in range(1001)))).status_code == 413
        assert (await client.get("messages/m1")).status_code == 404


async def test_receipts_are_signed(callback: Callback) -> None:
    async with vendor(callback, VENDOR_WEBHOOK_SECRET=SECRET) as client:
        await client.send(a_message())
        await callback.until(1)
        assert is_signed(callback.calls[0], SECRET)
        assert not is_signed(callback.calls[0], f"whsec_{base64.b64encode(b'another').decode()}")


async def test_receipts_that_nobody_took_are_sent_again(callback: Callback) -> None:
    callback.answers = [503, 401]
    async with vendor(callback) as client:
        await client.send(a_message())
        await callback.until(1)
        assert len(callback.calls) == 3
        assert (await client.get("messages/m1")).json()["receiptAcknowledged"] is True


async def test_receipts_travel_in_batches_of_a_bounded_size(callback: Callback) -> None:
    async with vendor(callback, receipt_batch=10, latency_ms=0) as client:
        await client.send(*(a_message(number) for number in range(25)))
        assert len(await callback.until(25)) == 25
        assert len(callback.calls) >= 3


async def test_a_repeated_receipt_has_the_same_id(callback: Callback) -> None:
    async with vendor(callback, duplicate_rate=1) as client:
        await client.send(a_message())
        first, second = await callback.until(2)
        assert first["receiptId"] == second["receiptId"]
        assert (await client.get("messages/m1")).json()["deliveries"] == 1


async def test_a_key_is_asked_for_when_there_is_one(callback: Callback) -> None:
    async with vendor(callback, VENDOR_API_KEY="secret") as client:
        assert (await client.send(a_message())).status_code == 401


async def test_every_call_fails_when_every_call_is_to(callback: Callback) -> None:
    async with vendor(callback, error_rate=1) as client:
        assert (await client.send(a_message())).status_code == 500
        assert (await client.get("stats")).json()["accepted"] == 0


async def test_calls_above_the_throttle_are_told_when_to_come_again(callback: Callback) -> None:
    async with vendor(callback, throttle_rps=1) as client:
        answers = [await client.send(a_message()) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [202, 429]
        assert answers[1].headers["retry-after"] == "1"


async def test_an_outage_refuses_calls_while_it_lasts(callback: Callback) -> None:
    async with vendor(callback, outage="0:60") as client:
        assert (await client.send(a_message())).status_code == 503


async def test_an_outage_begins_and_ends_when_somebody_says_so(callback: Callback) -> None:
    async with vendor(callback) as client:
        for seconds, status in ((60, 503), (0, 202)):
            assert (await client.post(f"outage?seconds={seconds}")).status_code == 200
            assert (await client.send(a_message())).status_code == status
        assert (await client.post("outage")).status_code == 400


@given(st.text(min_size=1))
def test_a_fate_depends_on_the_seed_and_the_id_alone(message_id: str) -> None:
    marks = Marks.of(7, message_id)
    assert marks == Marks.of(7, message_id)
    assert Ledger(7, 1).fate(marks) is Status.DELIVERED
    assert Ledger(7, 0).fate(marks) is Status.FAILED


def test_the_share_of_deliveries_is_the_rate() -> None:
    fates = [Ledger(1, 0.9).fate(Marks.of(1, f"m{number}")) for number in range(10_000)]
    assert 0.89 < fates.count(Status.DELIVERED) / len(fates) < 0.91
