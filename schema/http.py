"""GraphQL over HTTP, without a web framework: what a request may be, and how its answer is written.

The 2026 draft of the specification and its audit differ (294 and 422 against 200 and 400); this follows the audit.
"""

import re
import secrets
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import orjson
from bson import ObjectId
from graphql import GraphQLError

from schema import errors
from schema.execution import Answer, Request

_REQUEST_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)


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


def media_type_of(content_type: str) -> str:
    """The media type of a Content-Type header; raises HTTPFault 415 when the text is not in UTF-8."""
    media_type, *parameters = (piece.strip().lower() for piece in content_type.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            raise HTTPFault(415, "The body must be in UTF-8.")
    return media_type


def decode(body: bytes | str, what: str = "The body") -> object:
    """JSON, or HTTPFault 400."""
    try:
        decoded: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise HTTPFault(400, f"{what} is not JSON in UTF-8: {error}") from None
    return decoded


def encode(answer: Answer, request_id: str) -> bytes:
    """An answer as JSON; one that cannot be written is our bug, and told as such."""
    try:
        return orjson.dumps(answer.formatted, default=_plain)
    except TypeError as error:
        bug = GraphQLError("An answer could not be written as JSON.", original_error=error)
        return orjson.dumps(Answer(executed=True, errors=errors.told([bug], request_id)).formatted)


def _plain(value: object) -> str:
    """What a JSON scalar may hold that came from the database."""
    if isinstance(value, Decimal | ObjectId):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def request_of(parameters: object) -> Request:
    """The request that decoded parameters make; raises HTTPFault 400 when one of them has the wrong type."""
    if isinstance(parameters, list):
        raise HTTPFault(400, "Batches are not supported; send one operation a request.")
    if not isinstance(parameters, dict):
        raise HTTPFault(400, "The body must be a JSON object.")
    query, name = parameters.get("query"), parameters.get("operationName")
    variables, extensions = parameters.get("variables"), parameters.get("extensions")
    if not isinstance(query, str):
        raise HTTPFault(400, "query must be a text.")
    if name is not None and not isinstance(name, str):
        raise HTTPFault(400, "operationName must be a text.")
    if variables is not None and not isinstance(variables, dict):
        raise HTTPFault(400, "variables must be an object.")
    if extensions is not None and not isinstance(extensions, dict):
        raise HTTPFault(400, "extensions must be an object.")
    return Request(query, variables or {}, name)


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
    if headers_of(answer):
        return 429
    return 401 if _extension(answer, "code") == "UNAUTHENTICATED" else 400


def headers_of(answer: Answer) -> dict[str, str]:
    """When to try again, for an answer that says so."""
    seconds = _extension(answer, "retryAfterSeconds")
    return {} if seconds is None else {"Retry-After": str(seconds)}


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
