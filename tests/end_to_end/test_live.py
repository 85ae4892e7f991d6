"""Live through real processes: two servers tell the same, and who does not read holds up nobody but himself."""

import asyncio
import json
import secrets
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

import auth
import documents
from demo.api import Api
from tests.end_to_end import campaigns
from tests.product import Product, running

AUDIENCE = 2000
SUBSCRIPTIONS = 50  # of one who reads none of them: more than the buffers of the sockets hold
UPDATES = """subscription ($id: ID!) {
  deliveryUpdates(campaignId: $id) { id status body recipient vendorMessageId sentAt deliveredAt failedAt }
}"""


async def unread(product: Product, api: Api, campaign: str) -> ClientConnection:
    """A client that subscribes to every message, many times, and reads nothing after that."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", product.port))
    address = f"ws://127.0.0.1:{product.port}/graphql"
    client = await connect(address, sock=narrow, subprotocols=["graphql-transport-ws"], max_queue=1)  # type: ignore[list-item]
    await client.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {api.token}"}}))
    assert json.loads(await client.recv())["type"] == "connection_ack"
    payload = {"query": UPDATES, "variables": {"id": campaign}}
    for number in range(SUBSCRIPTIONS):
        await client.send(json.dumps({"id": str(number), "type": "subscribe", "payload": payload}))
    return client


async def final(api: Api, campaign: str) -> object:
    """The last event of the campaign's progress."""
    return [event async for event in api.watch(campaigns.PROGRESS, id=campaign)][-1]


async def test_two_servers_tell_the_same_beside_one_who_does_not_read(product: Product) -> None:
    here = await product.sign_up()
    there = Api(await product.start_second_server(), here.token, product.http)
    await campaigns.people(here, AUDIENCE)
    campaign = await campaigns.launch(here, ratePerSecond=500)
    stuck = await unread(product, here, campaign)
    await product.until_figure(product.url, "crm_subscriptions_open", lambda count: count == SUBSCRIPTIONS)
    one, other = await asyncio.gather(final(here, campaign), final(there, campaign))
    assert one == other
    await campaigns.assert_nothing_lost_or_repeated(product, here, campaign, AUDIENCE)
    assert await product.figure(product.url, "crm_websockets_open") == 1
    stuck.transport.abort()
    await product.until_figure(product.url, "crm_websockets_open", lambda count: count == 0)
    await product.until_figure(product.url, "crm_subscriptions_open", lambda count: count == 0)


def briefly(secret: str, api: Api) -> Api:
    """The API as the same user, with a token that ends in three seconds at most."""
    tokens = auth.Tokens(secret, timedelta(seconds=3), timedelta(days=1))
    claims = tokens.read_access(str(api.token))
    token, _ = tokens.access(claims.user_id, claims.session_id, documents.now())
    return Api(api.url, token, api.http)


async def test_a_token_that_ends_closes_its_socket_and_no_other(tmp_path: Path) -> None:
    secret = secrets.token_hex(32)
    async with running(tmp_path, JWT_SECRET=secret) as product:
        api = await product.sign_up()
        await campaigns.people(api, 5)
        campaign = await campaigns.launch(api, ratePerSecond=1)
        watching, ending = (each.watch(campaigns.PROGRESS, id=campaign) for each in (api, briefly(secret, api)))
        for each in (watching, ending):
            assert (await anext(each))["status"] != "COMPLETED"
        with pytest.raises(ConnectionClosedError) as closed:
            async for _ in ending:
                pass
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 4403
        assert [event async for event in watching][-1]["status"] == "COMPLETED"
        await product.until_figure(product.url, "crm_subscriptions_open", lambda count: count == 0)
