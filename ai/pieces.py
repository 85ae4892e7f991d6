"""Pieces: what a phrase of a sentence contributes to a condition, before it is known which condition that is.

A phrase says one or several pieces: "last purchase" a topic, "more than 10" a bound, "in the last 90 days" a window,
"Pune" a value, "inactive" a topic that stands for a whole condition. Which of them belong together is for frames.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from segmentation.tree import Date, Operator, Unit


class Slot(StrEnum):
    """The part that a piece plays in a condition; a condition has at most one of each."""

    TOPIC = "topic"
    WHICH = "which"
    NUMBER = "number"
    AMOUNT = "amount"  # of one order, where another number counts them
    TIMES = "times"
    LIMIT = "limit"
    PER_ORDER = "per order"
    ITEMS = "items"
    WINDOW = "window"
    LENGTH = "length"
    AHEAD = "ahead"
    VALUE = "value"
    CATEGORY = "category"
    ITEM = "item"
    COUPON = "coupon"
    METHOD = "method"
    STATUS = "status"
    CHANNEL = "channel"
    STATE = "state"
    NOT = "not"
    PRESENT = "present"
    MATCH = "match"
    LITERAL = "literal"
    SHARE = "share"


class Family(StrEnum):
    """The kinds of condition, each of which reads its topics and slots in its own way."""

    PURCHASE = "purchase"
    MEASURE = "measure"
    DATE = "date"
    BIRTHDAY = "birthday"
    LABEL = "label"
    CONSENT = "consent"
    ACTIVITY = "activity"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Topic:
    """What is spoken of: an event ("order", "buy") or a field by its name."""

    family: Family
    name: str


class Which(StrEnum):
    """Which of a customer's orders is meant."""

    LAST = "last"
    FIRST = "first"
    BIGGEST = "biggest"
    SMALLEST = "smallest"
    AVERAGE = "average"
    SINGLE = "single"
    WORTH = "worth"  # each by itself, unless a total is spoken of
    TOTAL = "total"  # all of them together


@dataclass(frozen=True, slots=True)
class Bound:
    """A number and how something is held against it; `is_plain` when the sentence says the number alone."""

    operator: Operator
    values: tuple[Decimal, ...]
    is_money: bool = False
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time, in whole units."""

    amount: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Length:
    """How long something has lasted: "for 90 days", "in over a year"."""

    operator: Operator
    span: Span


@dataclass(frozen=True, slots=True)
class Ahead:
    """Days to come, both ends included: 0 is today. Ends a year ahead at the latest."""

    first: int
    last: int


Test = tuple[Operator, Date] | tuple[Operator, Date, Date]


@dataclass(frozen=True, slots=True)
class Window:
    """Tests that a date has to pass, all of them. `closed` when it has both ends."""

    tests: tuple[Test, ...]
    closed: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a field, as the database spells it."""

    field: str
    value: str | Decimal | bool


class Vague(StrEnum):
    """A word without a figure of its own: reading it takes an assumption."""

    RECENTLY = "recently"


@dataclass(frozen=True, slots=True)
class Share:
    """The customers at one end of a ranking by a field: the top tenth is Share(True, percent=10)."""

    top: bool
    percent: Decimal
    assumed: str = ""


Filler = Topic | Which | Bound | Operator | Window | Vague | Length | Ahead | Value | Share | str | bool


@dataclass(frozen=True, slots=True)
class Piece:
    """One slot and what fills it."""

    slot: Slot
    filler: Filler


class Joint(StrEnum):
    """A word that stands between conditions."""

    AND = "and"
    OR = "or"
    BUT = "but"
    COMMA = ","
    PLUS = "plus"
    EXCEPT = "except"
    EITHER = "either"
    WHO = "who"
    OPEN = "("
    CLOSE = ")"


@dataclass(frozen=True, slots=True)
class Edge:
    """One way to read the words from `start` up to `end`; with neither pieces nor a joint they are passed over."""

    start: int
    end: int
    cost: float
    pieces: tuple[Piece, ...] = ()
    joint: Joint | None = None
    is_unknown: bool = False
