"""Live through real processes: two servers tell the same, and who does not read holds up nobody but himself."""

import asyncio
import json
import socket

from websockets.asyncio.client import ClientConnection, connect

from demo.api import Api
from tests.end_to_end import campaigns
from tests.product import Product

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
