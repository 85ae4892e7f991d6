"""Transactions that may be too large or come at a bad time: then nothing of them was done, and that is what is said."""

from collections.abc import Iterator
from contextlib import contextmanager

import pymongo
from pymongo.errors import PyMongoError

import errors

SECONDS = 25  # a mutation has 30
EXCEEDED_LIFETIME = 290  # the server's code: it gives the embedded one's transactions 15 s


@contextmanager
def in_time() -> Iterator[None]:
    """Raises Unavailable when a transaction takes too long, for us or for MongoDB."""
    try:
        with pymongo.timeout(SECONDS):
            yield
    except PyMongoError as error:
        if error.timeout or getattr(error, "code", None) == EXCEEDED_LIFETIME:
            raise errors.Unavailable("The database was too busy, and nothing was done: try again.") from error
        raise
