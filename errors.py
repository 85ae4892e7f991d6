"""What a caller can act on.

    CallerError
    ├── Unauthenticated   UNAUTHENTICATED   nobody is signed in, or the token is no good
    ├── Forbidden         FORBIDDEN         somebody is, and may not
    └── Fault                               in what was sent; told as data, beside what went well
        ├── InvalidInput  INVALID           malformed or out of range
        │   └── Required  REQUIRED
        ├── NotFound      NOT_FOUND         also for what exists and is not the caller's
        ├── Conflict      CONFLICT
        │   ├── Taken     TAKEN             a unique value that another record has
        │   └── IllegalState  ILLEGAL_STATE the record's present state does not allow it
        ├── TooLarge      TOO_LARGE
        ├── Unavailable   UNAVAILABLE       a dependency did not answer
        └── Rejected                        several faults at once

Raised anywhere, translated once, in schema/errors.py. Anything else that is raised is our own bug.
"""

from collections.abc import Iterable
from typing import Self


class CallerError(Exception):
    """Something that the caller, not we, can mend."""

    code = "INVALID"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unauthenticated(CallerError):
    """Nobody is signed in, or the token is no good."""

    code = "UNAUTHENTICATED"


class Forbidden(CallerError):
    """The viewer's role does not allow it."""

    code = "FORBIDDEN"


class Fault(CallerError):
    """A fault in what was sent. `field` is the path to it, outermost first; empty when no single field is at fault."""

    def __init__(self, message: str, field: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.field = tuple(field)

    @property
    def faults(self) -> tuple["Fault", ...]:
        """Every fault this one stands for: itself, or the several of a Rejected."""
        return (self,)

    def under(self, *path: str) -> Self:
        """The same fault seen from further out: `path` goes before its field."""
        return type(self)(self.message, (*path, *self.field))


class InvalidInput(Fault):
    """A value that is malformed or out of range."""


class Required(InvalidInput):
    """A value that is missing."""

    code = "REQUIRED"


class NotFound(Fault):
    """No such record, or none that the viewer may know of."""

    code = "NOT_FOUND"


class Conflict(Fault):
    """What was sent contradicts what is stored."""

    code = "CONFLICT"


class Taken(Conflict):
    """A unique value that another record already has."""

    code = "TAKEN"


class IllegalState(Conflict):
    """The record's present state does not allow the act."""

    code = "ILLEGAL_STATE"


class TooLarge(Fault):
    """More than is taken at once."""

    code = "TOO_LARGE"


class Unavailable(Fault):
    """A dependency (the AI provider, the vendor, the database) could not be reached."""

    code = "UNAVAILABLE"


class Rejected(Fault):
    """Several faults, found in one look, so that the caller can mend them in one go."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults = tuple(each for fault in faults for each in fault.faults)
        super().__init__("; ".join(fault.message for fault in self._faults))

    @property
    def faults(self) -> tuple[Fault, ...]:
        return self._faults

    def under(self, *path: str) -> "Rejected":
        return Rejected(fault.under(*path) for fault in self._faults)
