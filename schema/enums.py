"""Enums of documents/, published with a description for each value."""

from enum import StrEnum

import strawberry
from strawberry.types.enum import has_enum_definition


def publish(enum: type[StrEnum], description: str, *, name: str | None = None, **values: str) -> None:
    """Register an enum with the schema, under its own name or this one; `values` describes each value, by name."""
    published = strawberry.enum(enum, name=name, description=description)
    if not has_enum_definition(published) or set(values) != {value.name for value in enum}:
        raise TypeError(f"{enum.__name__}: every value is described, and nothing else")
    for value in published.__strawberry_definition__.values:
        value.description = values[value.name]
