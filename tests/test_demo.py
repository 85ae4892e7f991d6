"""The processes of `make run`: they read what the server reads, say why they cannot start, and leave nothing behind."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.product import POLL_SECONDS, READY_SECONDS, ROOT, free_port

# As a person's shell has it: without the settings of whoever runs the tests.
NEUTRAL = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {"PYTHONPATH": str(ROOT)}


@asynccontextmanager
async def started(
    arguments: str, environment: Mapping[str, str], folder: Path = ROOT
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo", *arguments.split()),
        cwd=folder,
        env={**NEUTRAL, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def said(
    arguments: str, environment: Mapping[str, str] | None = None, folder: Path = ROOT
) -> tuple[int | None, str]:
    async with started(arguments, environment or {}, folder) as process:
        output, _ = await process.communicate()
        return process.returncode, output.decode()


async def until(url: str, *, answers: bool) -> None:
    async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient() as client:
        while await _answers(client, url) is not answers:  # noqa: ASYNC110  # another process cannot set an event of ours
            await asyncio.sleep(POLL_SECONDS)


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).is_success
    except httpx.HTTPError:
        return False


async def test_a_line_of_dot_env_counts(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATA_DIR=mine\n")
    assert await said("stop", folder=tmp_path) == (0, "Nothing runs.\n")
    assert (tmp_path / "mine").is_dir()


async def test_a_data_dir_that_cannot_be_written_is_told_in_a_line() -> None:
    for arguments in ["", "run", "stop"]:
        status, text = await said(arguments, {"DATA_DIR": "/dev/null/data", "PORT": str(free_port())})
        assert status == 1
        assert "DATA_DIR cannot be used: " in text
        assert "Traceback" not in text


async def test_a_vendor_that_cannot_start_ends_the_rest(mongo_uri: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        settings = {"MONGODB_URI": mongo_uri, "DATA_DIR": str(tmp_path), "PORT": str(free_port())}
        status, text = await said("run", settings | {"VENDOR_SIM_PORT": port})
    assert status == 1
    assert "address already in use" in text
    assert text.splitlines()[-1].startswith("The simulated vendor ended with status ")


async def test_a_setting_that_cannot_be_read_ends_the_demo_at_once(tmp_path: Path) -> None:
    ports = {"PORT": str(free_port()), "VENDOR_SIM_PORT": str(free_port())}
    status, text = await said("", ports | {"DATA_DIR": str(tmp_path), "CURRENCY": "dollars"})
    assert status == 1
    assert "CURRENCY: " in text


async def test_a_supervisor_that_is_killed_leaves_nothing_behind(mongo_uri: str, tmp_path: Path) -> None:
    port, vendor_port = free_port(), free_port()
    settings = {"DATA_DIR": str(tmp_path), "PORT": str(port), "VENDOR_SIM_PORT": str(vendor_port)}
    (tmp_path / "run.pid").write_text("12345")  # of one that was killed before
    async with started("run", settings | {"MONGODB_URI": mongo_uri}) as process:
        await until(f"http://127.0.0.1:{port}/readyz", answers=True)
        status, text = await said("run", settings)
        assert (status, text) == (1, f"It runs already, as process {process.pid}: `make stop` ends it.\n")
        process.kill()
    await until(f"http://127.0.0.1:{port}/healthz", answers=False)
    await until(f"http://127.0.0.1:{vendor_port}/api/vendor/stats", answers=False)
    assert await said("stop", settings) == (0, "Nothing runs.\n")
