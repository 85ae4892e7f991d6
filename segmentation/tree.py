"""The rule tree: who is meant, as a value.

    Rule = Group | Comparison | Condition

A segment's root is a Group. A Condition is about a customer's orders or messages: it counts, or works a figure out of,
those that its own group `where` selects. Trees are made by the readers (`rules`, `query`), which leave them canonical:
no group within a group holds exactly one rule unless it is negated, and a group of fewer than two rules is an AND.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

E = TypeVar("E", bound=StrEnum)


class Combinator(StrEnum):
    """How the rules of a group go together."""

    AND = "and"
    OR = "or"


class Operator(StrEnum):
    """How a value is tested, by the names of react-querybuilder."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    IN = "in"
    NOT_IN = "notIn"
    BETWEEN = "between"
    NOT_BETWEEN = "notBetween"
    CONTAINS = "contains"
    DOES_NOT_CONTAIN = "doesNotContain"
    BEGINS_WITH = "beginsWith"
    DOES_NOT_BEGIN_WITH = "doesNotBeginWith"
    ENDS_WITH = "endsWith"
    DOES_NOT_END_WITH = "doesNotEndWith"
    NULL = "null"
    NOT_NULL = "notNull"
    ANNIVERSARY_IN = "anniversaryIn"

    @property
    def positive(self) -> "Operator":
        """The operator that this one is the exact complement of; a positive one is its own."""
        return COMPLEMENTS.get(self, self)

    @property
    def is_negative(self) -> bool:
        """Whether this is the complement of another operator, and so holds for a value that is not set."""
        return self in COMPLEMENTS


COMPLEMENTS = {
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_BETWEEN: Operator.BETWEEN,
    Operator.DOES_NOT_CONTAIN: Operator.CONTAINS,
    Operator.DOES_NOT_BEGIN_WITH: Operator.BEGINS_WITH,
    Operator.DOES_NOT_END_WITH: Operator.ENDS_WITH,
    Operator.NULL: Operator.NOT_NULL,
}
LISTING = frozenset({Operator.IN, Operator.NOT_IN})
RANGING = frozenset({Operator.BETWEEN, Operator.NOT_BETWEEN})
UNARY = frozenset({Operator.NULL, Operator.NOT_NULL})


class Unit(StrEnum):
    """What a span of time is counted in."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


class Anchor(StrEnum):
    """What a relative date is counted from. TODAY is a whole day, every other one an instant."""

    NOW = "now"
    TODAY = "today"
    START_OF_DAY = "start of day"
    START_OF_WEEK = "start of week"
    START_OF_MONTH = "start of month"
    START_OF_QUARTER = "start of quarter"
    START_OF_YEAR = "start of year"
    END_OF_DAY = "end of day"
    END_OF_WEEK = "end of week"
    END_OF_MONTH = "end of month"
    END_OF_QUARTER = "end of quarter"
    END_OF_YEAR = "end of year"


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day in the server's time zone, all of it."""

    date: date


@dataclass(frozen=True, slots=True)
class Instant:
    """One instant, aware, to the millisecond."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Relative:
    """A date told from the instant of evaluation: `amount` units after the anchor, or before it when negative."""

    anchor: Anchor
    amount: int = 0
    unit: Unit = Unit.DAYS


Date = Day | Instant | Relative
Scalar = str | Decimal | bool | Date
Operand = Scalar | tuple[Scalar, ...] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test of one field: a tuple of values for in and between, None for null and notNull."""

    field: str
    operator: Operator
    value: Operand = None


class Subject(StrEnum):
    """What a customer has many of."""

    ORDERS = "orders"
    MESSAGES = "messages"


class Figure(StrEnum):
    """What is worked out over the orders or messages selected."""

    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Condition:
    """An order or message condition: a figure over those that `where` selects, held against a number.

    `of` names the sub-field that is summed up, averaged or compared; it is None for COUNT.
    """

    subject: Subject
    figure: Figure
    of: str | None
    operator: Operator
    value: Operand
    where: "Group"


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that hold together (AND) or one by one (OR), or, negated, everyone whom they leave out.

    Without rules it means everyone.
    """

    combinator: Combinator = Combinator.AND
    rules: tuple["Rule", ...] = ()
    negated: bool = False


Rule = Group | Comparison | Condition
EVERYONE = Group()


def canonical(group: Group) -> Group:
    """The same meaning without idle structure, for a group whose sub-groups are canonical already."""
    combinator = group.combinator if len(group.rules) > 1 else Combinator.AND
    rules = tuple(_lone(rule) for rule in group.rules)
    match rules:
        case (Group(negated=False) as only,):
            return Group(only.combinator, only.rules, group.negated)
        case (Group(negated=True) as only,) if not group.negated:
            return only
        case _:
            return Group(combinator, rules, group.negated)


def all_of(*rules: Rule) -> Group:
    """The canonical group of customers for whom every one of these rules holds."""
    return canonical(Group(Combinator.AND, rules))


def any_of(*rules: Rule) -> Group:
    """The canonical group of customers for whom at least one of these rules holds; without rules, everyone."""
    return canonical(Group(Combinator.OR, rules))


def none_of(rule: Rule) -> Group:
    """The canonical group of everyone whom this rule leaves out."""
    return canonical(Group(Combinator.AND, (rule,), negated=True))


def named(kind: type[E], name: object) -> E | None:
    """The member of an enumeration that has this value, or None."""
    return next((member for member in kind if member == name), None)


def walk(rule: Rule) -> Iterator[Rule]:
    """This rule and every rule below it, those inside conditions too, outermost first."""
    yield rule
    match rule:
        case Group(rules=rules):
            for inner in rules:
                yield from walk(inner)
        case Condition(where=where):
            yield from walk(where)


def _lone(rule: Rule) -> Rule:
    """The only rule of a group that adds nothing to it, else the rule itself."""
    match rule:
        case Group(rules=(only,), negated=False):
            return only
        case _:
            return rule
