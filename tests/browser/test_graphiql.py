"""GraphiQL as it is served: complete, signed in, live, and with no host but ours."""

import json
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.browser.conftest import ASSETS, Account
from tests.browser.page import Page
from tests.browser.stories import AUDIENCE, a_campaign, launch, sign_in
from tests.product import Product

RUN = ".graphiql-execute-button"
QUERY = 'document.querySelector(".graphiql-query-editor .CodeMirror").CodeMirror.getValue()'
ANSWER = 'document.querySelector(".result-window .CodeMirror")?.CodeMirror.getValue()'
CONTENT_WIDTH = "input.clientWidth - 2 * parseFloat(getComputedStyle(input).paddingLeft)"
WATCH = """subscription Watch($campaignId: ID!) {
  campaignProgress(campaignId: $campaignId) { status stats { audience delivered failed } }
}"""


async def open_with(page: Page, product: Product, query: str, **variables: str) -> None:
    """Follows a ready link, and waits for GraphiQL."""
    await page.open(f"{product.url}/graphql#{urlencode({'query': query, 'variables': json.dumps(variables)})}")
    await page.see("", RUN)


async def answered(page: Page, text: str) -> None:
    """Waits until the answer shows this text."""
    await page.until(f"{ANSWER}?.includes({json.dumps(text)})")


async def sign_in_at_the_top(page: Page, account: Account) -> None:
    await page.click("#who button", "Sign in")
    await sign_in(page, account)
    await page.see(account.email, "#who")


async def test_a_query_is_answered_with_every_other_host_blocked(page: Page, product: Product) -> None:
    await open_with(page, product, "query Kind { __typename me { email } }")
    await page.click(RUN)
    await answered(page, '"__typename": "Query"')
    assert page.hosts == {"127.0.0.1"}
    assert page.faults == []


async def test_the_sign_in_box_signs_what_is_sent(page: Page, product: Product, account: Account) -> None:
    await open_with(page, product, "query Who { me { email } }")
    await page.click(RUN)
    await answered(page, '"me": null')
    await sign_in_at_the_top(page, account)
    await page.click(RUN)
    await answered(page, account.email)
    await page.click("#who button", "Sign out")
    await page.see("Sign in", "#who")
    await page.click(RUN)
    await answered(page, '"me": null')


async def test_a_wrong_password_is_told_in_the_box(page: Page, product: Product, account: Account) -> None:
    await open_with(page, product, "query Who { me { email } }")
    await page.click("#who button", "Sign in")
    await page.type("[name=email]", account.email)
    await page.type("[name=password]", "not this one")
    await page.click("form.sign-in [type=submit]")
    assert await page.text("form.sign-in .complaint")
    assert await page.evaluate("sessionStorage.getItem('campaign-engine.session')") is None


async def test_a_subscription_is_live_and_signed(page: Page, product: Product, account: Account) -> None:
    campaign = await a_campaign(account, "Watched in GraphiQL")
    await open_with(page, product, WATCH, campaignId=campaign)
    await sign_in_at_the_top(page, account)
    await page.click(RUN)
    await answered(page, '"status": "DRAFT"')
    await launch(account, campaign)
    await answered(page, '"status": "COMPLETED"')
    stats = json.loads(str(await page.evaluate(ANSWER)))["data"]["campaignProgress"]["stats"]
    assert stats["audience"] == AUDIENCE
    assert stats["delivered"] > 0
    assert page.faults == []


async def test_the_examples_run_in_turn_with_no_id_copied(page: Page, product: Product, account: Account) -> None:
    await page.open(f"{product.url}/graphql")
    await sign_in_at_the_top(page, account)
    for tab, operation, expected in [
        ("Ingest", None, '"failed": 0'),
        ("PreviewSentence", None, '"totalSpend > 100 AND lastPurchase >= 90 days ago"'),
        ("SaveSegment", "SaveSegment", '"name": "Recent buyers"'),
        ("SaveSegment", "MakeCampaign", '"status": "DRAFT"'),
        ("MakeCampaign", "Launch", '"launchedAt"'),
        ("Watch", None, '"campaignProgress"'),
    ]:
        await page.click(".graphiql-tab-button", tab)
        await page.until(f"{QUERY}.includes({json.dumps(operation or tab)})")
        await page.click(f"{RUN}[aria-haspopup]" if operation else f"{RUN}:not([aria-haspopup])")
        if operation:
            await page.click("[role=menuitem]", operation)
        await answered(page, expected)
    assert page.faults == []


async def test_the_explorer_opens(page: Page, product: Product) -> None:
    await open_with(page, product, "query Kind { __typename }")
    await page.click("[aria-label='Show GraphiQL Explorer']")
    await page.see("overview", ".graphiql-plugin")


async def test_the_explorer_shows_the_values_of_arguments(page: Page, product: Product) -> None:
    await open_with(page, product, "query Some { customers(first: 5) { totalCount } }")
    await page.click("[aria-label='Show GraphiQL Explorer']")
    await page.until(f"""[...document.querySelectorAll(".graphiql-explorer-root input")].some(input =>
      input.value === "5" && {CONTENT_WIDTH} >= 8)""")


async def test_on_a_telephone_the_answer_stands_below_the_query(page: Page, product: Product) -> None:
    await page.resize(390, 844)
    await open_with(page, product, "query Kind { __typename }")
    await page.click(RUN)
    await answered(page, '"__typename": "Query"')
    await page.until("""(() => {
      const [query, answer] = [".graphiql-query-editor", ".result-window"].map(selector =>
        document.querySelector(selector).getBoundingClientRect());
      return answer.top >= query.bottom && answer.width > 250 && answer.height > 150 && answer.bottom <= innerHeight;
    })()""")


async def test_without_the_packages_the_same_files_come_from_the_cdn(page: Page, product: Product) -> None:
    fetched = []

    def cdn_only(url: str) -> bytes | None:
        if urlsplit(url).hostname == "127.0.0.1":
            return None
        path = urlsplit(url).path.removeprefix("/")
        fetched.append(path)
        return (ASSETS / path).read_bytes()

    await page.answer_requests(cdn_only, "*/assets/*", "https://unpkg.com/*")
    await open_with(page, product, "query Kind { __typename }")
    await page.click(RUN)
    await answered(page, '"__typename": "Query"')
    assert set(fetched) == {str(path.relative_to(ASSETS)) for path in files(ASSETS)}


async def test_a_file_with_another_hash_is_not_run(page: Page, product: Product) -> None:
    await page.answer_requests(lambda url: b"document.body.textContent = 'run'", "*/assets/*", "https://unpkg.com/*")
    await page.open(f"{product.url}/graphql")
    assert "npm ci --prefix web" in await page.text("#graphiql .complaint")


def files(directory: Path) -> list[Path]:
    """Every file below a directory."""
    return [path for path in directory.rglob("*") if path.is_file()]
