"""Merging through the API: several customers become one, whom every former id and key means from then on."""

import asyncio
import logging
from decimal import Decimal
from typing import Any

import pytest

import documents
from delivery import ledger, planning
from documents import Campaign, CampaignStatus, Customer, MessageStatus
from ingestion import histories
from tests.api.conftest import Api
from tests.delivery.conftest import SETUP, a_campaign, everyone, launched, messages_of, now_of, sent, stats_of
from tests.factories import a_customer, an_order
from tests.ingestion.test_exactness import assert_exact

MERGE = """
mutation ($keep: ID!, $merge: [ID!]!) {
  mergeCustomers(keepId: $keep, mergeIds: $merge) {
    customer {
      id externalId name email phone city state country postalCode birthday tags attributes smsConsent emailConsent
      totalSpend orderCount visitCount firstPurchase lastPurchase averageOrderValue createdAt
    }
    userErrors { field code message }
  }
}
"""
INGEST = """
mutation ($input: CustomerInput!) {
  ingestCustomer(input: $input) { outcome customer { id externalId email name } userErrors { field code } }
}
"""
ORDER = """
mutation ($input: OrderInput!) {
  ingestOrder(input: $input) { outcome order { customer { id } } userErrors { field code } }
}
"""
EVERYTHING = """
query ($id: ID!) {
  customer(id: $id) {
    id orders { nodes { externalId } } messages { totalCount }
  }
}
"""


async def merge(api: Api, keep: Customer, *others: Customer) -> Any:
    payload = await api.ask(MERGE, keep=str(keep.id), merge=[str(other.id) for other in others])
    assert payload["userErrors"] == [], payload
    return payload["customer"]


async def merge_ids(api: Api, keep: object, other: object) -> None:
    """For customers of whom no more is stored than a campaign needs."""
    arguments = "keepId: $keep, mergeIds: $merge"
    mutation = f"mutation ($keep: ID!, $merge: [ID!]!) {{ mergeCustomers({arguments}) {{ userErrors {{ code }} }} }}"
    assert await api.ask(mutation, keep=str(keep), merge=[str(other)]) == {"userErrors": []}


async def faults(api: Api, keep: object, *others: object) -> list[tuple[str, list[str] | None]]:
    payload = await api.ask(MERGE, keep=str(keep), merge=[str(other) for other in others])
    assert payload["customer"] is None
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


async def ingest(api: Api, **fields: object) -> Any:
    return await api.ask(INGEST, input=fields)


async def test_the_kept_customer_has_what_both_had(marketer: Api) -> None:
    kept = await a_customer(
        external_id="a", name="Asha Rao", city="Pune", tags=["VIP", "web"], attributes={"plan": "pro"}
    )
    other = await a_customer(
        external_id="b",
        name="A. Rao",
        email="asha@example.com",
        city="pune",
        postal_code="411001",
        tags=["vip", "shop"],
        attributes={"plan": "free", "size": "M"},
    )
    merged = await merge(marketer, kept, other)
    wanted = {"id": str(kept.id), "externalId": "a", "name": "Asha Rao", "email": "asha@example.com", "city": "Pune"}
    assert {name: merged[name] for name in wanted} == wanted
    assert (merged["postalCode"], merged["tags"]) == ("411001", ["VIP", "web", "shop"])
    assert merged["attributes"] == {"plan": "pro", "size": "M"}
    assert await Customer.count() == 1


async def test_half_an_address_is_not_made_of_two(marketer: Api) -> None:
    merged = await merge(marketer, await a_customer(city="Pune"), await a_customer(city="Delhi", postal_code="110001"))
    assert (merged["city"], merged["postalCode"]) == ("Pune", None)


async def test_figures_add_up_to_the_cent(marketer: Api) -> None:
    kept = await a_customer(total_spend=Decimal("0.10"), visit_count=2)
    others = [await a_customer(total_spend=Decimal("0.20"), visit_count=3), await a_customer()]
    for customer in (kept, *others):
        await an_order(customer, amount=Decimal("10.01"))
    await an_order(others[1], amount=Decimal("5.00"), status="CANCELLED")
    merged = await merge(marketer, kept, *others)
    figures = (merged["totalSpend"], merged["orderCount"], merged["visitCount"], merged["averageOrderValue"])
    assert figures == ("30.33", 3, 8, "10.01")
    assert await documents.Order.find({"customer_id": kept.id}).count() == 4
    await assert_exact()


@pytest.mark.parametrize(
    ("kept", "other", "consent"),
    [
        ({"phone": "+919876543210", "sms_consent": "SUBSCRIBED"}, {"sms_consent": "UNSUBSCRIBED"}, "UNSUBSCRIBED"),
        ({"phone": "+919876543210"}, {"phone": "+919876543211", "sms_consent": "SUBSCRIBED"}, "UNKNOWN"),
        ({"phone": "+919876543210", "sms_consent": "SUBSCRIBED"}, {"phone": "+919876543211"}, "SUBSCRIBED"),
        ({}, {"phone": "+919876543211", "sms_consent": "SUBSCRIBED"}, "SUBSCRIBED"),
        ({"sms_consent": "SUBSCRIBED"}, {"phone": "+919876543211"}, "UNKNOWN"),
        ({"sms_consent": "SUBSCRIBED"}, {}, "SUBSCRIBED"),
    ],
    ids=[
        "an opt-out holds for the person",
        "agreement goes with its address, which is not the kept one",
        "agreement of the kept address holds",
        "agreement comes along with its address",
        "agreement does not hold for another's address",
        "without any address agreement is kept",
    ],
)
async def test_consent(marketer: Api, kept: dict[str, object], other: dict[str, object], consent: str) -> None:
    merged = await merge(marketer, await a_customer(**kept), await a_customer(**other))
    assert merged["smsConsent"] == consent


async def test_former_ids_mean_the_kept_customer_through_a_chain_of_mergers(marketer: Api) -> None:
    first, second, third = [await a_customer() for _ in range(3)]
    order = await an_order(first)
    await merge(marketer, second, first)
    await merge(marketer, third, second)
    for former in (first, second):
        found = await marketer.ask(EVERYTHING, id=str(former.id))
        assert (found["id"], found["orders"]["nodes"]) == (str(third.id), [{"externalId": order.external_id}])
        query = "query ($id: ID!) { orders(filter: { customerId: $id }) { totalCount } }"
        assert await marketer.ask(query, id=str(former.id)) == {"totalCount": 1}
    told = {"externalId": "o", "customer": {"id": str(first.id)}, "placedAt": "2026-06-30T12:00:00Z", "amount": "1"}
    assert (await marketer.ask(ORDER, input=told))["order"]["customer"] == {"id": str(third.id)}


async def test_memberships_of_a_former_id_are_explained(marketer: Api) -> None:
    kept, other = await a_customer(), await a_customer()
    await merge(marketer, kept, other)
    segment = documents.Segment(name="All", name_folded="all", rules={"combinator": "and", "rules": []})
    await segment.insert()
    query = "query ($s: ID!, $c: ID!) { explainMembership(segmentId: $s, customerId: $c) { member customer { id } } }"
    found = await marketer.ask(query, s=str(segment.id), c=str(other.id))
    assert found == {"member": True, "customer": {"id": str(kept.id)}}


async def test_a_former_key_brings_no_duplicate_back_and_takes_nothing_away(marketer: Api) -> None:
    kept = await a_customer(external_id="a", email="a@example.com")
    other = await a_customer(external_id="b", email="b@example.com", phone="+919876543210")
    await merge(marketer, kept, other)
    again = await ingest(marketer, externalId="b", email="b@example.com", name="Asha Rao")
    assert again == {
        "outcome": "UPDATED",
        "customer": {"id": str(kept.id), "externalId": "a", "email": "a@example.com", "name": "Asha Rao"},
        "userErrors": [],
    }
    assert (await ingest(marketer, externalId="b", email="a@example.com"))["outcome"] == "UNCHANGED"
    assert (await ingest(marketer, phone="+919876543210"))["customer"]["id"] == str(kept.id)
    order = {"externalId": "o", "placedAt": "2026-06-30T12:00:00Z", "amount": "1"}
    named = await marketer.ask(ORDER, input={**order, "customer": {"email": "b@example.com"}})
    assert named["order"]["customer"] == {"id": str(kept.id)}
    assert await Customer.count() == 1


async def test_a_former_key_belongs_to_nobody_else(marketer: Api) -> None:
    kept, other = await a_customer(external_id="a"), await a_customer(external_id="b", email="b@example.com")
    await a_customer(external_id="c")
    await merge(marketer, kept, other)
    taken = await ingest(marketer, externalId="c", email="b@example.com")
    assert (taken["outcome"], taken["userErrors"]) == ("FAILED", [{"field": ["input", "email"], "code": "CONFLICT"}])


async def test_merging_again_changes_nothing(marketer: Api) -> None:
    kept, other = await a_customer(total_spend=Decimal("1.00")), await a_customer(total_spend=Decimal("2.00"))
    first = await merge(marketer, kept, other)
    assert await merge(marketer, kept, other) == first
    assert await merge(marketer, other, kept) == first
    assert first["totalSpend"] == "3.00"


async def test_what_cannot_be_merged_is_told_and_nothing_is_merged(marketer: Api) -> None:
    kept, other, third = [await a_customer() for _ in range(3)]
    nobody = "000000000000000000000000"
    assert await faults(marketer, kept.id) == [("REQUIRED", ["mergeIds"])]
    assert await faults(marketer, kept.id, other.id, kept.id) == [("INVALID", ["mergeIds", "1"])]
    assert await faults(marketer, kept.id, other.id, nobody, "x") == [
        ("NOT_FOUND", ["mergeIds", "1"]),
        ("NOT_FOUND", ["mergeIds", "2"]),
    ]
    assert await faults(marketer, nobody, other.id) == [("NOT_FOUND", ["keepId"])]
    assert await faults(marketer, kept.id, *[other.id] * 21) == [("TOO_LARGE", ["mergeIds"])]
    assert await Customer.count() == 3
    await merge(marketer, third, other)
    assert await faults(marketer, kept.id, other.id) == [("CONFLICT", ["mergeIds", "0"])]


async def test_a_history_too_long_for_a_transaction_is_told_and_may_stay_where_it_is(marketer: Api) -> None:
    kept, other = await a_customer(), await a_customer()
    placed = {"customer_id": other.id, "status": "PENDING"}
    rows = [{"external_id": f"{number}", **placed} for number in range(histories.LONGEST + 1)]
    await documents.Order.get_pymongo_collection().insert_many(rows, ordered=False)
    assert await faults(marketer, kept.id, other.id) == [("TOO_LARGE", ["mergeIds"])]
    await merge(marketer, other, kept)


async def test_messages_come_along_and_the_counters_stay_right(marketer: Api) -> None:
    campaign = await sent(2)
    kept, other = await Customer.find().sort("+_id").to_list()
    before = await stats_of(campaign)
    await merge_ids(marketer, kept.id, other.id)
    found = await marketer.ask(EVERYTHING, id=str(kept.id))
    assert found["messages"]["totalCount"] == 2
    assert await stats_of(campaign) == before
    assert (await ledger.verify(campaign.id)).consistent


async def test_the_log_has_who_was_merged_into_whom_and_no_repetition(
    marketer: Api, caplog: pytest.LogCaptureFixture
) -> None:
    kept, other = await a_customer(name="Asha"), await a_customer(name="Asha Rao", email="asha@example.com")
    with caplog.at_level(logging.INFO):
        await merge(marketer, kept, other)
        await merge(marketer, kept, other)
    assert caplog.text.count(f"customer {other.id}: merged into customer {kept.id} by user") == 1
    assert "Asha" not in caplog.text
    assert "asha" not in caplog.text


async def test_one_person_gets_one_message_of_a_campaign_that_was_planned_for_two(marketer: Api) -> None:
    campaign = await launched(2)
    kept, other = await Customer.find().sort("+_id").to_list()
    await merge_ids(marketer, kept.id, other.id)
    statuses = {str(message.id).partition("-")[2]: message.status for message in await messages_of(campaign)}
    assert statuses == {str(kept.id): MessageStatus.PENDING, str(other.id): MessageStatus.CANCELLED}
    assert (await ledger.verify(campaign.id)).consistent


async def test_while_a_campaign_has_come_to_one_of_two_they_are_not_merged(marketer: Api) -> None:
    campaign = await a_campaign(200)
    await Campaign.find({"_id": campaign.id}).update({"$set": {"status": CampaignStatus.PLANNING, "rules": {}}})
    taken = await planning.take(SETUP, documents.now())
    assert taken

    async def two_steps(of: Campaign, after: Any, fields: Any) -> Any:
        """Everyone, and between the steps somebody merges."""
        steps = [step async for step in everyone(of, after, fields)]
        yield steps[0]
        yield steps[1][:50]
        refused.extend(await faults(marketer, steps[1][99]["_id"], steps[0][0]["_id"]))
        await merge_ids(marketer, steps[1][98]["_id"], steps[1][99]["_id"])
        yield steps[1][50:]

    refused: list[object] = []
    with pytest.raises(planning.LeaseLost):
        await planning.plan(taken, two_steps, SETUP)
    assert refused == [("ILLEGAL_STATE", None)]
    again = await planning.take(SETUP, documents.now())
    assert again
    await planning.plan(again, everyone, SETUP)
    check = await ledger.verify(campaign.id)
    assert (check.consistent, check.recount.audience) == (True, 199)
    assert (await now_of(campaign)).status is CampaignStatus.RUNNING


@pytest.mark.parametrize("status", ["COMPLETED", "PENDING"])
async def test_orders_that_come_in_meanwhile_are_the_kept_customers(marketer: Api, status: str) -> None:
    kept, other = await a_customer(external_id="a"), await a_customer(external_id="b")

    async def order(number: int) -> None:
        named = {"externalId": "ab"[number % 2]}
        placed = {"externalId": f"o-{number}", "placedAt": "2026-06-30T12:00:00Z", "amount": "1.01", "status": status}
        assert (await marketer.ask(ORDER, input={**placed, "customer": named}))["outcome"] == "CREATED"

    await asyncio.gather(*map(order, range(6)), merge(marketer, kept, other), *map(order, range(6, 12)))
    assert await documents.Order.find({"customer_id": kept.id}).count() == 12
    await assert_exact()
    assert (await Customer.find_one()).total_spend == (Decimal("12.12") if status == "COMPLETED" else 0)  # type: ignore[union-attr]


async def test_two_who_merge_each_other_end_as_one(marketer: Api) -> None:
    one, other = await a_customer(total_spend=Decimal("1.00")), await a_customer(total_spend=Decimal("2.00"))
    kept = await asyncio.gather(merge(marketer, one, other), merge(marketer, other, one))
    assert kept[0] == kept[1]
    assert await Customer.count() == 1


async def test_opening_visits_that_add_up_to_more_than_a_count_are_not_merged(marketer: Api) -> None:
    keep, other = [await a_customer(visit_count=1_000_000_000) for _ in range(2)]
    payload = await marketer.ask(MERGE, keep=str(keep.id), merge=[str(other.id)])
    assert [error["code"] for error in payload["userErrors"]] == ["TOO_LARGE"]
    assert await Customer.count() == 2
