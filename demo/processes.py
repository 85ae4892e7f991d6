"""The product's processes on one machine: the simulated vendor and the server, watched by a supervisor.

The supervisor starts a server that died again, and keeps the vendor: `kill -9` of the server in the middle of a
campaign shows what becomes of it.
"""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = os.environ.get("PORT", "3000")
URL = f"http://{HOST}:{PORT}"
VENDOR_PORT = os.environ.get("VENDOR_SIM_PORT", "3001")
VENDOR_URL = f"http://127.0.0.1:{VENDOR_PORT}/api/vendor"
DATA_DIR = Path(os.environ.get("DATA_DIR", ".data"))
PID_FILE = DATA_DIR / "run.pid"
LOG_FILE = DATA_DIR / "run.log"

READY_SECONDS = 120
STOP_SECONDS = 30
POLL_SECONDS = 0.1


async def supervise() -> int:
    """Run the vendor and the server in the foreground until SIGINT or SIGTERM; the exit status."""
    if await answers():
        print(f"Something answers at {URL} already.")
        return 1
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    PID_FILE.write_text(str(os.getpid()))
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    vendor = await _start("-m", "vendor_sim")
    try:
        return await _keep_serving(stopped)
    finally:
        await _stop(vendor)
        PID_FILE.unlink(missing_ok=True)


def start_in_background() -> None:
    """Start a supervisor that outlives this process; its log is LOG_FILE."""
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    with LOG_FILE.open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "demo", "run"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def stop_background() -> int:
    """Stop the supervisor that runs, and wait for its end; the exit status."""
    if not PID_FILE.exists():
        print("Nothing runs.")
        return 0
    pid = int(PID_FILE.read_text())
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        PID_FILE.unlink()
        print("Nothing runs any more.")
        return 0
    deadline = time.monotonic() + STOP_SECONDS
    while PID_FILE.exists() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    print("Stopped." if not PID_FILE.exists() else f"Still stopping: process {pid}.")
    return int(PID_FILE.exists())


async def answers() -> bool:
    """Whether a server is ready at URL."""
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"{URL}/readyz", timeout=2)).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


async def until_ready() -> None:
    """Return once the server answers; raises TimeoutError after READY_SECONDS."""
    async with asyncio.timeout(READY_SECONDS):
        while not await answers():  # noqa: ASYNC110  # another process cannot set an event of ours
            await asyncio.sleep(POLL_SECONDS)


async def _keep_serving(stopped: asyncio.Event) -> int:
    stop = asyncio.create_task(stopped.wait(), name="stop signal")
    try:
        while not stopped.is_set():
            server = await _start("server.py")
            announced = asyncio.create_task(_announce(), name="announce")
            ended = asyncio.create_task(server.wait(), name="server")
            await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
            was_ready = announced.done()
            announced.cancel()
            if not ended.done():
                await _stop(server)
            elif not was_ready:
                return server.returncode or 1  # it has said why, and would again
            else:
                print(f"The server ended with status {server.returncode}; starting it again.", flush=True)
    finally:
        stop.cancel()
    return 0


async def _announce() -> None:
    await until_ready()
    print(f"\n  GraphiQL   {URL}/graphql\n  Console    {URL}/\n  Vendor     {VENDOR_URL}/stats\n", flush=True)


async def _start(*arguments: str) -> asyncio.subprocess.Process:
    # A session of their own: Ctrl-C reaches the supervisor alone, which stops them in order.
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env={**os.environ, **_environment()}, start_new_session=True
    )


def _environment() -> dict[str, str]:
    return {
        "HOST": HOST,
        "PORT": PORT,
        "VENDOR_SIM_PORT": VENDOR_PORT,
        "VENDOR_API_URL": os.environ.get("VENDOR_API_URL", VENDOR_URL),
        "VENDOR_WEBHOOK_SECRET": os.environ.get("VENDOR_WEBHOOK_SECRET") or _kept_webhook_secret(),
    }


def _kept_webhook_secret() -> str:
    path = DATA_DIR / "webhook_secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(f"whsec_{secrets.token_hex(32)}")  # hexadecimal digits are base64 too
    return path.read_text()


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
