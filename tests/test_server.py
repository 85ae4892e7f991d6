"""The command line: what starts, what is refused with one line, and what is kept."""

import asyncio
import json
import os
import signal
import socket
import stat
import sys
from pathlib import Path

import pytest
from beanie import PydanticObjectId
from pymongo.asynchronous.database import AsyncDatabase

import server
from ingestion import suppressions
from server import READY_SECONDS
from tests.product import ROOT, running


async def run(*arguments: str, **environment: str) -> tuple[int, str]:
    """The exit status and the standard error of `server.py`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "server.py",
        *arguments,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("JWT_SECRET", "short"),
        ("TIMEZONE", "Mars/Olympus"),
        ("CURRENCY", "dollars"),
        ("REGISTRATION", "sometimes"),
        ("VENDOR_WEBHOOK_SECRET", "plain"),
        ("VENDOR_WEBHOOK_SECRET", "whsec_not base64"),
        ("VENDOR_API_URL", "vendor.example.com"),
        ("PUBLIC_URL", "crm.example.com"),
        ("TRUSTED_PROXIES", "127.0.0.1, the proxy"),
        ("REFRESH_TOKEN_DAYS", "1000000000"),
    ],
)
async def test_a_setting_that_cannot_be_read_stops_the_server_with_a_line_that_names_it(name: str, value: str) -> None:
    status, said = await run(**{name: value})
    assert status == 1
    assert said.startswith(f"{name}: ")
    assert said.count("\n") == 1


async def test_a_database_that_is_not_there_is_told_in_a_line() -> None:
    status, said = await run(MONGODB_URI="mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100")
    assert status == 1
    assert "MONGODB_URI" in said
    assert "Traceback" not in said


async def test_a_port_for_metrics_that_is_taken_is_told_in_a_line(mongo_uri: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, said = await run(MONGODB_URI=mongo_uri, DATA_DIR=str(tmp_path), METRICS_PORT=port)
    assert status == 1
    assert said == f"METRICS_PORT: {port} of 127.0.0.1 cannot be listened on: Address already in use\n"


@pytest.mark.parametrize("embedded", [True, False])
async def test_a_data_dir_that_cannot_be_used_is_told_in_a_line(embedded: bool, mongo_uri: str) -> None:
    status, said = await run(MONGODB_URI="" if embedded else mongo_uri, DATA_DIR="/dev/null/data")
    assert status == 1
    assert said.startswith("DATA_DIR cannot be used: ")
    assert said.count("\n") == 1


async def test_a_key_by_which_nobody_was_erased_stops_the_server(
    mongo_uri: str, database: AsyncDatabase[dict[str, object]], tmp_path: Path
) -> None:
    async with database.client.start_session() as session:
        await suppressions.add([("email", "a@example.com")], b"the former key", PydanticObjectId(), session)
    uri = mongo_uri.replace("/?", f"/{database.name}?")
    data_dir = str(tmp_path / "not made yet")
    status, said = await run(MONGODB_URI=uri, DATA_DIR=data_dir, SUPPRESSION_KEY="another key, of 32 bytes at least")
    assert status == 1
    assert said.startswith("SUPPRESSION_KEY is not the one")
    assert said.count("\n") == 1


def test_a_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    secret = server.kept_secret(tmp_path / "jwt_secret")
    assert server.kept_secret(tmp_path / "jwt_secret") == secret
    assert len(secret) == 64
    assert stat.S_IMODE((tmp_path / "jwt_secret").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["jwt_secret"]


async def test_logs_are_json_lines_when_asked(tmp_path: Path) -> None:
    async with running(tmp_path, LOG_FORMAT="json"):
        pass
    lines = (tmp_path / "server.log").read_text().splitlines()
    assert {"info"} == {json.loads(line)["level"] for line in lines}
    assert any("Uvicorn running" in json.loads(line)["message"] for line in lines)


async def test_a_database_that_is_gone_holds_up_neither_the_answer_nor_the_end(tmp_path: Path) -> None:
    async with running(tmp_path) as product:
        os.kill(int((tmp_path / "mongodb" / "mongod.lock").read_text()), signal.SIGKILL)
        assert (await product.http.get(f"{product.url}/readyz", timeout=READY_SECONDS * 5)).status_code == 503
        assert await product.stop("server") == 0, "in half a minute; the driver waits for a whole one"


async def test_the_rate_is_a_setting(tmp_path: Path) -> None:
    async with running(tmp_path, RATE_PER_SECOND="1", RATE_BURST="1") as product:
        asked = {"query": "{ customers(first: 500) { nodes { id } } }"}
        first, second = [(await product.http.post(f"{product.url}/graphql", json=asked)).json() for _ in range(2)]
    assert [error["extensions"]["code"] for error in first["errors"]] == ["UNAUTHENTICATED"]
    [error] = second["errors"]
    assert error["extensions"]["limit"] == "rate"
    assert error["extensions"]["retryAfterSeconds"] > 100
