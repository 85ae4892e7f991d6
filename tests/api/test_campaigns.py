"""Campaigns through the API: made, launched, moved, watched and checked."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

import documents
from delivery import dispatcher
from documents import Campaign, CampaignStatus
from schema import schema
from schema.context import Services
from schema.operations import Request
from tests.api.conftest import Api
from tests.delivery.conftest import SETUP, a_campaign, customers, everyone, launched, sent

CREATE = """mutation ($input: CreateCampaignInput!) { createCampaign(input: $input) {
  campaign { id name status channel variants { name weight subject body } holdoutPercent scheduledAt createdAt
    stats { audience deliveryRate } }
  userErrors { field code message } } }"""
STATS = "audience pending sending sent delivered failed skipped heldOut cancelled deliveryRate"


def moving(name: str, argument: str = "id") -> str:
    return (
        f"mutation ($id: ID!) {{ {name}({argument}: $id) {{"
        f" campaign {{ status rules launchedAt stats {{ {STATS} }} }} userErrors {{ field code message }} }} }}"
    )


async def a_segment() -> str:
    segment = documents.Segment(name="All", name_folded="all", rules={"combinator": "and", "rules": []})
    await segment.insert()
    return str(segment.id)


def faults(payload: Any) -> set[tuple[str, str]]:
    return {(".".join(error["field"] or []), error["code"]) for error in payload["userErrors"]}


async def test_a_campaign_is_made_as_a_draft_with_one_variant(marketer: Api) -> None:
    payload = await marketer.ask(CREATE, input={"name": "Diwali", "segmentId": await a_segment(), "body": "Hi"})
    assert payload["userErrors"] == []
    campaign = payload["campaign"]
    assert (campaign["status"], campaign["channel"]) == ("DRAFT", "SMS")
    assert campaign["variants"] == [{"name": "A", "weight": 1, "subject": None, "body": "Hi"}]
    assert campaign["stats"] == {"audience": 0, "deliveryRate": None}


async def test_a_campaign_with_a_time_is_scheduled(marketer: Api) -> None:
    at = (documents.now() + timedelta(hours=1)).isoformat()
    payload = await marketer.ask(
        CREATE, input={"name": "D", "segmentId": await a_segment(), "body": "Hi", "scheduledAt": at}
    )
    assert payload["campaign"]["status"] == "SCHEDULED"


async def test_all_that_is_wrong_with_a_campaign_is_told_at_once(marketer: Api) -> None:
    payload = await marketer.ask(
        CREATE,
        input={
            "name": " ",
            "segmentId": "nobody",
            "body": "Hi {{ customer.nmae }}",
            "holdoutPercent": 100,
            "ratePerSecond": 0,
            "conversionWindowDays": 366,
            "scheduledAt": "2020-01-01T00:00:00Z",
        },
    )
    assert payload["campaign"] is None
    assert faults(payload) == {
        ("input.name", "REQUIRED"),
        ("input.segmentId", "NOT_FOUND"),
        ("input.body", "INVALID"),
        ("input.holdoutPercent", "INVALID"),
        ("input.ratePerSecond", "INVALID"),
        ("input.conversionWindowDays", "INVALID"),
        ("input.scheduledAt", "INVALID"),
    }
    (template,) = [error["message"] for error in payload["userErrors"] if error["field"] == ["input", "body"]]
    assert template.startswith("line 1, column 7: there is no customer.nmae")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {("input.body", "REQUIRED")}),
        ({"body": "Hi", "variants": [{"name": "A", "body": "a"}]}, {("input.variants", "INVALID")}),
        ({"variants": []}, {("input.variants", "INVALID")}),
        (
            {"variants": [{"name": "A", "body": "a"}, {"name": "A", "body": "", "weight": 0}]},
            {
                ("input.variants.1.name", "INVALID"),
                ("input.variants.1.weight", "INVALID"),
                ("input.variants.1.body", "REQUIRED"),
            },
        ),
        ({"channel": "EMAIL", "body": "Hi"}, {("input.subject", "REQUIRED")}),
        ({"channel": "EMAIL", "subject": "{{", "body": "Hi"}, {("input.subject", "INVALID")}),
    ],
)
async def test_the_texts_are_given_in_one_way_and_whole(
    marketer: Api, given: dict[str, object], expected: set[tuple[str, str]]
) -> None:
    payload = await marketer.ask(CREATE, input={"name": "D", "segmentId": await a_segment(), **given})
    assert faults(payload) == expected


async def test_launching_answers_at_once_and_freezes_the_rules(marketer: Api) -> None:
    campaign = await a_campaign(audience=2)
    payload = await marketer.ask(moving("launchCampaign"), id=str(campaign.id))
    assert payload["campaign"]["status"] == "PLANNING"
    assert payload["campaign"]["rules"] == {"combinator": "and", "rules": []}
    again = await marketer.ask(moving("launchCampaign"), id=str(campaign.id))
    assert faults(again) == {("id", "ILLEGAL_STATE")}


async def test_a_campaign_is_paused_resumed_and_cancelled(marketer: Api) -> None:
    campaign = await launched(audience=3)
    for name, status in (("pause", "PAUSED"), ("resume", "RUNNING"), ("cancel", "CANCELLED")):
        payload = await marketer.ask(moving(f"{name}Campaign"), id=str(campaign.id))
        assert payload["campaign"]["status"] == status
    assert payload["campaign"]["stats"]["cancelled"] == 3
    assert faults(await marketer.ask(moving("resumeCampaign"), id=str(campaign.id))) == {("id", "ILLEGAL_STATE")}


@pytest.mark.parametrize("id_", ["nothing", "0" * 24])
async def test_a_campaign_that_is_not_there_is_not_found(marketer: Api, id_: str) -> None:
    assert await marketer.ask("query ($id: ID!) { campaign(id: $id) { id } }", id=id_) is None
    assert await marketer.ask("query ($id: ID!) { verifyCampaign(id: $id) { consistent } }", id=id_) is None
    assert faults(await marketer.ask(moving("launchCampaign"), id=id_)) == {("id", "NOT_FOUND")}
    retried = await marketer.ask(moving("retryFailedMessages", "campaignId"), id=id_)
    assert faults(retried) == {("campaignId", "NOT_FOUND")}


async def test_campaigns_are_found_by_status_and_name_the_newest_first(marketer: Api) -> None:
    for name in ("Holi", "Diwali 1", "Diwali 2"):
        await a_campaign(name=name, name_folded=name.lower())
    await a_campaign(name="Diwali 3", name_folded="diwali 3", status=CampaignStatus.PAUSED)
    query = "query ($filter: CampaignFilter) { campaigns(filter: $filter) { totalCount nodes { name } } }"
    found = await marketer.ask(query, filter={"search": "DIWALI", "status": ["DRAFT"]})
    assert found == {"totalCount": 2, "nodes": [{"name": "Diwali 2"}, {"name": "Diwali 1"}]}


async def test_what_cannot_be_in_a_name_is_neither_saved_nor_looked_for(marketer: Api) -> None:
    body = {"segmentId": await a_segment(), "name": "a\0b", "body": "Hi\0"}
    assert faults(await marketer.ask(CREATE, input=body)) == {("input.name", "INVALID"), ("input.body", "INVALID")}
    query = "query ($s: String) { campaigns(filter: {search: $s}) { totalCount } }"
    assert await marketer.refusal(query, s="a\0b") == "INVALID"
    assert await marketer.refusal(query, s="x" * 40_000) == "INVALID"


async def test_the_flight_plan_is_what_launching_then_does(marketer: Api) -> None:
    await customers(2, phone=None)
    campaign = await a_campaign(audience=6, holdout_percent=50, rate_per_second=2)
    query = """query ($id: ID!) { flightPlan(campaignId: $id) {
      audience toSend heldOut skipped { reason count } estimatedSeconds
      samples { customer { name } recipient variant body } userErrors { code } } }"""
    plan = await marketer.ask(query, id=str(campaign.id))
    assert (plan["audience"], plan["skipped"]) == (8, [{"reason": "NO_ADDRESS", "count": 2}])
    assert plan["estimatedSeconds"] == plan["toSend"] / 2
    assert all(sample["body"] == "Hi Person" for sample in plan["samples"])
    await marketer.ask(moving("launchCampaign"), id=str(campaign.id))
    await dispatcher.plan_due(SETUP, everyone)
    stats = await marketer.ask(
        f"query ($id: ID!) {{ campaign(id: $id) {{ stats {{ {STATS} }} }} }}", id=str(campaign.id)
    )
    assert (stats["stats"]["pending"], stats["stats"]["heldOut"]) == (plan["toSend"], plan["heldOut"])
    assert faults_of_plan(await marketer.ask(query, id=str(campaign.id))) == ["ILLEGAL_STATE"]


def faults_of_plan(plan: Any) -> list[str]:
    return [error["code"] for error in plan["userErrors"]]


async def test_a_recount_finds_what_has_drifted(marketer: Api) -> None:
    campaign = await sent(audience=3)
    query = "query ($id: ID!) { verifyCampaign(id: $id) { consistent duplicateMessages recount { sent failed } } }"
    assert (await marketer.ask(query, id=str(campaign.id)))["consistent"] is True
    messages = documents.Message.get_pymongo_collection()
    await messages.update_one(documents.messages_of(campaign.id), {"$set": {"status": "FAILED"}})
    check = await marketer.ask(query, id=str(campaign.id))
    assert check == {"consistent": False, "duplicateMessages": 0, "recount": {"sent": 2, "failed": 1}}


@pytest_asyncio.fixture
async def live(services: Services, marketer: Api) -> AsyncIterator[Api]:
    """The API of a server whose live feed runs."""
    feeding = asyncio.create_task(services.feed.run())
    yield marketer
    feeding.cancel()
    await asyncio.wait([feeding])


async def events(api: Api, document: str, **variables: object) -> AsyncIterator[Any]:
    """What a subscription tells."""
    viewer = await api.contexts.authenticate(f"Bearer {api.token}")
    prepared = schema.prepare(Request(document, variables))
    async for answer in schema.performed(prepared, lambda: api.contexts.open(viewer)):
        assert not answer.errors
        assert answer.data
        (value,) = answer.data.values()
        yield value


WATCH = "subscription ($id: ID!) { campaignProgress(campaignId: $id) { status stats { pending cancelled } at } }"


async def test_progress_gives_the_present_state_first_and_the_final_state_last(live: Api) -> None:
    campaign = await launched(audience=4)
    seen: list[tuple[str, int, int]] = []
    async with asyncio.timeout(20):
        async for event in events(live, WATCH, id=str(campaign.id)):
            if not seen:
                await live.ask(moving("cancelCampaign"), id=str(campaign.id))
            seen.append((event["status"], event["stats"]["pending"], event["stats"]["cancelled"]))
    assert seen[0] == ("RUNNING", 4, 0)
    assert seen[-1] == ("CANCELLED", 0, 4)


async def test_progress_of_a_campaign_that_has_ended_is_its_end(live: Api) -> None:
    campaign = await a_campaign(status=CampaignStatus.COMPLETED)
    assert [event["status"] async for event in events(live, WATCH, id=str(campaign.id))] == ["COMPLETED"]


async def test_progress_of_no_campaign_is_an_error(live: Api) -> None:
    viewer = await live.contexts.authenticate(f"Bearer {live.token}")
    prepared = schema.prepare(Request(WATCH, {"id": "0" * 24}))
    (answer,) = [answer async for answer in schema.performed(prepared, lambda: live.contexts.open(viewer))]
    assert (answer.errors[0].extensions or {})["code"] == "NOT_FOUND"


async def test_a_campaign_knows_who_made_it_or_that_nobody_did(marketer: Api) -> None:
    campaign = await a_campaign()
    query = "query ($id: ID!) { campaign(id: $id) { createdBy { id } } }"
    assert await marketer.ask(query, id=str(campaign.id)) == {"createdBy": None}
    assert isinstance(await Campaign.get(campaign.id), Campaign)
