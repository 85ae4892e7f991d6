"""The embedded MongoDB, with real processes."""

from pymongo.asynchronous.database import AsyncDatabase


async def test_a_written_document_is_read_back(database: AsyncDatabase[dict[str, object]]) -> None:
    await database["plain"].insert_one({"_id": 1})
    assert await database["plain"].find_one() == {"_id": 1}


async def test_every_test_finds_the_database_empty(database: AsyncDatabase[dict[str, object]]) -> None:
    assert await database["plain"].count_documents({}) == 0
