"""Steps of the stories: people come in, a campaign reaches them, the two ledgers are compared."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from demo.api import Api
from tests.product import Product

BATCH = 1000
INGEST = """mutation ($rows: [CustomerInput!]!) {
  ingestCustomers(input: $rows) { created failed userErrors { message } }
}"""
SEGMENT = """mutation ($input: CreateSegmentInput!) {
  createSegment(input: $input) { segment { id } userErrors { message } }
}"""
CAMPAIGN = """mutation ($input: CreateCampaignInput!) {
  createCampaign(input: $input) { campaign { id } userErrors { message } }
}"""
LAUNCH = "mutation ($id: ID!) { launchCampaign(id: $id) { campaign { status } userErrors { message } } }"
STATE = """query ($id: ID!) {
  campaign(id: $id) {
    status statusReason
    stats { audience pending sending sent delivered failed skipped heldOut cancelled }
  }
}"""
VERIFY = "query ($id: ID!) { verifyCampaign(id: $id) { consistent duplicateMessages } }"
PROGRESS = """subscription ($id: ID!) {
  campaignProgress(campaignId: $id) { status stats { audience pending sending sent delivered failed } }
}"""
OUTCOMES = ("delivered", "failed", "skipped", "heldOut", "cancelled")
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class State:
    """A campaign as the API tells it."""

    status: str
    stats: dict[str, int]

    @property
    def done(self) -> int:
        """How many messages have an outcome."""
        return sum(self.stats[name] for name in OUTCOMES)


async def people(api: Api, count: int) -> None:
    """Take in so many customers, all of whom may be sent to."""
    for start in range(0, count, BATCH):
        rows = [a_person(number) for number in range(start, min(start + BATCH, count))]
        report = await api.ask(INGEST, rows=rows)
        assert report["failed"] == 0


def a_person(number: int) -> dict[str, object]:
    """A customer with a valid phone of their own."""
    return {"externalId": f"p{number}", "name": f"Person {number}", "phone": f"+9198{number:08}"}


async def create(api: Api, **fields: object) -> str:
    """A campaign to everyone; its id."""
    segment = await api.ask(SEGMENT, input={"name": "All", "definition": {"query": "EVERYONE"}})
    body = {"name": "Hello", "segmentId": _id(segment, "segment"), "body": "Hi {{ customer.firstName }}", **fields}
    return _id(await api.ask(CAMPAIGN, input=body), "campaign")


async def launch(api: Api, **fields: object) -> str:
    """A campaign to everyone, launched; its id."""
    campaign = await create(api, **fields)
    await api.ask(LAUNCH, id=campaign)
    return campaign


async def state(api: Api, campaign: str) -> State:
    """How the campaign stands."""
    answer = await api.ask(STATE, id=campaign)
    stats = answer["stats"]
    assert isinstance(stats, dict)
    return State(str(answer["status"]), stats)


async def until(api: Api, campaign: str, reached: Callable[[State], bool], seconds: float = 90) -> State:
    """The first state for which this holds. Polls, since the server is killed under it. TimeoutError tells the last."""
    now = None
    try:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    now = await state(api, campaign)
                except httpx.HTTPError:
                    now = None
                if now and reached(now):
                    return now
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError as late:
        raise TimeoutError(f"after {seconds} s: {now}") from late


async def assert_nothing_lost_or_repeated(product: Product, api: Api, campaign: str, audience: int) -> None:
    """Our ledger is consistent, complete, and equal to the vendor's."""
    check = await api.ask(VERIFY, id=campaign)
    assert check == {"consistent": True, "duplicateMessages": 0}
    ours = await state(api, campaign)
    assert ours.stats["audience"] == audience
    assert ours.done == audience
    async with httpx.AsyncClient() as client:
        vendors = (await client.get(f"{product.vendor_url}/stats")).json()
    assert vendors["delivered"] == ours.stats["delivered"]
    assert vendors["failed"] == ours.stats["failed"]
    assert vendors["accepted"] == ours.stats["delivered"] + ours.stats["failed"]


def _id(answer: dict[str, object], name: str) -> str:
    node = answer[name]
    assert isinstance(node, dict)
    return str(node["id"])
