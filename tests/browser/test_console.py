"""The live console, as somebody with campaigns meets it."""

from tests.browser.conftest import Account
from tests.browser.page import Page
from tests.browser.stories import AUDIENCE, a_campaign, a_town, launch, sign_in
from tests.product import Product

SESSION = "JSON.parse(sessionStorage.getItem('campaign-engine.session'))"


async def open_console(page: Page, account: Account) -> None:
    """Signs in to the console."""
    await page.open(account.url)
    await sign_in(page, account)
    await page.see("Customers", "#overview")


async def test_a_campaign_is_followed_live_to_its_end(page: Page, account: Account) -> None:
    campaign = await a_campaign(account, "Watched in the console")
    await open_console(page, account)
    await page.see("Not launched yet", "#campaigns li")
    await launch(account, campaign)
    await page.until(f"""[...document.querySelectorAll("#campaigns li")].some(row =>
      row.innerText.includes("Watched in the console") && row.innerText.includes("completed") &&
      row.querySelector("[role=progressbar]").ariaValueNow === "100" &&
      row.innerText.includes("of {AUDIENCE} customers reached"))""")
    await page.see("Delivered", "#outcomes .legend")
    assert page.hosts == {"127.0.0.1"}
    assert page.faults == []


async def test_a_query_shows_who_it_is_and_is_saved_as_a_segment(page: Page, account: Account) -> None:
    town = await a_town(account)
    await open_console(page, account)
    await page.click("#ask .tabs button", "Query")
    await page.type("#ask textarea", f'city = "{town}"')
    await page.press_enter()
    await page.see(str(AUDIENCE), ".answer .total")
    await page.see(town, ".answer td")
    await page.type(".saving input", f"Friends in {town}")
    await page.click(".saving button")
    await page.see(f"Friends in {town}", "#segments h3")


async def test_a_sentence_shows_who_it_means_and_how_it_was_read(page: Page, account: Account) -> None:
    town = await a_town(account)
    await account.ask(
        "mutation ($rows: [CustomerInput!]!) { ingestCustomers(input: $rows) { failed } }",
        rows=[{"externalId": f"recent {town}", "city": town, "lastPurchase": "2020-01-01T00:00:00Z"}],
    )
    await open_console(page, account)
    await page.type("#ask textarea", f"inactive customers in {town} who like cheese")
    await page.press_enter()
    await page.see("read by the built-in reader", ".answer .total")
    await page.see(str(AUDIENCE + 1), ".answer .total")
    await page.see("90 days", ".answer .remark")
    await page.see("cheese", ".answer .remark.warn")
    await page.click(".answer .remark button.link")
    await page.see("180 days ago", ".answer")
    assert await page.evaluate("document.querySelector('#ask textarea').value.includes('180 days ago')")
    assert page.faults == []


async def test_a_sentence_that_means_nothing_is_refused(page: Page, account: Account) -> None:
    await open_console(page, account)
    await page.type("#ask textarea", "what a lovely day")
    await page.press_enter()
    await page.see("which customers", ".answer .complaint")


async def test_a_query_that_is_wrong_is_told_where(page: Page, account: Account) -> None:
    await open_console(page, account)
    await page.click("#ask .tabs button", "Query")
    await page.type("#ask textarea", "totalSpend >")
    await page.press_enter()
    assert "column" in await page.text(".answer .complaint")


async def test_a_token_about_to_expire_is_exchanged_before_it_is_used(page: Page, account: Account) -> None:
    await open_console(page, account)
    before = await page.evaluate(f"{SESSION}.accessToken")
    await page.evaluate(f"""sessionStorage.setItem("campaign-engine.session",
      JSON.stringify({{ ...{SESSION}, expiresAt: new Date().toISOString() }}))""")
    await page.until(f"""{SESSION} && {SESSION}.accessToken !== "{before}" """)
    await page.see("Customers", "#overview")


async def test_a_session_that_is_over_asks_to_sign_in_again(page: Page, account: Account) -> None:
    await open_console(page, account)
    await page.evaluate(f"""sessionStorage.setItem("campaign-engine.session",
      JSON.stringify({{ ...{SESSION}, accessToken: "no longer" }}))""")
    await page.see("Your session has ended", "#sign-in")


async def test_a_phone_shows_all_of_it_without_scrolling_sideways(page: Page, account: Account) -> None:
    await page.resize(360, 740)
    await a_campaign(account, "A campaign with a name that is rather long for the screen of a telephone")
    await open_console(page, account)
    await page.see("rather long", "#campaigns")
    assert await page.evaluate("document.documentElement.scrollWidth") == 360


async def test_what_is_not_known_yet_is_not_said_to_be_nothing(page: Page, account: Account) -> None:
    await a_campaign(account, "There from the start")
    await page.open(account.url)
    await page.until("document.querySelector('#sign-in')")
    await page.evaluate("""new MutationObserver(() => {
      window.saidNothing ||= [...document.querySelectorAll(".empty")].some(element => element.checkVisibility());
    }).observe(document.body, { subtree: true, childList: true, attributes: true })""")
    await sign_in(page, account)
    await page.see("There from the start", "#campaigns")
    assert not await page.evaluate("Boolean(window.saidNothing)")


async def test_a_name_is_never_markup(page: Page, account: Account) -> None:
    await a_campaign(account, "<img src=x onerror=alert(1)>")
    await open_console(page, account)
    await page.see("<img src=x onerror=alert(1)>", "#campaigns h3")


async def test_nothing_is_shown_to_nobody(page: Page, product: Product) -> None:
    await page.open(product.url)
    await page.see("Sign in", "#sign-in")
    assert await page.evaluate("document.querySelector('#console').checkVisibility()") is False
    assert page.faults == []


async def test_what_has_not_changed_is_not_replaced_under_the_mouse(page: Page, account: Account) -> None:
    campaign = await a_campaign(account, "Running under the mouse")
    await open_console(page, account)
    await page.see("All of", "#segments h3")
    await page.evaluate("window.before = document.querySelector('#segments button')")
    await launch(account, campaign)
    await page.until("""[...document.querySelectorAll("#campaigns li")].some(row =>
      row.innerText.includes("under the mouse") && row.innerText.includes("completed"))""")
    assert await page.evaluate("window.before.isConnected")
