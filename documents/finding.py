"""Some records in one round trip: what is asked of the database most, without the driver's detours.

Of the time of a find of 50 records, decoding apart, two thirds go into the driver's cursor, session, retrying and two
tasks that wait for the answer. `find` borrows a connection from the driver's pool, writes one command and reads one
answer. Whatever is not plainly right (an error of any kind, more than one batch, an option that somebody must heed) is
asked again in the driver's way, which tells what is wrong in its own words, and which is how a read is retried.

This leans on methods that pymongo does not promise: its version is pinned, and tests/documents/test_finding.py holds
the two ways to the same.
"""

from collections.abc import Mapping, Sequence

from pymongo import ReadPreference, _csot
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.mongo_client import AsyncMongoClient
from pymongo.asynchronous.pool import AsyncConnection
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError
from pymongo.message import _op_msg, _OpMsg

Record = dict[str, object]

# Of an answer, what is decoded as the collection says.
_RECORDS = {"cursor": {"firstBatch": 1}}


async def find(
    collection: AsyncCollection[Record],
    filter: Mapping[str, object],
    ordering: Sequence[tuple[str, int]],
    limit: int,
    projection: Sequence[str] | None = None,
) -> list[Record]:
    """The first records that match, in this order; `limit` is at least 1."""
    if _is_plain(collection):
        try:
            found = await _ask(collection, filter, ordering, limit, projection)
        except ServerSelectionTimeoutError:
            raise  # nobody is helped by waiting as long again
        except PyMongoError:
            found = None
        if found is not None:
            return found
    return await collection.find(filter, projection=projection).sort(ordering).limit(limit).to_list()


def _is_plain(collection: AsyncCollection[Record]) -> bool:
    """Whether nothing was asked of the driver that it alone would do."""
    client: AsyncMongoClient[Record] = collection.database.client
    options, listeners = client.options, client._event_listeners
    return (
        collection.read_preference == ReadPreference.PRIMARY
        and not collection.read_concern.document
        and _csot.get_timeout() is None
        and options.timeout is None
        and options.pool_options.socket_timeout is None
        and not (listeners and listeners.enabled_for_commands)
    )


async def _ask(
    collection: AsyncCollection[Record],
    filter: Mapping[str, object],
    ordering: Sequence[tuple[str, int]],
    limit: int,
    projection: Sequence[str] | None,
) -> list[Record] | None:
    """The records, or None when the answer is not all of them."""
    database, options = collection.database, collection.codec_options
    client: AsyncMongoClient[Record] = database.client
    # A batch larger than what is wanted tells MongoDB to keep no cursor open for the rest.
    command: Record = {"find": collection.name, "filter": filter, "sort": dict(ordering)}
    command |= {"limit": limit, "batchSize": limit + 1}
    if projection is not None:
        command["projection"] = dict.fromkeys(projection, 1)
    async with await client._conn_for_reads(ReadPreference.PRIMARY, None, "find") as (connection, preference):
        compression = connection.compression_context
        request_id, message, _, _ = _op_msg(0, command, database.name, preference, options, compression)
        answer = await _exchange(connection, request_id, message)
    [told] = answer.unpack_response(codec_options=options, user_fields=_RECORDS)
    if told["ok"] != 1:
        return None
    if unread := told["cursor"]["id"]:  # a batch has 16 MB at most; left alone, the rest is kept open for 10 minutes
        await database.command("killCursors", collection.name, cursors=[unread])
        return None
    records: list[Record] = told["cursor"]["firstBatch"]
    return records


async def _exchange(connection: AsyncConnection, request_id: int, message: bytes) -> _OpMsg:
    protocol = connection.conn.get_conn
    try:
        await protocol.write(message)
        reply, _ = await protocol.read(request_id, connection.max_message_size)
    except BaseException as error:  # cancelled, too: whoever has this connection next must not get our answer
        await connection._raise_connection_failure(error)
    return _OpMsg.unpack(reply)
