"""The explanation: why a customer is or is not in a segment, rule by rule."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import errors
from documents.records import pick
from segmentation import comparisons, dates, evaluator, flips, printer
from segmentation.dates import AsOf
from segmentation.evaluator import Person
from segmentation.fields import Format
from segmentation.tree import Comparison, Condition, Day, Figure, Group, Instant, Rule, Subject, walk

LONGEST_ACTUAL = 200
MOST_TESTS = 500_000  # which take some 5 s


@dataclass(frozen=True, slots=True)
class Trace:
    """One rule held against one customer.

    `actual` is the customer's own value as text, None when it is not set or for a group; `to_flip` what would have to
    change for this rule to turn, where that can be said.
    """

    query: str
    holds: bool
    actual: str | None = None
    to_flip: str | None = None
    children: tuple["Trace", ...] = ()


def of(rules: Group, person: Person, as_of: AsOf) -> Trace:
    """The rules and every rule inside them, each with its truth; raises TooLarge where that would take too long."""
    tests = sum(_tests(rule, person) for rule in walk(rules) if isinstance(rule, Condition))
    if tests > MOST_TESTS:
        raise errors.TooLarge("This customer has too many orders or messages to explain so many rules about them.")
    return trace(rules, person, as_of)


def trace(rule: Rule, person: Person, as_of: AsOf) -> Trace:
    """The rule and every rule inside it, each with its truth, however long that takes."""
    match rule:
        case Group():
            children = tuple(trace(inner, person, as_of) for inner in rule.rules)
            holds = evaluator.combined(rule, [child.holds for child in children])
            return Trace(printer.query(rule), holds, children=children)
        case Condition():
            figure = evaluator.figure(rule, person, as_of)
            holds = comparisons.number_holds(rule.operator, figure, rule.value)
            return _leaf(rule, holds, int(figure or 0) if rule.figure is Figure.COUNT else figure, as_of)
        case Comparison():
            field = evaluator.stored(rule.field, None)
            actual = evaluator.value_at(person.customer, field.path)
            if isinstance(actual, datetime) and field.format is Format.CALENDAR_DATE:
                # Stored as midnight of UTC, it is compared as the same day of the server's time zone.
                return _leaf(rule, evaluator.holds(rule, person, as_of), Day(actual.date()), as_of)
            return _leaf(rule, evaluator.holds(rule, person, as_of), actual, as_of)


def _tests(condition: Condition, person: Person) -> int:
    """How often a rule is held against an order, an item or a message, at most."""
    records = len(person.messages)
    if condition.subject is Subject.ORDERS:
        records = sum(1 + len(pick(order, "items", list) or []) for order in person.orders)
    return records * sum(1 for _ in walk(condition.where))


def _leaf(rule: Comparison | Condition, holds: bool, actual: object, as_of: AsOf) -> Trace:
    return Trace(printer.query(rule), holds, _text(actual), flips.of(rule.operator, rule.value, actual, holds, as_of))


def _text(actual: object) -> str | None:
    match actual:
        case None | []:
            return None
        case bool():
            text = "true" if actual else "false"
        case list():
            text = ", ".join(filter(None, map(_text, actual)))
        case datetime():
            text = dates.text(Instant(dates.floor(actual)))
        case Day():
            text = dates.text(actual)
        case Decimal():
            text = flips.shown(actual)
        case _:
            text = str(actual)
    return text if len(text) <= LONGEST_ACTUAL else f"{text[:LONGEST_ACTUAL]}…"
