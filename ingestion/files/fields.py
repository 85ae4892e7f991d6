"""What the rows of a file may say: the fields of the API's inputs, and how each is written in a cell and in JSON.

What cannot be read as a field's type goes on as it was sent: the row's own validation says what is wrong with it.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import orjson
from rapidfuzz import fuzz, process

import documents
import errors
from documents import ImportKind
from ingestion.rows import published
from ingestion.values import LARGEST_INT

TAG_SEPARATOR = "|"
MOST_TOLD = 100  # characters of a strange name, and strange names of a row

_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
# Not 007, which is the name of something, nor 1e5: whoever writes plain figures means a number.
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
# What a name may be short for counts only where none is spelt alike: fone is phone, and not the end of timezone.
_SIMILAR = ((fuzz.ratio, 60), (fuzz.WRatio, 80))


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field without fields: how it is read from a cell's text, and from a value of JSON."""

    from_text: Callable[[str], object]
    from_json: Callable[[object], object] = lambda sent: sent


class Shape:
    """An object with these fields, by snake_case name; `names` has theirs as clients write them, each with ours."""

    def __init__(self, **fields: "Field") -> None:
        self.fields = fields
        self.names = {published(name): name for name in fields}

    def from_json(self, sent: object) -> object:
        """An object by snake_case names. Raises Rejected for names that are none of its, and says where they are."""
        if not isinstance(sent, Mapping):
            return sent
        strange = [str(name)[:MOST_TOLD] for name in sent if name not in self.names]
        if strange:
            faults = [errors.InvalidInput(unknown("field", name, self.names), [name]) for name in strange[:MOST_TOLD]]
            raise errors.Rejected(faults)
        return {(own := self.names[name]): _within(name, self.fields[own], value) for name, value in sent.items()}


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of such objects; a cell holds it as JSON."""

    item: Shape

    def from_text(self, text: str) -> object:
        """The list that a cell holds."""
        return self.from_json(read_json(text))

    def from_json(self, sent: object) -> object:
        """The objects by snake_case names; raises Rejected, with the object's place."""
        if not isinstance(sent, list):
            return sent
        return [_within(str(index), self.item, each) for index, each in enumerate(sent)]


Field = Leaf | Listed | Shape


def of(kind: ImportKind) -> Shape:
    """What a row is made of in a file of this kind."""
    return _SHAPES[kind]


def read_json(text: str | bytes) -> object:
    """A value of JSON; raises InvalidInput."""
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise errors.InvalidInput(f"This is not JSON: {error}.") from error
    return value


def read_attribute(text: str) -> object:
    """What an attribute's cell says: true, false, a number in plain figures, or else its text."""
    if _PLAIN_NUMBER.fullmatch(text):
        number = float(text) if "." in text else int(text)
        return number if math.isfinite(number) and abs(number) <= LARGEST_INT else text
    return _BOOLEANS.get(text.lower(), text)


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """That there is no such thing, and which one may have been meant."""
    choices = list(known)
    for scorer, least in _SIMILAR:
        if nearest := process.extractOne(name, choices, scorer=scorer, processor=str.lower, score_cutoff=least):
            return f"There is no {what} {name!r}. Did you mean {nearest[0]}?"
    return f"There is no {what} {name!r}."


def _within(name: str, field: Field, sent: object) -> object:
    try:
        return field.from_json(sent)
    except errors.Fault as fault:
        raise fault.under(name) from fault


def _whole(text: str) -> object:
    return int(text) if _WHOLE.fullmatch(text) else text


def _decimal(sent: object) -> object:
    number = documents.decimal_of(sent)
    return sent if number is None else number


def _instant(sent: object) -> object:
    return documents.instant_of(sent) or sent


_TEXT = Leaf(str)
_COUNT = Leaf(_whole)
_DECIMAL = Leaf(_decimal, _decimal)
_INSTANT = Leaf(_instant, _instant)

_SHAPES: Mapping[ImportKind, Shape] = {
    ImportKind.CUSTOMERS: Shape(
        external_id=_TEXT,
        name=_TEXT,
        email=_TEXT,
        phone=_TEXT,
        city=_TEXT,
        state=_TEXT,
        country=_TEXT,
        postal_code=_TEXT,
        birthday=_TEXT,
        timezone=_TEXT,
        locale=_TEXT,
        source=_TEXT,
        tags=Leaf(lambda text: text.split(TAG_SEPARATOR)),
        attributes=Leaf(read_json),
        sms_consent=_TEXT,
        email_consent=_TEXT,
        total_spend=_DECIMAL,
        visit_count=_COUNT,
        last_purchase=_INSTANT,
    ),
    ImportKind.ORDERS: Shape(
        external_id=_TEXT,
        customer=Shape(id=_TEXT, external_id=_TEXT, email=_TEXT, phone=_TEXT),
        placed_at=_INSTANT,
        amount=_DECIMAL,
        currency=_TEXT,
        status=_TEXT,
        items=Listed(Shape(sku=_TEXT, name=_TEXT, category=_TEXT, quantity=_COUNT, unit_price=_DECIMAL)),
        payment=Shape(method=_TEXT, status=_TEXT, reference=_TEXT, refunded_amount=_DECIMAL),
        coupon=_TEXT,
    ),
}
