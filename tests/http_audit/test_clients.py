"""The endpoint as others judge it: the audits of GraphQL over HTTP, and the official clients of its streams."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from schema.endpoint import Endpoint
from tests.api.small import SCHEMA, Callers, endless, served

HERE = Path(__file__).parent
AUDITS = 61

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="needs node and npm")


async def run(*command: str) -> str:
    """What a program prints; fails when it does."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=HERE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        printed, complained = await asyncio.wait_for(process.communicate(), 120)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode == 0, complained.decode()
    return printed.decode()


@pytest_asyncio.fixture(scope="module")
async def packages() -> None:
    """The npm packages of the lock."""
    if not (HERE / "node_modules").exists():
        await run("npm", "ci", "--no-audit", "--no-fund")


@pytest_asyncio.fixture(scope="module")
async def address(packages: None) -> AsyncIterator[str]:
    """The address of a real server with the small schema."""
    async with served(Endpoint(SCHEMA, Callers())) as host:
        yield f"http://{host}/graphql"


async def test_every_audit_of_graphql_over_http_passes(address: str) -> None:
    *failed, counted = [json.loads(line) for line in (await run("node", "audits.js", address)).splitlines()]
    assert failed == []
    assert counted == {"audits": AUDITS}


async def test_the_official_clients_see_what_they_should(address: str) -> None:
    seen = json.loads(await run("node", "clients.js", address))
    good = {
        "query": [{"who": "ann"}],
        "mutation": [{"act": True}],
        "subscription": [{"count": "0"}, {"count": "1"}],
        "left": {"endless": 0},
        "invalid": [["GRAPHQL_VALIDATION_FAILED"]],
        "broken": [{"fails": 1}, ["INTERNAL"]],
    }
    assert seen == {"socket": good, "stream": good, "forbidden": [{"closed": 4403}]}
    async with asyncio.timeout(10):
        while endless.open:
            endless.closed.clear()
            await endless.closed.wait()
