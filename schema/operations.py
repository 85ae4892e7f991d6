"""What a client asks, what is made of it, and what it gets back, whatever either travels over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import orjson
from bson import Decimal128, ObjectId
from graphql import GraphQLError, OperationDefinitionNode, OperationType
from graphql.execution.values import VariableValues

import metrics
from schema import errors
from schema.reading import Document, Refused


@dataclass(frozen=True, slots=True)
class Request:
    """One operation, as a client asks for it; under its `key`, a mutation is carried out once.

    `has_files` says that files came beside it, which take their time to be kept.
    """

    query: str
    variables: Mapping[str, object] = field(default_factory=dict)
    operation_name: str | None = None
    key: str | None = None
    has_files: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """A request that may be executed."""

    request: Request
    document: Document
    node: OperationDefinitionNode
    variables: VariableValues
    cost: int
    request_id: str

    @property
    def kind(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.node.operation


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client gets. `data` is left out of it when nothing was executed.

    `text` is how it is written, where that is known already. One that repeats an earlier answer has nothing else.
    """

    executed: bool
    data: Mapping[str, object] | None = None
    errors: Sequence[GraphQLError] = ()
    extensions: Mapping[str, object] = field(default_factory=dict)
    text: bytes | None = None
    is_repeated: bool = False

    @property
    def code(self) -> str:
        """The code of the first error, or OK."""
        return str((self.errors[0].extensions or {}).get("code")) if self.errors else "OK"

    @property
    def formatted(self) -> dict[str, object]:
        """The answer as a JSON object of the GraphQL specification."""
        return {
            **({"errors": [error.formatted for error in self.errors]} if self.errors else {}),
            **({"data": self.data} if self.executed else {}),
            **({"extensions": self.extensions} if self.extensions else {}),
        }


def refusal(refused: Refused, request_id: str) -> Answer:
    """The answer to a request that is not executed."""
    answer = Answer(executed=False, errors=errors.told(refused.found, request_id, refused.code))
    metrics.REQUESTS.labels("refused", answer.code).inc()
    return answer


def encode(answer: Answer, request_id: str) -> bytes:
    """An answer as JSON; one that cannot be written is our bug, and told as such."""
    try:
        return text_of(answer)
    except TypeError as error:
        bug = GraphQLError("An answer could not be written as JSON.", original_error=error)
        return orjson.dumps(Answer(executed=True, errors=errors.told([bug], request_id)).formatted)


def text_of(answer: Answer) -> bytes:
    """An answer as JSON; raises TypeError for one that cannot be written."""
    return orjson.dumps(answer.formatted, default=_plain) if answer.text is None else answer.text


def _plain(value: object) -> str:
    """What a JSON scalar may hold that came from the database."""
    if isinstance(value, Decimal | Decimal128 | ObjectId):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
