"""A headless Chromium, driven over its own debugging protocol: no driver to install, and every request is seen."""

import asyncio
import itertools
import json
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from pydantic import JsonValue
from websockets.asyncio.client import ClientConnection, connect

Message = dict[str, JsonValue]
Listener = Callable[[str, Message], None]

START_SECONDS = 30
ANSWER_SECONDS = 30
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",  # Chromium refuses its sandbox to root, which CI is
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no host but the server's
    "--remote-debugging-port=0",
)


def installed() -> str | None:
    """Where Chromium is, if it is installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class ProtocolError(Exception):
    """Chromium refused a command."""


class Chromium:
    """The connection to a running Chromium: commands go out, and replies and events come in."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._listeners: defaultdict[str, list[Listener]] = defaultdict(list)

    async def command(self, method: str, session: str | None = None, **parameters: JsonValue) -> Message:
        """Sends one command, to the browser or to one page's session; raises ProtocolError."""
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        message: Message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        await self._socket.send(json.dumps(message))
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self._waiting[number]

    def listen(self, session: str, listener: Listener) -> None:
        """Calls back with every event of a page's session: its method and parameters."""
        self._listeners[session].append(listener)

    async def read(self) -> None:
        """Takes in what Chromium says, until it closes."""
        async for text in self._socket:
            message: dict[str, JsonValue] = json.loads(text)
            match message:
                case {"id": int(number)}:
                    self._settle(self._waiting.pop(number), message)
                case {"method": str(method), "params": dict(parameters)}:
                    for listener in self._listeners.get(str(message.get("sessionId")), []):
                        listener(method, parameters)

    def _settle(self, waiting: asyncio.Future[Message], message: Message) -> None:
        if waiting.done():
            return
        match message:
            case {"result": dict(result)}:
                waiting.set_result(result)
            case _:
                waiting.set_exception(ProtocolError(str(message.get("error"))))


@asynccontextmanager
async def launched(binary: str, profile: Path) -> AsyncIterator[Chromium]:
    """A Chromium of our own, with an empty profile in that directory."""
    process = await asyncio.create_subprocess_exec(
        binary,
        *ARGUMENTS,
        f"--user-data-dir={profile}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with connect(await _address(process), max_size=None) as socket:
            chromium = Chromium(socket)
            reading = asyncio.create_task(chromium.read(), name="chromium")
            yield chromium
            with suppress(ProtocolError, TimeoutError):
                await chromium.command("Browser.close")
            reading.cancel()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()  # reads its pipe to the end, which closes it


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr
    said = []
    async with asyncio.timeout(START_SECONDS):
        async for line in process.stderr:
            said.append(line.decode(errors="replace"))
            if "DevTools listening on " in said[-1]:
                return said[-1].split("DevTools listening on ")[1].strip()
    raise RuntimeError("Chromium did not start: " + "".join(said))
