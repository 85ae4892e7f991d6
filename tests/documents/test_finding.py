"""The short way of a find tells what the driver tells, and what goes wrong on the way is the driver's to mend."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import OperationFailure
from pymongo.monitoring import CommandListener

import documents
from documents import finding
from documents.finding import Record
from documents.records import AS_STORED
from tests.commands import Commands

COUNT = 7
ORDER = [("kind", -1), ("_id", 1)]


class Wire:
    """Passes on what client and MongoDB say to each other, but loses finds and holds their answers when told to."""

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        self._host, self._port = parts.hostname, parts.port
        self.lost = 0
        self.ways: list[str] = []
        self.asked = asyncio.Event()
        self.let_through = asyncio.Event()
        self.let_through.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, mongod = await asyncio.open_connection(self._host, self._port)
        with closing(writer), closing(mongod):
            back = asyncio.create_task(self._pass_back(answers, writer), name="answers of MongoDB")
            while (sent := await reader.read(2**16)) and not (b"find\x00" in sent and self._loses(sent)):
                mongod.write(sent)
            back.cancel()

    async def _pass_back(self, answers: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while answer := await answers.read(2**16):
            if b"firstBatch" in answer:
                await self.let_through.wait()
            writer.write(answer)

    def _loses(self, find: bytes) -> bool:
        self.ways.append("the driver's" if b"lsid" in find else "short")  # the driver names a session
        self.asked.set()
        self.lost -= 1
        return self.lost >= 0


@asynccontextmanager
async def wired(uri: str, wire: Wire, *listeners: CommandListener) -> AsyncIterator[AsyncCollection[Record]]:
    """A collection of records as they are stored, at the end of this wire."""
    server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client: AsyncMongoClient[Record] = AsyncMongoClient(
        "127.0.0.1", port, directConnection=True, event_listeners=listeners
    )
    async with server, client:
        collection = client.get_database("test").get_collection("found", AS_STORED)
        yield collection
        await collection.drop()


@pytest_asyncio.fixture
async def wire(mongo_uri: str) -> Wire:
    return Wire(mongo_uri)


@pytest_asyncio.fixture
async def collection(mongo_uri: str, wire: Wire) -> AsyncIterator[AsyncCollection[Record]]:
    async with wired(mongo_uri, wire) as collection:
        await collection.insert_many([_record(number) for number in range(COUNT)])
        yield collection


def _record(number: int) -> Record:
    at = datetime(2026, 6, 1, 10, 0, number, tzinfo=UTC)
    return {"_id": number, "kind": number % 2, "spent": Decimal(number), "at": at, "tags": [{"a": number}]}


@pytest.mark.parametrize("filter", [{}, {"kind": 1}, {"kind": {"$gt": 5}}])
@pytest.mark.parametrize("projection", [None, ["kind", "spent"]])
@pytest.mark.parametrize("limit", [1, 3, COUNT, 100])
async def test_it_finds_what_the_driver_finds(
    collection: AsyncCollection[Record], filter: Record, projection: list[str] | None, limit: int
) -> None:
    short = await finding.find(collection, filter, ORDER, limit, projection)
    assert short == await collection.find(filter, projection).sort(ORDER).limit(limit).to_list()


async def test_it_decodes_as_the_collection_says(collection: AsyncCollection[Record]) -> None:
    [record] = await finding.find(collection.with_options(documents.CODEC_OPTIONS), {}, ORDER, 1)
    assert record == _record(1)


async def test_a_find_that_was_lost_on_the_way_is_asked_again(collection: AsyncCollection[Record], wire: Wire) -> None:
    wire.lost = 1
    assert len(await finding.find(collection, {}, ORDER, 100)) == COUNT
    assert wire.ways == ["short", "the driver's"]


async def test_an_answer_that_nobody_waited_for_is_not_given_to_the_next(
    collection: AsyncCollection[Record], wire: Wire
) -> None:
    wire.let_through.clear()
    abandoned = asyncio.create_task(finding.find(collection, {"kind": 0}, ORDER, 100))
    await wire.asked.wait()
    abandoned.cancel()
    wire.let_through.set()
    with pytest.raises(asyncio.CancelledError):
        await abandoned
    assert {record["kind"] for record in await finding.find(collection, {"kind": 1}, ORDER, 100)} == {1}


async def test_many_at_a_time_get_each_their_own(collection: AsyncCollection[Record]) -> None:
    asked = [number % COUNT for number in range(50)]
    found = await asyncio.gather(*(finding.find(collection, {"_id": number}, ORDER, 1) for number in asked))
    assert [record["_id"] for [record] in found] == asked


async def test_what_mongodb_refuses_is_told_as_the_driver_tells_it(collection: AsyncCollection[Record]) -> None:
    with pytest.raises(OperationFailure, match=r"unknown.*\$nonsense"):
        await finding.find(collection, {"kind": {"$nonsense": 1}}, ORDER, 1)


async def test_records_beyond_one_batch_are_all_found(collection: AsyncCollection[Record]) -> None:
    await collection.insert_many([{"kind": "large", "text": "x" * 2**20} for _ in range(20)])
    assert len(await finding.find(collection, {"kind": "large"}, ORDER, 100)) == 20
    assert await _idle_cursors(collection) == 0


async def _idle_cursors(collection: AsyncCollection[Record]) -> int:
    pipeline: list[Record] = [
        {"$currentOp": {"idleCursors": True}},
        {"$match": {"type": "idleCursor", "ns": collection.full_name}},
    ]
    async with await collection.database.client.admin.aggregate(pipeline) as found:
        return len(await found.to_list())


async def test_who_listens_to_commands_hears_of_it(mongo_uri: str, wire: Wire) -> None:
    commands = Commands()
    async with wired(mongo_uri, wire, commands) as listened:
        await finding.find(listened, {}, ORDER, 1)
        assert commands.names == ["find"]
