"""Planning decides once about every member of the audience, and writes it down whatever happens meanwhile."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from beanie import PydanticObjectId
from pymongo.asynchronous.database import AsyncDatabase

import documents
import errors
from delivery import campaigns, dispatcher, ledger, planning
from delivery.audiences import walker
from delivery.deciding import Member
from delivery.setup import Setup
from documents import Campaign, CampaignStatus, Channel, ConsentState, MessageStatus, SkipReason, Variant
from segmentation.dates import Calendar
from tests.delivery.conftest import SETUP, a_campaign, customers, everyone, launched, messages_of, now_of, stats_of

pytestmark = pytest.mark.usefixtures("database")


async def test_every_member_of_the_audience_has_one_message() -> None:
    campaign = await launched(audience=1234)
    messages = await messages_of(campaign)
    assert len({message.customer_id for message in messages}) == len(messages) == 1234
    assert campaign.status is CampaignStatus.RUNNING
    assert (await stats_of(campaign)).pending == 1234
    assert (await ledger.verify(campaign.id)).consistent


async def test_no_step_reads_all_messages_that_there_are(database: AsyncDatabase[dict[str, object]]) -> None:
    await database.command(
        "profile", 1, slowms=0, filter={"ns": f"{database.name}.messages", "docsExamined": {"$gt": 0}}
    )
    try:
        await launched(audience=300)
    finally:
        await database.command("profile", 0)
        examined = [row["docsExamined"] async for row in database["system.profile"].find()]
        await database.drop_collection("system.profile")
    assert examined == []


async def test_the_reason_for_not_sending_is_the_outcome() -> None:
    await customers(1)
    await customers(2, phone=None)
    await customers(3, sms_consent=ConsentState.UNSUBSCRIBED.value)
    await customers(4, name=None)
    messages = await messages_of(await launched())
    assert Counter(message.skip_reason for message in messages) == {
        None: 1,
        SkipReason.NO_ADDRESS: 2,
        SkipReason.UNSUBSCRIBED: 3,
        SkipReason.TEMPLATE_ERROR: 4,
    }


async def test_an_address_is_written_to_once_whoever_has_it(database: AsyncDatabase[dict[str, object]]) -> None:
    # No two customers have one address at the same time; but a merge may bring one to a customer further on.
    await database["customers"].drop_index("phone_identity")
    try:
        await customers(1, phone="+919800000001")
        await customers(150)
        await customers(2, phone="+919800000001")
        campaign = await launched()
    finally:
        await database["customers"].delete_many({})
        await documents.prepare(database)
    skipped = [message.skip_reason for message in await messages_of(campaign) if message.skip_reason]
    assert skipped == [SkipReason.DUPLICATE_ADDRESS, SkipReason.DUPLICATE_ADDRESS]


async def test_the_frequency_cap_counts_what_others_sent_in_the_last_day() -> None:
    setup = Setup(frequency_cap_per_day=2)
    await customers(1)
    for expected in (MessageStatus.PENDING, MessageStatus.PENDING, MessageStatus.SKIPPED):
        campaign = await a_campaign()
        await campaigns.launch(campaign.id, documents.now())
        await dispatcher.plan_due(setup, everyone)
        (message,) = await messages_of(campaign)
        assert message.status is expected
    assert message.skip_reason is SkipReason.FREQUENCY_CAP


async def test_the_holdout_and_the_variants_have_their_shares_and_never_change() -> None:
    variants = [Variant(name="A", body="a", weight=1), Variant(name="B", body="b", weight=3)]
    campaign = await launched(audience=2000, holdout_percent=20, variants=variants)
    stats = await stats_of(campaign)
    assert 0.17 < stats.held_out / 2000 < 0.23
    messages = await messages_of(campaign)
    assert 0.71 < sum(message.variant == "B" for message in messages) / 2000 < 0.79
    plan = await planning.preview(campaign, everyone, SETUP, documents.now())
    assert (plan.audience, plan.held_out, plan.to_send) == (2000, stats.held_out, stats.pending)


async def test_an_email_has_its_subject_rendered() -> None:
    await customers(1, email="asha@example.com")
    variant = Variant(name="A", subject="For {{ customer.firstName }}", body="Hi")
    (message,) = await messages_of(await launched(channel=Channel.EMAIL, variants=[variant]))
    assert (message.recipient, message.subject) == ("asha@example.com", "For Person")


async def test_money_and_instants_are_rendered_as_they_are_stored() -> None:
    last_purchase = datetime(2026, 10, 1, 8, 30, tzinfo=UTC)
    await customers(1, total_spend=Decimal("12.50"), order_count=2, last_purchase=last_purchase)
    campaign = await a_campaign(body="{{ customer.totalSpend }} until {{ customer.lastPurchase }}")
    await campaigns.launch(campaign.id, documents.now())
    await dispatcher.plan_due(SETUP, walker(Calendar(ZoneInfo("Asia/Kolkata"))))
    (message,) = await messages_of(campaign)
    assert message.body == "12.50 until 2026-10-01T08:30:00.000Z"


async def test_a_scheduled_campaign_whose_segment_is_gone_fails_and_says_why() -> None:
    campaign = await a_campaign(audience=1, status=CampaignStatus.SCHEDULED, scheduled_at=documents.now())
    await documents.Segment.find({"_id": campaign.segment_id}).delete()
    await dispatcher.plan_due(SETUP, everyone)
    failed = await now_of(campaign)
    assert (failed.status, failed.status_reason) == (CampaignStatus.FAILED, "The campaign's segment is no more.")


async def test_a_plan_foretells_what_launching_does_and_writes_nothing() -> None:
    await customers(10)
    await customers(3, phone=None)
    campaign = await a_campaign(rate_per_second=5)
    plan = await planning.preview(campaign, everyone, SETUP, documents.now())
    assert (plan.audience, plan.to_send, plan.skipped) == (13, 10, {"NO_ADDRESS": 3})
    assert plan.estimated_seconds == 2
    assert plan.samples[0].body == "Hi Person"
    assert await messages_of(campaign) == []


async def test_launching_twice_at_once_launches_once() -> None:
    campaign = await a_campaign(audience=1)
    results = await asyncio.gather(
        *(campaigns.launch(campaign.id, documents.now()) for _ in range(5)), return_exceptions=True
    )
    assert Counter(type(result) for result in results) == {Campaign: 1, errors.IllegalState: 4}


async def test_a_campaign_launches_by_itself_at_its_time() -> None:
    soon = documents.now() + timedelta(hours=1)
    later = await a_campaign(audience=1, status=CampaignStatus.SCHEDULED, scheduled_at=soon)
    due = await a_campaign(status=CampaignStatus.SCHEDULED, scheduled_at=documents.now())
    await dispatcher.plan_due(SETUP, everyone)
    assert (await now_of(due)).status is CampaignStatus.RUNNING
    assert (await now_of(later)).status is CampaignStatus.SCHEDULED


class Killed(Exception):
    """As a process is: without a word."""


async def test_a_planning_that_was_killed_is_taken_over_behind_its_last_step() -> None:
    campaign = await a_campaign(audience=350)
    steps = 0

    async def killed_at_the_third_step(
        campaign: Campaign, after: PydanticObjectId | None, fields: Sequence[str]
    ) -> AsyncIterator[Sequence[Member]]:
        nonlocal steps
        async for members in everyone(campaign, after, fields):
            steps += 1
            if steps == 3:
                raise Killed
            yield members

    await campaigns.launch(campaign.id, documents.now())
    taken = await planning.take(SETUP, documents.now())
    assert taken
    with pytest.raises(Killed):
        await planning.plan(taken, killed_at_the_third_step, SETUP)
    assert (await stats_of(campaign)).pending in (100, 200), "whole steps"
    assert await planning.take(SETUP, documents.now()) is None, "the lease still holds"
    again = await planning.take(SETUP, documents.now() + SETUP.lease)
    assert again
    await planning.plan(again, everyone, SETUP)
    assert len(await messages_of(campaign)) == 350
    assert (await ledger.verify(campaign.id)).consistent


async def test_who_has_lost_the_lease_writes_nothing_more() -> None:
    campaign = await a_campaign(audience=1)
    await campaigns.launch(campaign.id, documents.now())
    stalled = await planning.take(SETUP, documents.now())
    assert stalled
    await planning.take(SETUP, documents.now() + SETUP.lease)
    with pytest.raises(planning.LeaseLost):
        await planning.plan(stalled, everyone, SETUP)
    assert await messages_of(campaign) == []


async def test_a_campaign_that_cannot_be_planned_fails_and_says_why() -> None:
    campaign = await a_campaign(audience=1, body="{{ customer.nmae }}")
    await campaigns.launch(campaign.id, documents.now())
    await dispatcher.plan_due(SETUP, everyone)
    failed = await now_of(campaign)
    assert failed.status is CampaignStatus.FAILED
    assert "customer.nmae" in str(failed.status_reason)
