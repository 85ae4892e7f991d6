"""What every mutation's payload has: the faults that the caller can mend."""

from typing import Self

import strawberry

import errors
from schema.errors import UserError


@strawberry.type(description="What a mutation answers.")
class Payload:
    """The base of payloads. Its other fields default to null, so that a refusal needs nothing but the fault."""

    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="What the caller can mend; empty when all went well."
    )

    @classmethod
    def refused(cls, fault: errors.Fault, *path: str) -> Self:
        """The payload of a request that was refused; `path` says which argument the fault is in."""
        return cls(user_errors=UserError.of_all(fault.under(*path)))
