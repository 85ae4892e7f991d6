"""What every test may ask for: a real MongoDB, started once, and a database that is empty at the start of each test."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

import documents
import mongo
from tests.commands import Commands

hypothesis.settings.register_profile("untimed", deadline=None)  # a machine that is busy fails nothing
hypothesis.settings.load_profile("untimed")


@pytest_asyncio.fixture(scope="session")
async def mongo_uri() -> AsyncIterator[str]:
    """The URI of a mongod of this run's own."""
    # Not pytest's tmp_path, which keeps the files of three runs: a new database has 300 MB of journal.
    with tempfile.TemporaryDirectory() as data_dir:
        async with mongo.embedded(Path(data_dir)) as uri:
            yield uri


@pytest.fixture(scope="session")
def commands() -> Commands:
    """What was asked of `database`; to be cleared before it is looked at."""
    return Commands()


@pytest_asyncio.fixture(scope="session")
async def _prepared_database(mongo_uri: str, commands: Commands) -> AsyncIterator[AsyncDatabase[dict[str, object]]]:
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
        mongo_uri, tz_aware=True, uuidRepresentation="standard", event_listeners=[commands]
    )
    async with client:
        database = client.get_database("test")
        await documents.prepare(database)
        yield database


@pytest_asyncio.fixture
async def database(_prepared_database: AsyncDatabase[dict[str, object]]) -> AsyncDatabase[dict[str, object]]:
    """The database that the documents are bound to: indexes built, and nothing in it."""
    names = await _prepared_database.list_collection_names(filter={"name": {"$not": {"$regex": "^system\\."}}})
    # Deleting keeps the indexes, and takes 5 ms; dropping and preparing anew takes a hundred times that.
    await asyncio.gather(*(_prepared_database[name].delete_many({}) for name in names))
    return _prepared_database
