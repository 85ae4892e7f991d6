"""The vendor's API over HTTP."""

import time

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from vendor_sim.faults import Fault
from vendor_sim.settings import Settings
from vendor_sim.vendor import Vendor

BASE = "/api/vendor"
MAX_MESSAGES = 1000
RETRY_AFTER_SECONDS = 1


def create(settings: Settings, vendor: Vendor) -> Starlette:
    """The ASGI application of a vendor; who runs it also runs `vendor.run()`."""

    async def post_messages(request: Request) -> Response:
        if settings.api_key and request.headers.get("authorization") != f"Bearer {settings.api_key}":
            return _error(401, "a key is needed")
        fault = vendor.faults.of_call(time.monotonic())
        if fault is Fault.OUTAGE:
            return _error(503, "down on purpose")
        if fault is Fault.THROTTLED:
            return _error(429, "too many calls", {"retry-after": str(RETRY_AFTER_SECONDS)})
        if fault is Fault.ERROR:
            return _error(500, "broken on purpose")
        answer = _take(vendor, await request.body())
        return _CutOff() if fault is Fault.DROPPED else answer

    async def get_message(request: Request) -> Response:
        held = vendor.message(request.path_params["id"])
        return _json(held) if held else _error(404, "no such message")

    async def get_messages(request: Request) -> Response:
        skip = request.query_params.get("skip", "0")
        if not skip.isdecimal():
            return _error(400, "skip is a number")
        return _json({"messages": vendor.listed(int(skip), MAX_MESSAGES)})

    async def get_stats(request: Request) -> Response:
        return _json(vendor.stats())

    async def post_outage(request: Request) -> Response:
        seconds = request.query_params.get("seconds", "")
        if not seconds.isdecimal():
            return _error(400, "seconds is a number")
        vendor.faults.go_down(until=time.monotonic() + int(seconds))
        return _json({"outageSeconds": int(seconds)})

    return Starlette(
        routes=[
            Route(f"{BASE}/messages", post_messages, methods=["POST"]),
            Route(f"{BASE}/messages", get_messages),
            Route(f"{BASE}/messages/{{id}}", get_message),
            Route(f"{BASE}/stats", get_stats),
            Route(f"{BASE}/outage", post_outage, methods=["POST"]),
        ]
    )


def _take(vendor: Vendor, body: bytes) -> Response:
    try:
        sent = orjson.loads(body)
        callback_url, messages = str(sent["callbackUrl"]), sent["messages"]
        well_formed = isinstance(messages, list) and all(_is_message(message) for message in messages)
    except (orjson.JSONDecodeError, TypeError, KeyError):
        return _error(400, "not a call of this API")
    if not well_formed:
        return _error(400, "a message is an object of strings with a messageId")
    if len(messages) > MAX_MESSAGES:
        return _error(413, f"at most {MAX_MESSAGES} messages a call")
    return _json(vendor.take(callback_url, messages), 202)


def _is_message(message: object) -> bool:
    return (
        isinstance(message, dict)
        and isinstance(message.get("messageId"), str)
        and all(value is None or isinstance(value, str) for value in message.values())
    )


def _json(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return _json({"error": message}, status, headers)


class _CutOff(Response):
    """Promises a body and ends: the server closes the connection, and the caller never learns what was accepted."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1000000"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
