"""Filters of MongoDB, and how they go together."""

from collections.abc import Sequence

Filter = dict[str, object]
Stage = dict[str, object]

NOBODY: Filter = {"$nor": [{}]}


def all_of(filters: Sequence[Filter]) -> Filter:
    """The filter of what passes all of these."""
    narrowing = [one for one in filters if one]
    return narrowing[0] if len(narrowing) == 1 else {"$and": narrowing} if narrowing else {}


def any_of(filters: Sequence[Filter]) -> Filter:
    """The filter of what passes at least one of these."""
    return filters[0] if len(filters) == 1 else {"$or": list(filters)} if filters else NOBODY


def none_of(filter_: Filter) -> Filter:
    """The filter of what does not pass this one."""
    return {"$nor": [filter_]}
