"""The product's processes on one machine: the simulated vendor and the server, watched by a supervisor.

The supervisor starts a server that died again, and keeps the vendor: `kill -9` of the server in the middle of a
campaign shows what becomes of it.
"""

import asyncio
import ctypes
import fcntl
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TextIO

import httpx
from dotenv import dotenv_values

# As the server has it: a variable, else a line of .env, else the default; one that is empty is none. The vendor reads
# no .env, so that all of it is handed on.
SETTINGS = {name: value for name, value in {**dotenv_values(".env"), **os.environ}.items() if value}
HOST = SETTINGS.get("HOST", "127.0.0.1")
PORT = SETTINGS.get("PORT", "3000")
URL = f"http://{HOST}:{PORT}"
VENDOR_HOST = SETTINGS.get("VENDOR_SIM_HOST", "127.0.0.1")
VENDOR_PORT = SETTINGS.get("VENDOR_SIM_PORT", "3001")
VENDOR_URL = f"http://{VENDOR_HOST}:{VENDOR_PORT}/api/vendor"
DATA_DIR = Path(SETTINGS.get("DATA_DIR", ".data"))
PID_FILE = DATA_DIR / "run.pid"
LOG_FILE = DATA_DIR / "run.log"

READY_SECONDS = 120
STOP_SECONDS = 30
POLL_SECONDS = 0.1


class Unusable(Exception):
    """The product cannot be started here; one line that says why."""


async def supervise() -> int:
    """Run the vendor and the server in the foreground until SIGINT or SIGTERM; the exit status. Raises Unusable."""
    with _lock() as lock:
        if not _taken(lock):
            raise Unusable(f"It runs already, as process {PID_FILE.read_text()}: `make stop` ends it.")
        if await answers():
            raise Unusable(f"Something answers at {URL} already: stop it, or set PORT.")
        lock.truncate(0)  # of one that was killed
        lock.write(str(os.getpid()))
        lock.flush()
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        vendor = await _start("-m", "vendor_sim")
        try:
            return await _keep_serving(stopped, vendor)
        finally:
            await _stop(vendor)


def start_in_background() -> subprocess.Popen[bytes]:
    """Start a supervisor that outlives this process; its log is LOG_FILE. Raises Unusable."""
    with _lock(), LOG_FILE.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "demo", "run"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def stop_background() -> int:
    """Stop the supervisor that runs, and wait for its end; the exit status. Raises Unusable."""
    with _lock() as lock:
        if _taken(lock):
            print("Nothing runs.")
            return 0
        pid = int(PID_FILE.read_text())
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while not (gone := _taken(lock)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    print("Stopped." if gone else f"Still stopping: process {pid}.")
    return int(not gone)


def _lock() -> TextIO:
    """The file that a supervisor has locked for as long as it lives, and that holds its process id."""
    try:
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        return PID_FILE.open("a")
    except OSError as error:
        raise Unusable(f"DATA_DIR cannot be used: {error}") from error


def _taken(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def answers() -> bool:
    """Whether a server is ready at URL."""
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"{URL}/readyz", timeout=2)).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


async def until_ready(supervisor: subprocess.Popen[bytes] | None = None) -> None:
    """Return once the server answers. Raises Unusable if its supervisor ends before, else TimeoutError."""
    async with asyncio.timeout(READY_SECONDS):
        while not await answers():
            if supervisor and supervisor.poll() is not None:
                raise Unusable(LOG_FILE.read_text().rstrip().rpartition("\n")[2])
            await asyncio.sleep(POLL_SECONDS)


async def _keep_serving(stopped: asyncio.Event, vendor: asyncio.subprocess.Process) -> int:
    stop = asyncio.create_task(stopped.wait(), name="stop signal")
    alone = asyncio.create_task(vendor.wait(), name="vendor")
    try:
        while not stopped.is_set():
            server = await _start("server.py")
            announced = asyncio.create_task(_announce(), name="announce")
            ended = asyncio.create_task(server.wait(), name="server")
            await asyncio.wait({ended, stop, alone}, return_when=asyncio.FIRST_COMPLETED)
            was_ready = announced.done()
            announced.cancel()
            if not ended.done():
                await _stop(server)
            if alone.done() and not stopped.is_set():
                raise Unusable(f"The simulated vendor ended with status {vendor.returncode}: see above.")
            if stopped.is_set():
                break
            if not was_ready:
                return server.returncode or 1  # it has said why, and would again
            print(f"The server ended with status {server.returncode}; starting it again.", flush=True)
    finally:
        stop.cancel()
        alone.cancel()
    return 0


async def _announce() -> None:
    await until_ready()
    print(f"\n  GraphiQL   {URL}/graphql\n  Console    {URL}/\n  Vendor     {VENDOR_URL}/stats\n", flush=True)


async def _start(*arguments: str) -> asyncio.subprocess.Process:
    # A session of their own: Ctrl-C reaches the supervisor alone, which stops them in order.
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env={**SETTINGS, **_environment()},
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )


def _die_with_parent() -> None:
    # A supervisor that is killed must not leave behind what `make stop` no longer knows.
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def _environment() -> dict[str, str]:
    return {
        "HOST": HOST,
        "PORT": PORT,
        "VENDOR_SIM_PORT": VENDOR_PORT,
        "VENDOR_API_URL": SETTINGS.get("VENDOR_API_URL", VENDOR_URL),
        "VENDOR_WEBHOOK_SECRET": SETTINGS.get("VENDOR_WEBHOOK_SECRET") or _kept_webhook_secret(),
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
