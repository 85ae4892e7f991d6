"""A small client of the public API: queries and mutations by HTTP, subscriptions by graphql-transport-ws."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import httpx
from websockets.asyncio.client import connect

JsonObject = dict[str, object]


class ApiError(Exception):
    """The API refused something that the demo needs."""


@dataclass(frozen=True, slots=True)
class Api:
    """The API at a base URL, as whoever has signed in."""

    url: str
    token: str | None
    http: httpx.AsyncClient

    async def ask(self, document: str, **variables: object) -> JsonObject:
        """The one root field of the answer. Raises ApiError for errors, those that are told as data included."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        body = {"query": document, "variables": variables}
        response = await self.http.post(f"{self.url}/graphql", json=body, headers=headers)
        answer: JsonObject = response.json()
        return _root_field(answer)

    async def watch(self, document: str, **variables: object) -> AsyncIterator[JsonObject]:
        """The one root field of each event, until the subscription completes."""
        address = f"{self.url.replace('http', 'ws', 1)}/graphql"
        async with connect(address, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]  # a NewType of str
            await socket.send(_frame("connection_init", payload={"authorization": f"Bearer {self.token}"}))
            await socket.recv()
            await socket.send(_frame("subscribe", id="1", payload={"query": document, "variables": variables}))
            async for text in socket:
                frame = json.loads(text)
                match frame["type"]:
                    case "next":
                        yield _root_field(frame["payload"])
                    case "error":
                        raise ApiError(frame["payload"][0]["message"])
                    case "complete":
                        return
                    case "ping":
                        await socket.send(_frame("pong"))


def _frame(kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, **fields})


def _root_field(answer: Mapping[str, object]) -> JsonObject:
    match answer:
        case {"errors": [{"message": message}, *_]}:
            raise ApiError(str(message))
        case {"data": {**fields}}:
            (value,) = fields.values()
            match value:
                case {"userErrors": [{"message": message}, *_]}:
                    raise ApiError(str(message))
                case dict():
                    return value
    raise ApiError(f"not an answer: {answer}")
