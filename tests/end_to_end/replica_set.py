"""A replica set of three nodes on loopback, whose primary can be killed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

import mongo
from tests.product import free_port

NAME = "chaos"
NODES = 3
START_SECONDS = 60
POLL_SECONDS = 0.1
ELECTION_TIMEOUT_MS = 2000


@dataclass(slots=True)
class ReplicaSet:
    """Three mongods, by port."""

    nodes: dict[int, asyncio.subprocess.Process] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        """Where all of them are, with a database of the product's own."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.nodes)
        return f"mongodb://{hosts}/chaos?replicaSet={NAME}"

    async def kill_primary(self) -> None:
        """SIGKILL the node that takes writes just now."""
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(self.uri)
        async with client:
            await client.admin.command("ping")
            primary = await client.primary
        assert primary
        node = self.nodes[primary[1]]
        node.kill()
        await node.wait()


@asynccontextmanager
async def replica_set(folder: Path) -> AsyncIterator[ReplicaSet]:
    """A set that has a primary, killed at the end."""
    started = ReplicaSet()
    try:
        for _ in range(NODES):
            port = free_port()
            started.nodes[port] = await _start(folder, port)
        await _initiate(started)
        yield started
    finally:
        for node in started.nodes.values():
            if node.returncode is None:
                node.kill()
            await node.wait()


async def _start(folder: Path, port: int) -> asyncio.subprocess.Process:
    files = folder / f"node-{port}"
    files.mkdir()
    return await asyncio.create_subprocess_exec(
        str(mongo.find_binary(None)),
        *("--dbpath", str(files), "--port", str(port), "--bind_ip", "127.0.0.1", "--replSet", NAME),
        *("--nounixsocket", "--quiet", "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "200"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        *("--setParameter", f"transactionLifetimeLimitSeconds={mongo.TRANSACTION_SECONDS}"),
        stdout=asyncio.subprocess.DEVNULL,
    )


async def _initiate(started: ReplicaSet) -> None:
    first = next(iter(started.nodes))
    members = [{"_id": number, "host": f"127.0.0.1:{port}"} for number, port in enumerate(started.nodes)]
    settings = {"electionTimeoutMillis": ELECTION_TIMEOUT_MS, "heartbeatIntervalMillis": 500}
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient("127.0.0.1", first, directConnection=True)
    async with asyncio.timeout(START_SECONDS), client:
        await _until_initiated(client, {"_id": NAME, "members": members, "settings": settings})
    elected: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(started.uri)
    async with elected:
        await elected.admin.command("ping")
        await elected.get_database("chaos")["ready"].insert_one({})


async def _until_initiated(client: AsyncMongoClient[dict[str, object]], config: dict[str, object]) -> None:
    while True:
        try:
            await client.admin.command("replSetInitiate", config)
        except PyMongoError:
            await asyncio.sleep(POLL_SECONDS)  # the nodes are starting, and cannot set an event of ours
        else:
            return
