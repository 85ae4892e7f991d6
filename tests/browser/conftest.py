"""A browser, and people with something to look at in it."""

import os
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.browser.chromium import Chromium, installed, launched
from tests.browser.page import Page, opened
from tests.product import Product, running

ASSETS = Path(__file__).parents[2] / "web" / "assets"
EMAIL, PASSWORD = "asha@example.com", "correct horse battery"
GRANT = "accessToken userErrors { message }"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may do everything, and speaks to the API directly."""

    url: str
    token: str
    email: str = EMAIL
    password: str = PASSWORD

    async def ask(self, document: str, **variables: object) -> Any:
        """The value of the one root field."""
        return await ask(self.url, document, variables, self.token)


async def ask(url: str, document: str, variables: dict[str, object], token: str | None = None) -> Any:
    """The value of the one root field of an operation sent over HTTP."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        reply = (await client.post("/graphql", json={"query": document, "variables": variables})).json()
    assert "errors" not in reply, reply
    (value,) = reply["data"].values()
    return value


@pytest_asyncio.fixture(scope="module")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """A vendor that answers soon, and a server that nobody has signed up to."""
    async with running(tmp_path_factory.mktemp("product"), VENDOR_SIM_LATENCY_MS="20") as started:
        yield started


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Chromium]:
    """A Chromium that reaches 127.0.0.1 alone; the tests are skipped where there is none."""
    binary = installed()
    if binary is None or not ASSETS.is_dir():
        lacking = "chromium is not installed" if binary is None else "web/assets is empty: run npm ci --prefix web"
        if os.environ.get("CI"):
            pytest.fail(f"{lacking}, and CI must not skip these tests")
        pytest.skip(lacking)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        async with launched(binary, Path(profile)) as running:
            yield running


@pytest_asyncio.fixture
async def page(chromium: Chromium) -> AsyncIterator[Page]:
    """A new tab in which nobody is signed in."""
    async with opened(chromium) as page:
        yield page


@pytest_asyncio.fixture
async def account(product: Product) -> Account:
    """The administrator: the first to register, or signed in again."""
    login = f"mutation ($input: LoginInput!) {{ login(input: $input) {{ {GRANT} }} }}"
    register = f"mutation ($input: RegisterInput!) {{ register(input: $input) {{ {GRANT} }} }}"
    credentials = {"email": EMAIL, "password": PASSWORD}
    grant = await ask(product.url, login, {"input": credentials})
    if not grant["accessToken"]:
        grant = await ask(product.url, register, {"input": {**credentials, "name": "Asha Rao"}})
    assert not grant["userErrors"]
    return Account(product.url, grant["accessToken"])
