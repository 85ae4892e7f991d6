"""A client of the API without the wire: what HTTP adds has tests of its own."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from beanie import PydanticObjectId
from pymongo.asynchronous.database import AsyncDatabase
from starlette.applications import Starlette
from starlette.routing import Route

import auth
import errors
import resolvers.users
from auth import Viewer
from delivery import Setup
from delivery.live import Feed
from documents import Role
from ingestion import Policy
from resolvers.sessions import Sessions
from resolvers.users import Registration
from schema import schema
from schema.context import ContextFactory, Services
from schema.endpoint import Endpoint
from schema.operations import Request
from tests.delivery.conftest import everyone


@dataclass(frozen=True, slots=True)
class Api:
    """The API, as whoever holds the token."""

    contexts: ContextFactory
    token: str | None = None

    def signed_in_as(self, token: str) -> "Api":
        """The same API for another."""
        return replace(self, token=token)

    async def answer(self, document: str, **variables: object) -> Mapping[str, Any]:
        """The whole answer, as a client gets it."""
        try:
            viewer = await self.contexts.authenticate(f"Bearer {self.token}" if self.token else None)
        except errors.Unauthenticated as error:
            return {"errors": [{"message": error.message, "extensions": {"code": error.code}}]}
        return (await schema.answer(Request(document, variables), self.contexts.open(viewer))).formatted

    async def ask(self, document: str, **variables: object) -> Any:
        """The value of the one root field; the test fails when there are errors."""
        answer = await self.answer(document, **variables)
        assert "errors" not in answer, answer["errors"]
        (value,) = answer["data"].values()
        return value

    async def refusal(self, document: str, **variables: object) -> str:
        """The code of the first error; the test fails when there is none."""
        answer = await self.answer(document, **variables)
        assert answer.get("errors"), answer
        code: str = answer["errors"][0]["extensions"]["code"]
        return code


@pytest.fixture
def services() -> Services:
    """What a server would have composed."""
    tokens = auth.Tokens("a secret of the tests, 32 bytes long", timedelta(minutes=60), timedelta(days=30))
    return Services(
        sessions=Sessions(tokens),
        registration=Registration.FIRST,
        policy=Policy(max_batch=1_000),
        delivery=Setup(),
        walk=everyone,
        feed=Feed(),
    )


@pytest.fixture
def api(database: AsyncDatabase[dict[str, object]], services: Services) -> Api:
    """The API as nobody yet, on an empty database."""
    return Api(ContextFactory(services))


@pytest_asyncio.fixture
async def marketer(api: Api) -> Api:
    """The API as somebody who reads and writes, by an API key: a password would take 50 ms to hash."""
    administrator = Viewer(PydanticObjectId(), Role.ADMIN)
    return api.signed_in_as((await resolvers.users.create_api_key(administrator, "tests", Role.MARKETER)).secret)


@pytest_asyncio.fixture
async def http(marketer: Api) -> AsyncIterator[httpx.AsyncClient]:
    """The API over HTTP, as a marketer who may send files."""
    app = Starlette(routes=[Route("/graphql", Endpoint(schema, marketer.contexts))])
    headers = {"Authorization": f"Bearer {marketer.token}", "GraphQL-Require-Preflight": "1"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://engine", headers=headers) as client:
        yield client
