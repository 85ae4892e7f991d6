"""Many who watch one campaign: each is told what they would be told alone, and nothing is left of them."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from functools import partial

import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from documents import Campaign, Message
from schema import schema
from schema.context import Context
from schema.endpoint import Endpoint
from schema.operations import Answer, Request, encode
from tests.api.conftest import Api
from tests.api.small import served
from tests.api.test_campaigns import live
from tests.commands import Commands
from tests.delivery.conftest import messages_of, sent

__all__ = ["live"]

PROGRESS = "subscription ($id: ID!) { campaignProgress(campaignId: $id) { %s } }"
UPDATES = "subscription ($id: ID!) { deliveryUpdates(campaignId: $id, status: [FAILED]) { %s } }"
SELECTIONS = [
    PROGRESS % "campaign { name } status at messagesPerSecond etaSeconds stats { audience sent deliveryRate }",
    PROGRESS % "campaign { name variants { name body } segment { name } createdBy { id } stats { sent } }",
    PROGRESS % "at campaign { name }",
    UPDATES % "id status campaign { name } body recipient",
    UPDATES % "id customer { name } campaign { name } receipts { status }",
]


class Alone(Context):
    """A context of somebody whose rights nobody shares."""

    @property
    def rights(self) -> None:
        return None


async def fail(*messages: Message) -> None:
    ids = [message.id for message in messages]
    await Message.get_pymongo_collection().update_many({"_id": {"$in": ids}}, {"$set": {"status": "FAILED"}})


async def rename(campaign: Campaign) -> None:
    await Campaign.get_pymongo_collection().update_one({"_id": campaign.id}, {"$set": {"name": "renamed"}})


async def until_renamed(answers: AsyncGenerator[Answer, None]) -> bytes:
    """The text of the first answer with the campaign's new name."""
    async for answer in answers:
        assert not answer.errors
        if b'"renamed"' in (text := encode(answer, "")):
            return text
    raise AssertionError("it ended before")


@pytest.mark.parametrize("query", SELECTIONS, ids=range(len(SELECTIONS)))
async def test_who_shares_an_answer_is_told_what_they_would_be_told_alone(live: Api, query: str) -> None:
    campaign = await sent(audience=3)
    first, *others = await messages_of(campaign)
    await fail(first)
    viewer = await live.contexts.authenticate(f"Bearer {live.token}")
    operation = schema.prepare(Request(query, {"id": str(campaign.id)}))
    contexts = [Context] * 20 + [Alone] * 2
    subscribed = [schema.performed(operation, partial(each, viewer, live.contexts.services)) for each in contexts]
    async with AsyncExitStack() as stack, asyncio.timeout(20):
        for each in subscribed:
            await stack.enter_async_context(aclosing(each))
        await asyncio.gather(*(anext(each) for each in subscribed))
        await rename(campaign)
        texts, _ = await asyncio.gather(asyncio.gather(*map(until_renamed, subscribed)), fail(*others))
    assert Counter(texts) == {texts[0]: len(texts)}


async def subscriber(host: str, token: str | None, campaign: Campaign) -> ClientConnection:
    """A socket that has heard of a campaign's present state."""
    protocols = [websockets.Subprotocol("graphql-transport-ws")]
    headers = {"Authorization": f"Bearer {token}"}
    socket = await websockets.connect(f"ws://{host}/graphql", subprotocols=protocols, additional_headers=headers)
    await socket.send('{"type": "connection_init"}')
    assert await socket.recv() == '{"type":"connection_ack"}'
    payload = {"query": SELECTIONS[0], "variables": {"id": str(campaign.id)}}
    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
    assert json.loads(await socket.recv())["type"] == "next"
    return socket


async def hears_the_name(socket: ClientConnection) -> str:
    while '"renamed"' not in (frame := str(await socket.recv())):
        pass
    return frame


async def test_fifty_sockets_hear_the_same_at_the_price_of_one(live: Api, commands: Commands) -> None:
    campaign = await sent(audience=3)
    async with served(Endpoint(schema, live.contexts)) as host, asyncio.timeout(20):
        sockets = [await subscriber(host, live.token, campaign) for _ in range(50)]
        commands.names.clear()
        frames, _ = await asyncio.gather(
            asyncio.gather(*(hears_the_name(socket) for socket in sockets)), rename(campaign)
        )
        assert len(set(frames)) == 1
        assert len(commands.names) < 20, commands.names
        for socket in sockets:
            await socket.close()


async def test_sockets_that_are_cut_off_leave_no_task(live: Api) -> None:
    campaign = await sent(audience=3)
    async with served(Endpoint(schema, live.contexts)) as host, asyncio.timeout(20):
        before = asyncio.all_tasks()
        sockets = [await subscriber(host, live.token, campaign) for _ in range(30)]
        for socket in sockets:
            socket.transport.abort()
        while left := asyncio.all_tasks() - before:
            await asyncio.wait(left)


async def test_who_reads_messages_of_one_campaign_hears_of_no_other(live: Api) -> None:
    one, other = await sent(audience=2), await sent(audience=0)
    viewer = await live.contexts.authenticate(f"Bearer {live.token}")
    query = "subscription ($id: ID!) { deliveryUpdates(campaignId: $id) { id } }"
    told = []
    for campaign in (one, other):
        operation = schema.prepare(Request(query, {"id": str(campaign.id)}))
        async with aclosing(schema.performed(operation, lambda: Context(viewer, live.contexts.services))) as answers:
            data = (await anext(answers)).data
        assert data
        told.append({message["id"] for message in data["deliveryUpdates"]})  # type: ignore[attr-defined]
    assert told == [{message.id for message in await messages_of(campaign)} for campaign in (one, other)]
