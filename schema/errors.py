"""How faults are told: as data beside what went well (`UserError`), or as the errors of a whole answer (`told`)."""

import logging
import secrets
from collections.abc import Iterable, Mapping
from enum import Enum

import strawberry
from graphql import GraphQLError

import errors

log = logging.getLogger(__name__)

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"
LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
TIMEOUT = "TIMEOUT"
INTERNAL = "INTERNAL"
UNAVAILABLE = "UNAVAILABLE"
# What is wrong with the key, or the repetition, of a mutation; see schema/idempotency.py.
KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
IN_PROGRESS = "IDEMPOTENCY_IN_PROGRESS"
OUTCOME_UNKNOWN = "IDEMPOTENCY_OUTCOME_UNKNOWN"
ANSWER_NOT_KEPT = "IDEMPOTENCY_ANSWER_NOT_KEPT"

MASK = "Something went wrong on our side."


@strawberry.enum(description="What kind of fault it is, for programs.")
class UserErrorCode(Enum):
    """The codes of errors.Fault, as the API publishes them."""

    INVALID = strawberry.enum_value("INVALID", description="Malformed or out of range.")
    REQUIRED = strawberry.enum_value("REQUIRED", description="Missing.")
    TAKEN = strawberry.enum_value("TAKEN", description="A unique value that another record already has.")
    NOT_FOUND = strawberry.enum_value("NOT_FOUND", description="No such record.")
    CONFLICT = strawberry.enum_value(
        "CONFLICT", description="Contradicts what is stored, e.g. keys that point at two different customers."
    )
    ILLEGAL_STATE = strawberry.enum_value(
        "ILLEGAL_STATE", description="The record's present state does not allow it, e.g. launching a running campaign."
    )
    TOO_LARGE = strawberry.enum_value("TOO_LARGE", description="More than is taken at once.")
    UNAVAILABLE = strawberry.enum_value(
        "UNAVAILABLE", description="Something we depend on could not be reached; try again later."
    )


@strawberry.type(
    description="A fault in what the caller sent. "
    "Faults of authority or of the request itself are top-level errors with extensions.code."
)
class UserError:
    """One fault that the caller can mend."""

    field: list[str] | None = strawberry.field(
        description='Where in the arguments, e.g. ["input", "3", "phone"]; null when no single field is at fault.'
    )
    code: UserErrorCode = strawberry.field(description="What kind of fault it is, for programs.")
    message: str = strawberry.field(description="What is wrong, in words, for people.")

    @classmethod
    def of(cls, fault: errors.Fault) -> "UserError":
        """This one fault, as data."""
        return cls(field=list(fault.field) or None, code=UserErrorCode(fault.code), message=fault.message)

    @classmethod
    def of_all(cls, fault: errors.Fault) -> "list[UserError]":
        """Every fault that this one stands for, as data."""
        return [cls.of(each) for each in fault.faults]


def coded(code: str, message: str, **extensions: object) -> GraphQLError:
    """An error of the request itself."""
    return GraphQLError(message, extensions={"code": code, **extensions})


def told(found: Iterable[GraphQLError], request_id: str, unclassified: str = INTERNAL) -> list[GraphQLError]:
    """The errors as a client may see them, each with a code and the request's id.

    What is nobody's business is masked, and logged with the id that the client gets. `unclassified` is the code of
    graphql-core's own errors, which depends on the step that met them; INTERNAL means that they are our bug.
    """
    ids: dict[object, str] = {}
    return [_told(error, request_id, unclassified, ids) for error in found]


def _told(error: GraphQLError, request_id: str, unclassified: str, ids: dict[object, str]) -> GraphQLError:
    cause = _cause(error)
    match cause:
        case errors.CallerError():
            return _shown(error, cause.message, {"code": cause.code, **_details(cause)}, request_id)
        case GraphQLError() if "code" in (cause.extensions or {}):
            return _shown(error, cause.message, cause.extensions or {}, request_id)
        case GraphQLError() if unclassified != INTERNAL:
            # The outer message has in which variable it was, and where in it.
            return _shown(error, error.message, {"code": unclassified}, request_id)
        case GraphQLError() if _is_about_an_argument(cause):
            return _shown(error, cause.message, {"code": BAD_USER_INPUT}, request_id)
        case _:
            return _masked(error, cause, request_id, ids)


def _cause(error: GraphQLError) -> BaseException:
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _details(fault: errors.CallerError) -> dict[str, object]:
    if not isinstance(fault, errors.Fault):
        return {}
    if len(fault.faults) > 1:
        return {
            "faults": [
                {"field": list(each.field) or None, "code": each.code, "message": each.message} for each in fault.faults
            ]
        }
    return {"field": list(fault.field)} if fault.field else {}


def _is_about_an_argument(error: GraphQLError) -> bool:
    # Execution checks arguments once more, for variables that validation could not see; nothing but the text tells
    # that error from graphql-core's complaints about what our resolvers return.
    return error.message.startswith("Argument ")


def _masked(error: GraphQLError, cause: BaseException, request_id: str, ids: dict[object, str]) -> GraphQLError:
    # One bug met in every row of a list is one line in the log.
    place = (type(cause), *(step for step in error.path or () if isinstance(step, str)))
    if place not in ids:
        ids[place] = secrets.token_hex(8)
        log.error("internal error %s in request %s at %s", ids[place], request_id, error.path, exc_info=cause)
    return _shown(error, MASK, {"code": INTERNAL, "id": ids[place]}, request_id)


def _shown(error: GraphQLError, message: str, extensions: Mapping[str, object], request_id: str) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={**extensions, "requestId": request_id},
    )
