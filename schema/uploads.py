"""The GraphQL multipart request: an operation whose files arrive beside it, and a map that says where they belong."""

import re
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import errors
from schema import http

# A page of another site can send a form without asking first; it cannot set a header without a preflight.
PREFLIGHT_HEADERS = ("graphql-require-preflight", "apollo-require-preflight", "x-apollo-operation-name")
MAX_FILES = 20

_PLACE = re.compile("[0-9]{1,9}")  # in a list; Python reads no number of many digits


@runtime_checkable
class File(Protocol):
    """A file that was sent: in memory while it is small, else on disk."""

    filename: str | None

    async def read(self, size: int = -1) -> bytes:
        """At most so many bytes more, and none at the end."""


def sent_file(value: object) -> File:
    """The file that an Upload variable holds; raises InvalidInput when it holds something else."""
    if not isinstance(value, File):
        raise errors.InvalidInput("This must be a file, sent as a part of a multipart request.")
    return value


def placed(operations: str, map_: str, files: Mapping[str, object]) -> object:
    """The operation with each file where the map says; raises HTTPFault 400 when the parts do not fit together."""
    root = http.decode(operations, "operations")
    places = http.decode(map_, "map")
    if not isinstance(places, dict):
        raise http.HTTPFault(400, "map must be an object.")
    for name, paths in places.items():
        if name not in files:
            raise http.HTTPFault(400, f"The file {name!r} of the map is missing.")
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise http.HTTPFault(400, "map must hold a list of paths for each file.")
        for path in paths:
            _place(root, path, files[name])
    return root


def _place(root: object, path: str, file: object) -> None:
    *way, last = path.split(".")
    parent = root
    for step in way:
        parent = _child(parent, step, path)
    if _child(parent, last, path) is not None:
        raise http.HTTPFault(400, f"There must be a null at {path!r}, where a file belongs.")
    if isinstance(parent, dict):
        parent[last] = file
    elif isinstance(parent, list):
        parent[int(last)] = file


def _child(parent: object, step: str, path: str) -> object:
    if isinstance(parent, dict) and step in parent:
        child: object = parent[step]
        return child
    if isinstance(parent, list) and _PLACE.fullmatch(step) and int(step) < len(parent):
        item: object = parent[int(step)]
        return item
    raise http.HTTPFault(400, f"There is no {path!r} in operations.")
