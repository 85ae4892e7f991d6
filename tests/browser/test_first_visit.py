"""The console of a new server, from its first account on. A module of its own: it needs a server with nothing in it."""

from tests.browser.conftest import EMAIL, PASSWORD
from tests.browser.page import Page
from tests.product import Product


async def test_an_empty_server_says_what_to_do_first(page: Page, product: Product) -> None:
    await page.open(product.url)
    await page.click("form.sign-in button", "Create one")
    await page.type("[name=name]", "Asha Rao")
    await page.type("[name=email]", EMAIL)
    await page.type("[name=password]", PASSWORD)
    await page.click("form.sign-in [type=submit]")
    await page.see("admin", "#who .role")
    for place, words in [
        ("#first-steps", "Bring in customers"),
        ("#campaigns", "No campaign yet"),
        ("#segments", "No segment yet"),
        ("#outcomes", "Once a campaign goes out"),
    ]:
        await page.see(words, place)
    await page.click("#first-steps a", "Ingest in GraphiQL")
    await page.click(".graphiql-execute-button")
    await page.until('document.querySelector(".result-window .CodeMirror")?.CodeMirror.getValue().includes("created")')
    assert page.faults == []
