"""Erasures through the API: the person is gone, what is counted stays, and nobody brings them back unnoticed."""

import asyncio
import logging
from datetime import timedelta
from decimal import Decimal
from typing import Any

import bson
import pytest
import pytest_asyncio
from beanie import PydanticObjectId
from pymongo.asynchronous.database import AsyncDatabase

import documents
import resolvers.users
from auth import Viewer
from delivery import answers, batches, campaigns, ledger, planning, receipts
from delivery.receipts import Outcome, Report
from delivery.vendor import Answer
from documents import Campaign, CampaignStatus, Customer, ImportKind, ImportStatus, MessageStatus, ReceiptStatus, Role
from ingestion import histories
from resolvers import idempotency
from tests.api.conftest import Api
from tests.delivery.conftest import SETUP, a_campaign, everyone, launched, messages_of, sent, stats_of
from tests.factories import a_customer, an_order
from tests.ingestion.test_exactness import assert_exact

ERASE = "mutation ($id: ID!) { eraseCustomer(id: $id) { deletedId userErrors { field code } } }"
LIFT = """
mutation ($customer: CustomerKey!) { liftSuppression(customer: $customer) { lifted userErrors { field code } } }
"""
MERGE = "mutation ($k: ID!, $m: [ID!]!) { mergeCustomers(keepId: $k, mergeIds: $m) { userErrors { code } } }"
INGEST = "mutation ($input: CustomerInput!) { ingestCustomer(input: $input) { outcome userErrors { field code } } }"
ORDER = "mutation ($input: OrderInput!) { ingestOrder(input: $input) { outcome userErrors { field code message } } }"
ASHA = {"external_id": "crm-4711", "name": "Asha Rao", "email": "asha@example.com", "phone": "+919876543210"}

Database = AsyncDatabase[dict[str, object]]


@pytest_asyncio.fixture
async def admin(api: Api) -> Api:
    """The API as an administrator."""
    key = await resolvers.users.create_api_key(Viewer(PydanticObjectId(), Role.ADMIN), "tests", Role.ADMIN)
    return api.signed_in_as(key.secret)


async def erase(api: Api, customer: Customer | PydanticObjectId) -> str:
    id_ = customer.id if isinstance(customer, Customer) else customer
    payload = await api.ask(ERASE, id=str(id_))
    assert payload["userErrors"] == []
    erased: str = payload["deletedId"]
    return erased


async def ingested(api: Api, **fields: object) -> tuple[str, list[Any]]:
    payload = await api.ask(INGEST, input=fields)
    return payload["outcome"], payload["userErrors"]


async def traces(database: Database, *texts: str | bytes) -> list[str]:
    """Where in the whole database one of these texts or ids still stands."""
    wanted = [text if isinstance(text, bytes) else text.encode().lower() for text in texts]
    found = []
    for name in await database.list_collection_names():
        async for record in database[name].find():
            stored = bson.encode(record)
            if any(text in stored or text in stored.lower() for text in wanted):
                found.append(f"{name} {record['_id']}")
    return found


async def test_nothing_in_the_whole_database_leads_to_the_person(admin: Api, database: Database) -> None:
    former = await a_customer(external_id="shop-815", email="rao.asha@example.com")
    person = await a_customer(**ASHA)
    await an_order(person, payment={"reference": "asha-rao@upi"})
    await admin.ask(MERGE, k=str(person.id), m=[str(former.id)])
    campaign = await sent(1, body="Dear {{ customer.name }}")
    [message] = [each for each in await messages_of(campaign) if each.customer_id == person.id]
    failed = Report("r-1", message.id, ReceiptStatus.FAILED, documents.now(), None, "X", "no such number +919876543210")
    assert await receipts.apply([failed], documents.now()) == [Outcome.APPLIED]
    await an_import_about("asha@example.com")
    await an_answer_about("caller", b'{"data": {"ingestCustomer": {"customer": {"email": "asha@example.com"}}}}')
    everything = ("Asha", "asha@example.com", "rao.asha", "9876543210", "crm-4711", "shop-815", "asha-rao@upi")
    assert len(await traces(database, *everything, person.id.binary, former.id.binary)) == 8
    await erase(admin, person)
    assert await traces(database, *everything) == []
    assert await traces(database, person.id.binary, former.id.binary) == []


async def an_import_about(text: str) -> None:
    job = documents.ImportJob(
        kind=ImportKind.CUSTOMERS,
        filename="customers.csv",
        status=ImportStatus.FAILED,
        layout=documents.FileLayout(format=documents.FileFormat.CSV, gzip=False, start=0),
        position=0,
        size=1,
    )
    await job.insert()
    await documents.ImportBlock(job_id=job.id, n=0, data=text.encode()).insert()
    fault = documents.RowFault(field=["email"], code="INVALID", message=f"{text.upper()} is no e-mail address.")
    await documents.FaultyRow(job_id=job.id, index=0, faults=[fault]).insert()


async def an_answer_about(caller: str, answer: bytes) -> None:
    await idempotency.begin(caller, "key", "hash", documents.now())
    await idempotency.finish(caller, "key", answer, documents.now())


async def test_answers_about_others_are_kept(admin: Api) -> None:
    person = await a_customer(external_id="7", name="Asha Rao")
    await an_answer_about("one", b'{"externalId": "7"}')
    await an_answer_about("other", b'{"externalId": "77", "visitCount": 7}')
    await erase(admin, person)
    fates = [await idempotency.begin(caller, "key", "hash", documents.now()) for caller in ("one", "other")]
    assert [earlier and earlier.fate for earlier in fates] == [idempotency.Fate.UNKEPT, idempotency.Fate.ANSWERED]


async def test_sums_of_orders_stay_and_the_orders_are_nobodys(admin: Api) -> None:
    person, other = await a_customer(), await a_customer()
    order = await an_order(person, amount=Decimal("10.10"))
    await an_order(other, amount=Decimal("0.20"))
    await erase(admin, person)
    assert await admin.ask("{ overview { orders revenue customers } }") == {
        "orders": 2,
        "revenue": "10.30",
        "customers": 1,
    }
    found = await admin.ask("query ($id: ID!) { order(id: $id) { amount customer { id } } }", id=str(order.id))
    assert found == {"amount": "10.10", "customer": None}
    await assert_exact()


async def test_figures_are_exact_between_the_pieces_of_a_long_history(database: Database) -> None:
    person = await a_customer(total_spend=Decimal("1.00"))
    for days in range(5):
        await an_order(person, placed_at=documents.now() - timedelta(days=days))
    async with database.client.start_session() as session:
        for left in (3, 1, 0):
            await session.with_transaction(lambda transaction: histories.shorten(person.id, transaction, by=2))
            assert await documents.Order.find({"customer_id": person.id}).count() == left
            await assert_exact()


async def test_counters_stay_and_messages_are_nobodys(admin: Api) -> None:
    campaign = await sent(2)
    before = await stats_of(campaign)
    person = await Customer.find_one()
    assert person
    await erase(admin, person)
    assert await stats_of(campaign) == before
    assert (await ledger.verify(campaign.id)).consistent
    query = """query ($id: ID!) {
      campaign(id: $id) { messages { nodes { body recipient vendorMessageId customer { id } } } }
    }"""
    nodes = (await admin.ask(query, id=str(campaign.id)))["messages"]["nodes"]
    assert sorted([node["recipient"] is None, node["body"] == "", node["customer"] is None] for node in nodes) == [
        [False, False, False],
        [True, True, True],
    ]


async def test_what_is_still_to_be_sent_is_called_off(admin: Api) -> None:
    campaign = await launched(3)
    claimed = await batches.claim(campaign.id, limit=2, rate=None, lease=SETUP.lease, now=documents.now())
    assert claimed
    people = await Customer.find().sort("+_id").to_list()
    await erase(admin, people[0])
    await erase(admin, people[2])
    stats = await stats_of(campaign)
    assert (stats.cancelled, stats.sending, stats.pending) == (2, 1, 0)
    answer = Answer({message["_id"]: f"vnd_{message['_id']}" for message in claimed.messages})
    await answers.record(claimed, answer, max_attempts=5, retry_at=documents.now(), now=documents.now())
    # The vendor had it already: its word still counts, and its reason may quote the address.
    reason = f"{people[0].phone} is a happy number"
    told = Report("r", claimed.messages[0]["_id"], ReceiptStatus.DELIVERED, documents.now(), None, None, reason)
    assert await receipts.apply([told], documents.now()) == [Outcome.APPLIED]
    receipt = await documents.Receipt.find_one()
    assert receipt
    assert receipt.failure_reason is None
    stats = await stats_of(campaign)
    assert (stats.cancelled, stats.sent, stats.delivered, stats.audience) == (1, 1, 1, 3)
    assert (await ledger.verify(campaign.id)).consistent
    rest = await batches.claim(campaign.id, limit=2, rate=None, lease=SETUP.lease, now=documents.now())
    assert rest
    assert rest.messages == []
    await answers.record(rest, Answer(), max_attempts=5, retry_at=documents.now(), now=documents.now())
    assert await campaigns.complete_if_done(campaign.id, -SETUP.lease, documents.now())


async def test_the_log_has_that_somebody_was_erased_by_whom_and_nothing_about_them(
    admin: Api, caplog: pytest.LogCaptureFixture
) -> None:
    person = await a_customer(**ASHA)
    with caplog.at_level(logging.INFO):
        await erase(admin, person)
    assert f"customer {person.id}: erased by user" in caplog.text
    assert not [value for value in ASHA.values() if value in caplog.text]


@pytest.mark.parametrize(("place", "is_interrupted"), [(0, False), (150, True)])
async def test_planning_is_interrupted_by_an_erasure_of_somebody_it_may_yet_come_to(
    admin: Api, place: int, is_interrupted: bool
) -> None:
    campaign = await a_campaign(200)
    people = await Customer.find().sort("+_id").to_list()
    await Campaign.find({"_id": campaign.id}).update({"$set": {"status": CampaignStatus.PLANNING, "rules": {}}})
    taken = await planning.take(SETUP, documents.now())
    assert taken

    async def erasing_between(of: Campaign, after: Any, fields: Any) -> Any:
        """Everyone in halves; when the first one is certainly written, somebody is erased."""
        first, second = [step async for step in everyone(of, after, fields)]
        yield first[:50]
        yield first[50:]
        await erase(admin, people[place])
        yield [member for member in second if member["_id"] != people[place].id]

    try:
        await planning.plan(taken, erasing_between, SETUP)
    except planning.LeaseLost:
        assert is_interrupted
        again = await planning.take(SETUP, documents.now())
        assert again
        await planning.plan(again, everyone, SETUP)
    else:
        assert not is_interrupted
    check = await ledger.verify(campaign.id)
    assert (check.consistent, check.recount.audience) == (True, 199 if is_interrupted else 200)
    assert [each.recipient for each in await messages_of(campaign) if each.customer_id is None] == (
        [] if is_interrupted else [None]
    )


async def test_a_failed_message_of_nobody_is_not_tried_again(admin: Api) -> None:
    campaign = await sent(2)
    now = documents.now()
    told = [Report(f"r-{each.id}", each.id, ReceiptStatus.FAILED, now) for each in await messages_of(campaign)]
    await receipts.apply(told, now)
    person = await Customer.find_one()
    assert person
    await erase(admin, person)
    await campaigns.retry_failed(campaign.id, now)
    assert {bool(each.recipient): each.status for each in await messages_of(campaign)} == {
        True: MessageStatus.PENDING,
        False: MessageStatus.FAILED,
    }


@pytest.mark.parametrize(
    "row",
    [
        {"externalId": "crm-4711"},
        {"email": "ASHA@example.com", "name": "Somebody"},
        {"externalId": "new", "phone": "+91 98765 43210"},
        {"email": "rao.asha@example.com"},
        {"externalId": "shop-815", "email": "new@example.com"},
    ],
)
async def test_the_person_is_not_taken_in_again(admin: Api, row: dict[str, object]) -> None:
    former = await a_customer(external_id="shop-815", email="rao.asha@example.com")
    person = await a_customer(**ASHA)
    await admin.ask(MERGE, k=str(person.id), m=[str(former.id)])
    await erase(admin, former)
    outcome, faults = await ingested(admin, **row)
    key = next(name for name in row if row[name] not in ("new", "new@example.com", "Somebody"))
    assert (outcome, faults) == ("FAILED", [{"field": ["input", key], "code": "CONFLICT"}])
    assert await Customer.count() == 0


async def test_another_customer_is_not_given_a_key_of_the_person(admin: Api) -> None:
    await erase(admin, await a_customer(**ASHA))
    await a_customer(external_id="other")
    assert (await ingested(admin, externalId="other", email="asha@example.com"))[0] == "FAILED"
    assert (await ingested(admin, externalId="other", name="Asha Rao"))[0] == "UPDATED"


@pytest.mark.parametrize("key", [{"email": "asha@example.com"}, {"externalId": "crm-4711"}, {"id": None}])
async def test_orders_of_the_person_are_refused(admin: Api, key: dict[str, object]) -> None:
    person = await a_customer(**ASHA)
    await erase(admin, person)
    named = {name: value or str(person.id) for name, value in key.items()}
    order = {"externalId": "o", "customer": named, "placedAt": "2026-06-30T12:00:00Z", "amount": "1"}
    payload = await admin.ask(ORDER, input=order)
    assert payload["outcome"] == "FAILED"
    [fault] = payload["userErrors"]
    assert (fault["field"], fault["code"]) == (["input", "customer"], "CONFLICT")
    assert "erased" in fault["message"]


@pytest.mark.parametrize("key", [{"phone": "+919876543210"}, {"email": "rao.asha@example.com"}, {"id": None}])
async def test_an_admin_lifts_it_by_any_key(admin: Api, key: dict[str, object]) -> None:
    former = await a_customer(external_id="shop-815", email="rao.asha@example.com")
    person = await a_customer(**ASHA)
    await admin.ask(MERGE, k=str(person.id), m=[str(former.id)])
    await erase(admin, person)
    named = {name: value or str(former.id) for name, value in key.items()}
    assert await admin.ask(LIFT, customer=named) == {"lifted": 7, "userErrors": []}
    assert await ingested(admin, externalId="crm-4711", email="rao.asha@example.com") == ("CREATED", [])
    again = await admin.ask(LIFT, customer=named)
    assert again == {"lifted": 0, "userErrors": [{"field": ["customer"], "code": "NOT_FOUND"}]}


async def test_what_is_kept_of_a_suppression_is_no_identity(admin: Api, database: Database) -> None:
    await erase(admin, await a_customer(**ASHA))
    assert await documents.Suppression.count() == 4
    assert await traces(database, *ASHA.values()) == []


async def test_erasing_again_changes_nothing(admin: Api) -> None:
    person = await a_customer(**ASHA)
    assert await erase(admin, person) == await erase(admin, person) == str(person.id)
    nobody = await admin.ask(ERASE, id="000000000000000000000000")
    assert nobody == {"deletedId": None, "userErrors": [{"field": ["id"], "code": "NOT_FOUND"}]}


async def test_a_person_who_is_erased_while_orders_come_in_is_gone(admin: Api) -> None:
    person = await a_customer(**ASHA)
    order = {"customer": {"email": "asha@example.com"}, "placedAt": "2026-06-30T12:00:00Z", "amount": "1"}

    async def tell(number: int) -> str:
        status = ("COMPLETED", "PENDING")[number % 2]
        payload = await admin.ask(ORDER, input={**order, "externalId": f"o-{number}", "status": status})
        return str(payload["outcome"])

    outcomes = await asyncio.gather(*map(tell, range(6)), erase(admin, person), *map(tell, range(6, 12)))
    assert set(outcomes) <= {"CREATED", "FAILED", str(person.id)}
    assert await Customer.count() == 0
    assert await documents.Order.find({"customer_id": {"$exists": True}}).count() == 0
