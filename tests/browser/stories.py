"""What people do in these tests, in the API's words or by hand in a page."""

from itertools import count

from tests.browser.conftest import Account
from tests.browser.page import Page

AUDIENCE = 40
INGEST = "mutation ($input: [CustomerInput!]!) { ingestCustomers(input: $input) { failed } }"
SEGMENT = """mutation ($name: String!, $query: String!) {
  createSegment(input: {name: $name, definition: {query: $query}}) { segment { id } userErrors { message } }
}"""
CAMPAIGN = """mutation ($name: String!, $segment: ID!) {
  createCampaign(input: {name: $name, segmentId: $segment, body: "Hello {{ customer.firstName }}"}) {
    campaign { id } userErrors { message }
  }
}"""
LAUNCH = "mutation ($id: ID!) { launchCampaign(id: $id) { userErrors { message } } }"

_numbers = count(1)


async def a_town(account: Account) -> str:
    """The name of a town where AUDIENCE new customers live, and nobody else."""
    town = f"Town {next(_numbers)}"
    people = [next(_numbers) for _ in range(AUDIENCE)]
    rows = [
        {"name": f"Asha {one}", "city": town, "phone": f"+9198{one:08}", "smsConsent": "SUBSCRIBED"} for one in people
    ]
    assert await account.ask(INGEST, input=rows) == {"failed": 0}
    return town


async def a_campaign(account: Account, name: str) -> str:
    """The id of a new campaign, still a draft, for AUDIENCE customers."""
    town = await a_town(account)
    segment = await account.ask(SEGMENT, name=f"All of {town}", query=f'city = "{town}"')
    payload = await account.ask(CAMPAIGN, name=name, segment=segment["segment"]["id"])
    assert payload["userErrors"] == []
    return str(payload["campaign"]["id"])


async def launch(account: Account, campaign: str) -> None:
    """Launches a campaign."""
    assert await account.ask(LAUNCH, id=campaign) == {"userErrors": []}


async def sign_in(page: Page, account: Account) -> None:
    """Fills in the sign-in form that the page shows."""
    await page.type("[name=email]", account.email)
    await page.type("[name=password]", account.password)
    await page.click("form.sign-in [type=submit]")
