"""GraphQL over HTTP, without a web framework: what a request may be, and how its answer is written.

The 2026 draft of the specification and its audit differ (294 and 422 against 200 and 400); this follows the audit.
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

import orjson

from schema import errors
from schema.operations import Answer, Request, encode

_REQUEST_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
_KEY = re.compile("[!-~]{1,255}")

# Each value takes memory and time before it is known whether anybody wants it: 16 MiB of empty objects took 400 MB and
# more than a minute. 10,000 customers with 100 tags each weigh 1.4 million, 10,000 orders with 15 items each 2 million.
MAX_WEIGHT = 2_000_000
WEIGHT_OF_OBJECT = 8  # an empty one takes 15 µs to be read as an input, a text in a list 0.5 µs

# Of the values of a header that clients send, nearly all are those of a few clients.
CACHED_HEADERS = 100

T = TypeVar("T")

# Of answers without data; others are 400.
STATUSES = {
    "UNAUTHENTICATED": 401,
    errors.KEY_REUSED: 422,
    errors.IN_PROGRESS: 409,
    errors.OUTCOME_UNKNOWN: 409,
    errors.ANSWER_NOT_KEPT: 409,
    errors.UNAVAILABLE: 503,
}


class Media(StrEnum):
    """What an answer can be written as, the one we prefer first."""

    JSON = "application/json"
    RESPONSE = "application/graphql-response+json"
    EVENTS = "text/event-stream"


class HTTPFault(Exception):
    """A request that is no GraphQL request at all."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})

    def answer(self, request_id: str) -> Answer:
        """The same, as clients of GraphQL look for it."""
        code = "TOO_LARGE" if self.status == 413 else "BAD_REQUEST"
        return Answer(executed=False, errors=errors.told([errors.coded(code, self.message)], request_id))


@lru_cache(CACHED_HEADERS)
def negotiate(accept: str) -> Media:
    """The media type to answer in, for the value of an Accept header; raises HTTPFault 406 when there is none."""
    if not accept.strip():
        return Media.JSON
    best: tuple[float, Media] | None = None
    for part in accept.split(","):
        range_, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = _quality(parameters)
        media = next((media for media in Media if _covers(range_, media)), None)
        if media and quality > 0 and (best is None or quality > best[0]):
            best = quality, media
    if best is None:
        raise HTTPFault(406, f"This endpoint answers in {', '.join(Media)}.")
    return best[1]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0


def _covers(range_: str, media: Media) -> bool:
    return range_ in (media, "*/*", f"{media.partition('/')[0]}/*")


@lru_cache(CACHED_HEADERS)
def media_type_of(content_type: str) -> str:
    """The media type of a Content-Type header; raises HTTPFault 415 when the text is not in UTF-8."""
    media_type, *parameters = (piece.strip().lower() for piece in content_type.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            raise HTTPFault(415, "The body must be in UTF-8.")
    return media_type


def refuse_coding(content_encoding: str) -> None:
    """Raise HTTPFault 415 for a body that is packed."""
    if content_encoding.strip().lower() not in ("", "identity"):
        raise HTTPFault(
            415, "The body must be sent as it is, without a Content-Encoding.", {"Accept-Encoding": "identity"}
        )


def decode(body: bytes | str, what: str = "The body") -> object:
    """JSON, or HTTPFault 400; 413 for more values than anything takes."""
    if len(body) * WEIGHT_OF_OBJECT > MAX_WEIGHT and _weight(body) > MAX_WEIGHT:
        most = f"{MAX_WEIGHT:,}, of which an object counts for {WEIGHT_OF_OBJECT}"
        raise HTTPFault(413, f"{what} has more values than are taken at once: {most}.")
    try:
        decoded: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise HTTPFault(400, f"{what} is not JSON in UTF-8: {error}") from None
    return decoded


def _weight(body: bytes | str) -> int:
    """About how many values there are; signs within texts are counted too, which is far quicker than to tell them."""
    if isinstance(body, str):
        return body.count(",") + body.count("[") + body.count("{") * WEIGHT_OF_OBJECT
    return body.count(b",") + body.count(b"[") + body.count(b"{") * WEIGHT_OF_OBJECT


def request_of(parameters: object, key: str | None = None) -> Request:
    """The request that decoded parameters make, with the key of an Idempotency-Key header if there is one.

    Raises HTTPFault 400 when one of them has the wrong type.
    """
    if isinstance(parameters, list):
        raise HTTPFault(400, "Batches are not supported; send one operation a request.")
    if not isinstance(parameters, dict):
        raise HTTPFault(400, "The body must be a JSON object.")
    query = parameters.get("query")
    if not isinstance(query, str):
        raise HTTPFault(400, "query must be a text.")
    extensions = _optional(parameters, "extensions", dict) or {}
    return Request(
        query,
        _optional(parameters, "variables", dict) or {},
        _optional(parameters, "operationName", str),
        _key([key, _optional(extensions, "idempotencyKey", str)]),
    )


def _optional(parameters: Mapping[str, object], name: str, kind: type[T]) -> T | None:
    value = parameters.get(name)
    if value is None or isinstance(value, kind):
        return value
    raise HTTPFault(400, f"{name} must be {'a text' if kind is str else 'an object'}.")


def _key(sent: Iterable[str | None]) -> str | None:
    # As a structured header (RFC 8941) it is in quotes, as most clients send it, it is not.
    keys = {key.strip().strip('"') for key in sent if key is not None}
    if len(keys) > 1:
        raise HTTPFault(400, "The Idempotency-Key is not the one in extensions.idempotencyKey.")
    if not all(_KEY.fullmatch(key) for key in keys):
        raise HTTPFault(400, "An idempotency key has 1 to 255 visible characters of ASCII.")
    return next(iter(keys), None)


def query_parameters(parameters: Mapping[str, str]) -> dict[str, object]:
    """The parameters of a GET request, the JSON among them decoded."""
    decoded: dict[str, object] = {name: parameters[name] for name in ("query", "operationName") if name in parameters}
    for name in ("variables", "extensions"):
        if parameters.get(name):
            decoded[name] = decode(parameters[name], name)
    return decoded


def status_of(answer: Answer, media: Media) -> int:
    """The status of an answer to a well-formed request.

    In application/json it is always 200: old clients take anything else for a fault of the network, and never look
    at the errors.
    """
    if answer.executed or media is not Media.RESPONSE:
        return 200
    code = _extension(answer, "code")
    if code == errors.LIMIT_EXCEEDED and _extension(answer, "retryAfterSeconds"):
        return 429
    return STATUSES.get(str(code), 400)


def headers_of(answer: Answer, status: int) -> dict[str, str]:
    """When to try again, for an answer that says so, whether it is the answer to an earlier request, and how to say
    who is asking where that is missing."""
    seconds = _extension(answer, "retryAfterSeconds")
    return {
        **({} if seconds is None else {"Retry-After": str(seconds)}),
        **({"Idempotent-Replayed": "true"} if answer.is_repeated else {}),
        **({"WWW-Authenticate": "Bearer"} if status == 401 else {}),
    }


def _extension(answer: Answer, name: str) -> object:
    return next(
        (error.extensions[name] for error in answer.errors if error.extensions and name in error.extensions), None
    )


def request_id_of(header: str | None) -> str:
    """The id that a client gave its request, when it is fit for a log; otherwise a new one."""
    return header if header and _REQUEST_ID.fullmatch(header) else secrets.token_hex(8)


def event(answer: Answer, request_id: str) -> bytes:
    """An answer in an event stream."""
    return b"event: next\ndata: " + encode(answer, request_id) + b"\n\n"


COMPLETE = b"event: complete\ndata:\n\n"
PING = b":\n\n"
