"""How exact decimals and instants are written, wherever they are sent: in the API's scalars, in the cells of files."""

import re
from datetime import UTC, datetime
from decimal import Decimal

# What a Decimal128 holds without rounding; it also keeps "1e999999" from being written out in full.
DECIMAL_DIGITS = 34

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)


def instant_of(sent: object) -> datetime | None:
    """The UTC instant that an RFC 3339 text with offset names, to the millisecond; None for anything else."""
    if not isinstance(sent, str) or not _INSTANT.fullmatch(sent):
        return None
    try:
        instant = datetime.fromisoformat(sent.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def decimal_of(sent: object) -> Decimal | None:
    """The exact decimal that a text or a number of JSON writes; None for anything else, NaN and infinities too."""
    # repr is the shortest decimal that reads back as the same float: 0.1 stays 0.1.
    text = repr(sent) if isinstance(sent, int | float) and not isinstance(sent, bool) else sent
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    _, digits, exponent = number.as_tuple()
    if len(digits) > DECIMAL_DIGITS or not -DECIMAL_DIGITS <= int(exponent) <= DECIMAL_DIGITS - len(digits):
        return None
    return number
