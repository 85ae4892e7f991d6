"""graphql-transport-ws: its messages and close codes, over a socket in memory, and once over a real one."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import websockets

from schema.endpoint import Endpoint
from schema.websocket import MAX_OPERATIONS, Connection
from tests.api.small import SCHEMA, Callers, endless, served

CLOSED, GONE = "closed", None


class Socket:
    """Both ends of a socket: the connection has `receive`, `send` and `close`, the test the rest."""

    def __init__(self) -> None:
        self._to_server: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._to_client: asyncio.Queue[tuple[int, str] | dict[str, object]] = asyncio.Queue()

    async def receive(self) -> str | bytes | None:
        return await self._to_server.get()

    async def send(self, text: str) -> None:
        self._to_client.put_nowait(json.loads(text))

    async def close(self, code: int, reason: str) -> None:
        self._to_client.put_nowait((code, reason))
        self._to_server.put_nowait(GONE)

    def say(self, **message: object) -> None:
        self.say_raw(json.dumps(message))

    def say_raw(self, frame: str | bytes | None) -> None:
        self._to_server.put_nowait(frame)

    def subscribe(self, id_: str, query: str, **variables: object) -> None:
        self.say(id=id_, type="subscribe", payload={"query": query, "variables": variables})

    async def heard(self) -> dict[str, object]:
        async with asyncio.timeout(10):
            message = await self._to_client.get()
        assert isinstance(message, dict), f"closed with {message}"
        if isinstance(payload := message.get("payload"), dict):
            payload.pop("extensions", None)
        return message

    async def code(self) -> int:
        """The code that the server closes with, whatever it says before."""
        async with asyncio.timeout(10):
            while isinstance(message := await self._to_client.get(), dict):
                pass
        return message[0]


@pytest.fixture
async def socket() -> AsyncIterator[Socket]:
    """A socket whose connection is served, and not initialised yet."""
    socket = Socket()
    serving = asyncio.create_task(Connection(SCHEMA, Callers(), socket, init_seconds=5).serve())
    yield socket
    socket.say_raw(GONE)
    await asyncio.wait_for(serving, 10)


@pytest.fixture
async def client(socket: Socket) -> Socket:
    """An initialised connection."""
    socket.say(type="connection_init", payload={"authorization": "Bearer ann"})
    assert await socket.heard() == {"type": "connection_ack"}
    return socket


# Before anything else


@pytest.mark.parametrize(
    "payload", [{}, {"payload": None}, {"payload": {}}, {"payload": {"Authorization": "Bearer ann"}}]
)
async def test_an_initialisation_is_acknowledged(socket: Socket, payload: dict[str, object]) -> None:
    socket.say(type="connection_init", **payload)
    assert await socket.heard() == {"type": "connection_ack"}


async def test_a_connection_that_is_not_initialised_in_time_is_closed() -> None:
    socket = Socket()
    await Connection(SCHEMA, Callers(), socket, init_seconds=0.01).serve()
    assert await socket.code() == 4408


async def test_a_token_that_is_no_good_is_forbidden(socket: Socket) -> None:
    socket.say(type="connection_init", payload={"authorization": "Bearer bad"})
    assert await socket.code() == 4403


async def test_while_nobody_can_tell_who_it_is_a_client_is_told_to_try_again(socket: Socket) -> None:
    socket.say(type="connection_init", payload={"authorization": "Bearer lost"})
    assert await socket.code() == 1013


async def test_an_operation_before_the_acknowledgement_is_unauthorized(socket: Socket) -> None:
    socket.subscribe("1", "{ who }")
    assert await socket.code() == 4401


async def test_a_second_initialisation_is_one_too_many(client: Socket) -> None:
    client.say(type="connection_init")
    assert await client.code() == 4429


async def test_a_ping_is_answered_before_the_initialisation_and_after(socket: Socket) -> None:
    socket.say(type="ping", payload={"n": 1})
    assert await socket.heard() == {"type": "pong", "payload": {"n": 1}}
    socket.say(type="connection_init")
    await socket.heard()
    socket.say(type="pong")
    socket.say(type="ping")
    assert await socket.heard() == {"type": "pong"}


ODD_FRAMES: list[str | bytes] = [
    "",
    "{",
    "[1]",
    "5",
    "null",
    '"text"',
    "{}",
    '{"type": 5}',
    '{"type": "start"}',
    '{"type": "connection_ack"}',
    '{"type": "ping", "payload": 5}',
    '{"type": "subscribe"}',
    '{"type": "subscribe", "id": "", "payload": {"query": "{ who }"}}',
    '{"type": "subscribe", "id": 1, "payload": {"query": "{ who }"}}',
    '{"type": "subscribe", "id": "1"}',
    '{"type": "subscribe", "id": "1", "payload": null}',
    '{"type": "subscribe", "id": "1", "payload": {}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ who }", "variables": 5}}',
    '{"type": "complete"}',
    "[" * 100_000,
    b"\x00",
]


@pytest.mark.parametrize("frame", ODD_FRAMES, ids=range(len(ODD_FRAMES)))
async def test_an_odd_frame_closes_the_connection_and_says_so(client: Socket, frame: str | bytes) -> None:
    client.say_raw(frame)
    assert await client.code() == 4400


async def test_a_frame_of_very_many_values_is_too_big(client: Socket) -> None:
    client.say_raw(f'{{"type": "ping", "payload": [{"{}," * 300_000}1]}}')
    assert await client.code() == 1009


@pytest.mark.parametrize("payload", [5, [], "Bearer ann", {"authorization": ["Bearer ann"]}])
async def test_an_odd_initialisation_closes_the_connection(socket: Socket, payload: object) -> None:
    socket.say(type="connection_init", payload=payload)
    assert await socket.code() == 4400


# Operations


async def test_a_query_has_one_answer(client: Socket) -> None:
    client.subscribe("1", "query ($v: JSON!) { who echo(value: $v) }", v=[1])
    assert await client.heard() == {"id": "1", "type": "next", "payload": {"data": {"who": "ann", "echo": [1]}}}
    assert await client.heard() == {"id": "1", "type": "complete"}


async def test_a_subscription_has_an_answer_for_each_event(client: Socket) -> None:
    client.subscribe("1", "subscription { count(to: 2) }")
    assert [await client.heard() for _ in range(3)] == [
        {"id": "1", "type": "next", "payload": {"data": {"count": "0"}}},
        {"id": "1", "type": "next", "payload": {"data": {"count": "1"}}},
        {"id": "1", "type": "complete"},
    ]


async def test_every_operation_and_every_event_has_a_context_of_its_own(client: Socket) -> None:
    numbers = []
    for id_, query in (("1", "{ context }"), ("2", "{ context }"), ("3", "subscription { contexts { context } }")):
        client.subscribe(id_, query)
        while (message := await client.heard())["type"] == "next":
            numbers.append(json.dumps(message["payload"]))
    assert len(set(numbers)) == len(numbers) == 4


@pytest.mark.parametrize("query", ["{", "{ nothing }", "query A { who } query B { who }", "query ($v: JSON!) { who }"])
async def test_what_cannot_be_executed_is_an_error_for_its_id_and_nothing_else(client: Socket, query: str) -> None:
    client.subscribe("other", "subscription { endless }")
    assert (await client.heard())["type"] == "next"
    client.subscribe("1", query)
    refused = await client.heard()
    assert (refused["id"], refused["type"]) == ("1", "error")
    assert isinstance(refused["payload"], list)
    client.subscribe("1", "{ who }")
    assert (await client.heard())["type"] == "next"


async def test_a_subscription_that_breaks_off_ends_with_a_masked_error(client: Socket) -> None:
    client.subscribe("1", "subscription { fails }")
    assert (await client.heard())["type"] == "next"
    broken = await client.heard()
    assert (broken["id"], broken["type"]) == ("1", "error")
    assert "hunter2" not in json.dumps(broken)


async def test_a_field_that_fails_is_part_of_the_answer(client: Socket) -> None:
    client.subscribe("1", "{ breaks }")
    answer = await client.heard()
    assert answer["type"] == "next"
    assert json.loads(json.dumps(answer["payload"]))["data"] is None
    assert (await client.heard())["type"] == "complete"


async def test_an_id_that_is_taken_closes_the_connection(client: Socket) -> None:
    client.subscribe("1", "subscription { endless }")
    client.subscribe("1", "{ who }")
    assert await client.code() == 4409


async def test_an_id_is_free_again_once_completed(client: Socket) -> None:
    endless.closed.clear()
    client.subscribe("1", "subscription { endless }")
    assert (await client.heard())["type"] == "next"
    client.say(id="1", type="complete")
    client.subscribe("1", "{ who }")
    assert (await client.heard())["payload"] == {"data": {"who": "ann"}}
    await asyncio.wait_for(endless.closed.wait(), 10)


async def test_completing_what_is_not_there_changes_nothing(client: Socket) -> None:
    client.say(id="9", type="complete")
    client.subscribe("1", "{ who }")
    assert (await client.heard())["type"] == "next"


async def test_more_operations_than_anybody_needs_close_the_connection(client: Socket) -> None:
    for number in range(MAX_OPERATIONS + 1):
        client.subscribe(f"{number}", "subscription { endless }")
    assert await client.code() == 4429


async def test_everything_ends_with_the_client() -> None:
    socket = Socket()
    serving = asyncio.create_task(Connection(SCHEMA, Callers(), socket).serve())
    socket.say(type="connection_init")
    for id_ in "123":
        socket.subscribe(id_, "subscription { endless }")
    for _ in range(4):
        await socket.heard()
    assert endless.open == 3
    socket.say_raw(GONE)
    await asyncio.wait_for(serving, 10)
    assert endless.open == 0


class Unread(Socket):
    """A socket whose client reads the acknowledgement, and nothing more."""

    async def send(self, text: str) -> None:
        if json.loads(text)["type"] != "connection_ack":
            await asyncio.Event().wait()
        await super().send(text)


async def test_everything_ends_when_a_client_has_long_stopped_reading() -> None:
    socket = Unread()
    connection = Connection(SCHEMA, Callers(), socket, send_seconds=0.1)
    before = asyncio.all_tasks()
    serving = asyncio.create_task(connection.serve())
    socket.say(type="connection_init")
    for id_ in "12":
        socket.subscribe(id_, "subscription { endless }")
    await asyncio.wait_for(serving, 10)
    assert endless.open == 0
    assert asyncio.all_tasks() <= before | {serving}


async def test_the_connection_ends_when_the_token_does(socket: Socket) -> None:
    socket.say(type="connection_init", payload={"authorization": "Bearer brief"})
    socket.subscribe("1", "subscription { endless }")
    assert (await socket.heard())["type"] == "connection_ack"
    assert await socket.code() == 4403


async def test_the_connection_ends_when_the_token_is_revoked() -> None:
    socket, callers = Socket(), Callers()
    serving = asyncio.create_task(Connection(SCHEMA, callers, socket, recheck_seconds=0).serve())
    socket.say(type="connection_init", payload={"authorization": "Bearer ann"})
    socket.subscribe("1", "subscription { endless }")
    assert (await socket.heard())["type"] == "connection_ack"
    assert (await socket.heard())["type"] == "next"
    callers.revoked.add("ann")
    assert await socket.code() == 4403
    await asyncio.wait_for(serving, 10)


# Over the wire


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A real server's address."""
    async with served(Endpoint(SCHEMA, Callers(), init_seconds=0.2)) as host:
        yield f"ws://{host}/graphql"


async def test_it_works_over_the_wire(address: str) -> None:
    protocols = [websockets.Subprotocol("graphql-transport-ws")]
    headers = {"Authorization": "Bearer ann"}
    async with websockets.connect(address, subprotocols=protocols, additional_headers=headers) as client:
        await client.send('{"type": "connection_init"}')
        assert await client.recv() == '{"type":"connection_ack"}'
        await client.send('{"id": "1", "type": "subscribe", "payload": {"query": "{ who }"}}')
        # A text frame: browsers' clients cannot read binary ones.
        answer = await client.recv()
        assert isinstance(answer, str)
        assert json.loads(answer)["payload"]["data"] == {"who": "ann"}
        await client.recv()
        await client.send(b"\x00")
        await client.wait_closed()
        assert client.close_code == 4400


@pytest.mark.parametrize(("protocols", "code"), [([], 4406), (["graphql-ws"], 4406), (["graphql-transport-ws"], 4408)])
async def test_the_wire_is_closed_with_a_code(address: str, protocols: list[str], code: int) -> None:
    offered = [websockets.Subprotocol(protocol) for protocol in protocols] or None
    async with websockets.connect(address, subprotocols=offered) as client:
        await client.wait_closed()
        assert client.close_code == code
