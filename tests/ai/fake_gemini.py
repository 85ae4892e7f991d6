"""A stranger that speaks Gemini's wire format on loopback, and answers what a test tells it to."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

PATH = "/v1beta/models/{model}:generateContent"


@dataclass(slots=True)
class FakeGemini:
    """Gives each request the next of its replies; `asked` has the bodies, `headers` what came with them."""

    replies: list[Callable[[], Response]]
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    hung: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def generate(self, request: Request) -> Response:
        """The one method there is."""
        self.asked.append(await request.json())
        self.headers.append(dict(request.headers))
        self.models.append(request.path_params["model"])
        if not self.replies:
            self.hung.set()
            await self.released.wait()
            return Response(status_code=503)
        return self.replies.pop(0)()

    def turns(self, number: int) -> list[tuple[str, str]]:
        """Who said what in the conversation of a request."""
        return [(turn["role"], turn["parts"][0]["text"]) for turn in self.asked[number]["contents"]]


def saying(query: str, **more: object) -> Callable[[], Response]:
    """A reply that keeps to the schema."""
    empty: dict[str, object] = {"assumptions": [], "unmatched": [], "alternatives": []}
    return text(json.dumps({"query": query, "explanation": "As asked.", **empty, **more}))


def text(words: str) -> Callable[[], Response]:
    """A reply of these words."""
    candidate = {"content": {"parts": [{"text": words}], "role": "model"}, "finishReason": "STOP", "index": 0}
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 9, "totalTokenCount": 18}
    return lambda: JSONResponse({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "fake"})


def held_back(*candidates: dict[str, object]) -> Callable[[], Response]:
    """A reply without words, as when the sentence or the answer was held to be harmful."""
    return lambda: JSONResponse(
        {"candidates": candidates, "promptFeedback": {"blockReason": "SAFETY"} if not candidates else {}}
    )


def failing(code: int, status: str) -> Callable[[], Response]:
    """An error as Google tells them."""
    return lambda: JSONResponse({"error": {"code": code, "message": "No.", "status": status}}, status_code=code)


def raw(body: bytes, code: int = 200) -> Callable[[], Response]:
    """What some proxy says."""
    return lambda: Response(body, code, media_type="application/json")


def trickling() -> Callable[[], Response]:
    """An answer that never ends, and never pauses for long enough to time out."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.1)

    return lambda: StreamingResponse(endless())


@asynccontextmanager
async def answering(*replies: Callable[[], Response]) -> AsyncIterator[tuple[FakeGemini, str]]:
    """The fake and its endpoint; after its last reply it hangs."""
    fake = FakeGemini(list(replies))
    app = Starlette(routes=[Route(PATH, fake.generate, methods=["POST"])])
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield fake, f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        fake.released.set()
        server.should_exit = True
        await asyncio.wait_for(serving, 10)
