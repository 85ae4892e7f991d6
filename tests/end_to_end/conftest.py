"""The product running, one for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.product import Product, running


@pytest_asyncio.fixture
async def product(tmp_path: Path) -> AsyncIterator[Product]:
    """A vendor and a server that have just started."""
    async with running(tmp_path) as started:
        yield started
