"""Messages and receipts through the API."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from beanie import PydanticObjectId

import resolvers.users
from auth import Viewer
from documents import Role
from tests.api.conftest import Api
from tests.api.test_campaigns import events, live
from tests.delivery.conftest import customers, launched, messages_of, sent, stats_of

__all__ = ["live"]

AT = "2026-11-22T10:00:00.123Z"
REPORT = """mutation ($input: [DeliveryReceiptInput!]!) { recordDeliveryReceipts(input: $input) {
  applied duplicates ignored unknown invalid
  results { index outcome userErrors { field code } } userErrors { code } } }"""
REPORT_ONE = """mutation ($input: DeliveryReceiptInput!) { recordDeliveryReceipt(input: $input) {
  outcome message { status failureCode failedAt deliveredAt } userErrors { field code } } }"""


@pytest_asyncio.fixture
async def service(api: Api) -> Api:
    """The API as the vendor's gateway uses it."""
    administrator = Viewer(PydanticObjectId(), Role.ADMIN)
    key = await resolvers.users.create_api_key(administrator, "gateway", Role.SERVICE)
    return api.signed_in_as(key.secret)


def a_receipt(message_id: str, **fields: object) -> dict[str, object]:
    return {"receiptId": f"r-{message_id}", "messageId": message_id, "status": "DELIVERED", "occurredAt": AT, **fields}


async def test_a_campaigns_messages_are_listed_by_status_with_their_links(marketer: Api) -> None:
    await customers(2, phone=None)
    campaign = await launched(audience=3)
    query = """query ($id: ID!, $status: [MessageStatus!]) { campaign(id: $id) {
      messages(status: $status, first: 2) { totalCount pageInfo { hasNextPage }
        nodes { status skipReason recipient body attempts variant customer { name } campaign { name } } } } }"""
    everything = (await marketer.ask(query, id=str(campaign.id)))["messages"]
    assert (everything["totalCount"], everything["pageInfo"]["hasNextPage"]) == (5, True)
    skipped = (await marketer.ask(query, id=str(campaign.id), status=["SKIPPED"]))["messages"]
    assert skipped["totalCount"] == 2
    assert {node["skipReason"] for node in skipped["nodes"]} == {"NO_ADDRESS"}
    pending = (await marketer.ask(query, id=str(campaign.id), status=["PENDING"]))["messages"]["nodes"][0]
    assert pending["body"] == "Hi Person"
    assert pending["campaign"] == {"name": "Diwali"}
    assert pending["customer"]["name"].startswith("Person")


@pytest.mark.parametrize("link", ["segment { query }", "createdBy { email }"])
async def test_a_message_leads_a_program_to_its_campaign_and_no_further(marketer: Api, service: Api, link: str) -> None:
    [message] = await messages_of(await launched(audience=1))
    query = f"query ($id: ID!) {{ message(id: $id) {{ campaign {{ name {link} }} }} }}"
    assert await service.refusal(query, id=str(message.id)) == "FORBIDDEN"
    assert (await marketer.ask(query, id=str(message.id)))["campaign"]["name"] == "Diwali"


async def test_a_message_tells_the_vendors_id_that_its_call_or_its_receipt_has_told(
    marketer: Api, service: Api
) -> None:
    accepted = await sent(audience=2)
    pending = await launched()
    told, untold = await messages_of(pending)
    receipt = a_receipt(told.id, vendorMessageId="vnd-by-receipt")
    await service.ask(REPORT_ONE, input=receipt)
    query = "query ($id: ID!) { campaign(id: $id) { messages { nodes { id vendorMessageId } } } }"
    found = [(await marketer.ask(query, id=str(campaign.id)))["messages"]["nodes"] for campaign in (accepted, pending)]
    assert {node["id"]: node["vendorMessageId"] for nodes in found for node in nodes} == {
        **{message.id: f"vnd_{message.id}" for message in await messages_of(accepted)},
        told.id: "vnd-by-receipt",
        untold.id: None,
    }


async def test_failed_messages_are_found_among_many(marketer: Api, service: Api) -> None:
    campaign = await sent(audience=30)
    failed = (await messages_of(campaign))[17]
    await service.ask(REPORT_ONE, input=a_receipt(failed.id, status="FAILED"))
    query = "query ($id: ID!) { campaign(id: $id) { messages(status: [FAILED]) { totalCount nodes { id } } } }"
    found = (await marketer.ask(query, id=str(campaign.id)))["messages"]
    assert found == {"totalCount": 1, "nodes": [{"id": failed.id}]}


async def test_a_customers_messages_are_listed(marketer: Api) -> None:
    campaign = await launched(audience=1)
    (message,) = await messages_of(campaign)
    query = "query ($id: ID!) { customer(id: $id) { messages { totalCount nodes { id } } } }"
    found = await marketer.ask(query, id=str(message.customer_id))
    assert found == {"messages": {"totalCount": 1, "nodes": [{"id": message.id}]}}


async def test_a_receipt_is_reported_by_mutation(service: Api) -> None:
    campaign = await sent(audience=1)
    (message,) = await messages_of(campaign)
    payload = await service.ask(REPORT_ONE, input=a_receipt(message.id, status="FAILED", failureCode="BLOCKED"))
    assert payload["outcome"] == "APPLIED"
    assert payload["message"] == {"status": "FAILED", "failureCode": "BLOCKED", "failedAt": AT, "deliveredAt": None}
    again = await service.ask(REPORT_ONE, input=a_receipt(message.id, status="FAILED", failureCode="BLOCKED"))
    assert again["outcome"] == "DUPLICATE"
    nobody = await service.ask(REPORT_ONE, input=a_receipt("nobody"))
    assert (nobody["outcome"], nobody["message"]) == ("UNKNOWN_MESSAGE", None)


async def test_a_bad_receipt_harms_no_other(service: Api) -> None:
    campaign = await sent(audience=2)
    first, second = await messages_of(campaign)
    rows = [
        a_receipt(first.id),
        a_receipt("x", receiptId="", occurredAt="yesterday"),
        a_receipt("x", status="LOST"),
        a_receipt(first.id),
        a_receipt(second.id),
        a_receipt(second.id, receiptId="other"),
        a_receipt("nobody"),
    ]
    payload = await service.ask(REPORT, input=rows)
    counts = {name: payload[name] for name in ("applied", "duplicates", "ignored", "unknown", "invalid")}
    assert counts == {"applied": 2, "duplicates": 1, "ignored": 1, "unknown": 1, "invalid": 2}
    assert [result["outcome"] for result in payload["results"]] == [
        "APPLIED",
        "INVALID",
        "INVALID",
        "DUPLICATE",
        "APPLIED",
        "IGNORED",
        "UNKNOWN_MESSAGE",
    ]
    assert payload["results"][1]["userErrors"] == [
        {"field": ["input", "1", "receiptId"], "code": "REQUIRED"},
        {"field": ["input", "1", "occurredAt"], "code": "INVALID"},
    ]
    assert (await stats_of(campaign)).delivered == 2


async def test_too_many_receipts_are_refused_as_a_whole(service: Api) -> None:
    payload = await service.ask(REPORT, input=[a_receipt("x")] * 1001)
    assert payload["userErrors"] == [{"code": "TOO_LARGE"}]
    assert payload["results"] == []


@pytest.mark.usefixtures("live")
async def test_delivery_updates_tell_of_messages_as_they_are_and_as_they_change(marketer: Api, service: Api) -> None:
    campaign = await sent(audience=3)
    first, second, third = await messages_of(campaign)
    document = """subscription ($id: ID!) { deliveryUpdates(campaignId: $id, status: [SENT, DELIVERED]) {
      id status } }"""
    told: list[Any] = []
    async with asyncio.timeout(20):
        async for messages in events(marketer, document, id=str(campaign.id)):
            told.append(messages)
            if len(told) == 1:
                rows = [a_receipt(first.id), a_receipt(second.id, status="FAILED"), a_receipt(third.id)]
                await service.ask(REPORT, input=rows)
            if sum(message["status"] == "DELIVERED" for message in told[-1]):
                break
    assert [message["status"] for message in told[0]] == ["SENT", "SENT", "SENT"]
    assert {message["id"] for message in told[-1]} == {first.id, third.id}
