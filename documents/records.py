"""Records as the driver gives them, for hot paths that a model per record would slow down."""

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")

Record = Mapping[str, object]


def pick(record: Record, name: str, kind: type[T]) -> T | None:
    """The value of this name, if there is one of this kind."""
    value = record.get(name)
    return value if isinstance(value, kind) else None
