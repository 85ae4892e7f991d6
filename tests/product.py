"""The product as its own processes, for tests that start, kill and watch them."""

import asyncio
import os
import re
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from demo.api import Api

READY_SECONDS = 60
STOP_SECONDS = 30
POLL_SECONDS = 0.05
ROOT = Path(__file__).parent.parent


@dataclass(slots=True)
class Product:
    """A vendor and a server, on free ports, with files of their own. `environment` is added to every process's."""

    data_dir: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lambda: free_port())
    vendor_port: int = field(default_factory=lambda: free_port())
    webhook_secret: str = field(default_factory=lambda: f"whsec_{secrets.token_hex(32)}")
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=60))

    @property
    def url(self) -> str:
        """Where the server answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def vendor_url(self) -> str:
        """The base of the vendor's API."""
        return f"http://127.0.0.1:{self.vendor_port}/api/vendor"

    def api(self, token: str | None = None) -> Api:
        """A client of the public API."""
        return Api(self.url, token, self.http)

    async def sign_up(self) -> Api:
        """The API as the first user, an administrator."""
        register = 'mutation { register(input: {email: "a@example.com", password: "correct horse", name: "A"}) '
        payload = await self.api().ask(register + "{ accessToken userErrors { message } } }")
        return self.api(str(payload["accessToken"]))

    async def start(self) -> None:
        """Start the vendor and the server, and wait until both answer."""
        await self.start_vendor()
        await self.start_server()

    async def start_server(self) -> None:
        """Start the server, and wait until it is ready."""
        await self._start("server", "server.py")
        await self._until_answered("server", f"{self.url}/readyz")

    async def start_second_server(self) -> str:
        """Start another one on the same database; its URL, once it is ready."""
        port = free_port()
        await self._start("second server", "server.py", PORT=str(port))
        await self._until_answered("second server", f"http://127.0.0.1:{port}/readyz")
        return f"http://127.0.0.1:{port}"

    async def start_vendor(self) -> None:
        """Start the simulated vendor, and wait until it answers."""
        await self._start("vendor", "-m", "vendor_sim")
        await self._until_answered("vendor", f"{self.vendor_url}/stats")

    async def start_worker(self, name: str) -> str:
        """Start a sending process; the URL of its metrics, once they answer. It is at work soon after."""
        port = free_port()
        await self._start(name, "server.py", "worker", METRICS_PORT=str(port))
        await self._until_answered(name, f"http://127.0.0.1:{port}/metrics")
        return f"http://127.0.0.1:{port}"

    async def figure(self, url: str, name: str) -> float:
        """One of the metrics of the process at a URL, summed over its labels."""
        text = (await self.http.get(f"{url}/metrics")).text
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if re.match(rf"{name}(?={{| )", line))

    async def until_figure(self, url: str, name: str, reached: Callable[[float], bool]) -> None:
        """Wait until this holds of a metric."""
        async with asyncio.timeout(READY_SECONDS):
            while True:
                if reached(await self.figure(url, name)):
                    return
                await asyncio.sleep(POLL_SECONDS)  # another process cannot set an event of ours

    async def kill(self, name: str) -> None:
        """SIGKILL: no goodbye."""
        self.processes[name].kill()
        await self.processes.pop(name).wait()

    async def stop(self, name: str) -> int:
        """SIGTERM, and wait; the exit status."""
        process = self.processes.pop(name)
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_SECONDS):
            return await process.wait()

    async def stop_all(self) -> None:
        """End whatever still runs, the vendor last."""
        await self.http.aclose()
        for name in sorted(self.processes, key=lambda each: each == "vendor"):
            await self.stop(name)

    async def _start(self, name: str, *arguments: str, **environment: str) -> None:
        with (self.data_dir / f"{name}.log").open("ab") as log:
            self.processes[name] = await asyncio.create_subprocess_exec(
                sys.executable, *arguments, cwd=ROOT, env=self._environment() | environment, stdout=log, stderr=log
            )

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATA_DIR": str(self.data_dir),
            "PORT": str(self.port),
            "VENDOR_SIM_PORT": str(self.vendor_port),
            "VENDOR_API_URL": self.vendor_url,
            "VENDOR_WEBHOOK_SECRET": self.webhook_secret,
            **self.environment,
        }

    async def _until_answered(self, name: str, url: str) -> None:
        async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient() as client:
            while not await _answers(client, url):
                log = (self.data_dir / f"{name}.log").read_text()
                assert self.processes[name].returncode is None, f"the {name} ended:\n{log}"
                await asyncio.sleep(POLL_SECONDS)  # another process cannot set an event of ours


@asynccontextmanager
async def running(data_dir: Path, **environment: str) -> AsyncIterator[Product]:
    """A product that has started, and that is stopped at the end."""
    product = Product(data_dir, environment)
    try:
        await product.start()
        yield product
    finally:
        await product.stop_all()


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
