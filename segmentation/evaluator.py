"""The evaluator: whether a rule holds for one customer, in plain Python.

It says the same as the compiler, in the most direct way there is: explanations are made of it, and tests hold the two
against each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext

from segmentation import comparisons, fields
from segmentation.dates import AsOf
from segmentation.fields import Field
from segmentation.tree import Combinator, Comparison, Condition, Figure, Group, Rule, Subject, walk

Record = Mapping[str, object]

DECIMAL128_DIGITS = 34  # what MongoDB divides with


@dataclass(frozen=True, slots=True)
class Person:
    """One customer with all orders and messages, as they are stored."""

    customer: Record
    orders: Sequence[Record] = ()
    messages: Sequence[Record] = ()


def holds(rule: Rule, person: Person, as_of: AsOf) -> bool:
    """Whether the rule holds for this customer."""
    match rule:
        case Group():
            return combined(rule, [holds(inner, person, as_of) for inner in rule.rules])
        case Condition():
            return comparisons.number_holds(rule.operator, figure(rule, person, as_of), rule.value)
        case Comparison():
            return _field_holds(rule, None, person.customer, as_of)


def combined(group: Group, truths: Sequence[bool]) -> bool:
    """Whether a group holds whose rules hold or do not, like this."""
    together = all(truths) if group.combinator is Combinator.AND or not truths else any(truths)
    return together is not group.negated


def figure(condition: Condition, person: Person, as_of: AsOf) -> Decimal | None:
    """What a condition works out of the customer's orders or messages; None for AVG, MIN and MAX of nothing."""
    records = selected(condition, person, as_of)
    if condition.figure is Figure.COUNT:
        return Decimal(len(records))
    path = stored(condition.of or "", condition.subject).path
    found = (value_at(record, path) for record in records)
    amounts = [Decimal(amount) for amount in found if isinstance(amount, Decimal | int)]
    total = sum(amounts, Decimal(0))
    match condition.figure:
        case Figure.SUM:
            return total
        case _ if not amounts:
            return None
        case Figure.MIN:
            return min(amounts)
        case Figure.MAX:
            return max(amounts)
        case _:
            with localcontext(prec=DECIMAL128_DIGITS):
                return total / len(amounts)


def selected(condition: Condition, person: Person, as_of: AsOf) -> list[Record]:
    """The orders or messages that a condition is about."""
    if condition.subject is Subject.MESSAGES:
        return [message for message in person.messages if _message_holds(condition.where, message, as_of)]
    tests_status = any(isinstance(rule, Comparison) and rule.field == "status" for rule in walk(condition.where))
    return [
        order
        for order in person.orders
        if (tests_status or order.get("status") == "COMPLETED") and _Order(order, as_of).holds(condition.where)
    ]


def stored(name: str, subject: Subject | None) -> Field:
    """The field of a valid rule."""
    known = fields.find(name, subject)
    if known is None:
        raise TypeError(f"not a field: {name}")
    return known


def value_at(record: Record, path: str) -> object:
    """The value at a dotted path of a stored record, None when there is none."""
    value: object = record
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _message_holds(rule: Rule, message: Record, as_of: AsOf) -> bool:
    if isinstance(rule, Group):
        return combined(rule, [_message_holds(inner, message, as_of) for inner in rule.rules])
    return isinstance(rule, Comparison) and _field_holds(rule, Subject.MESSAGES, message, as_of)


@dataclass(frozen=True, slots=True)
class _Order:
    """An order, and what is known of it already: what is negated is about all its items, and so is worked out once
    and not for each of them."""

    record: Record
    as_of: AsOf
    answers: dict[int, bool] = field(default_factory=dict)  # by the identity of a rule

    def holds(self, rule: Rule) -> bool:
        """Whether some one item, or the lack of any, makes all of the rule true of the order."""
        items = self.record.get("items")
        found = [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
        return any(self._holds_with(rule, item) for item in (None, *found))

    def _holds_with(self, rule: Rule, item: Record | None) -> bool:
        match rule:
            case Group(negated=True):
                return not self._answer(rule, replace(rule, negated=False))
            case Group():
                return combined(rule, [self._holds_with(inner, item) for inner in rule.rules])
            case Comparison() if not stored(rule.field, Subject.ORDERS).of_item:
                return _field_holds(rule, Subject.ORDERS, self.record, self.as_of)
            case Comparison() if rule.operator.is_negative:
                return not self._answer(rule, replace(rule, operator=rule.operator.positive))
            case Comparison():
                return item is not None and _field_holds(rule, Subject.ORDERS, item, self.as_of)
            case Condition():
                return False

    def _answer(self, rule: Rule, positive: Rule) -> bool:
        if id(rule) not in self.answers:
            self.answers[id(rule)] = self.holds(positive)
        return self.answers[id(rule)]


def _field_holds(rule: Comparison, subject: Subject | None, record: Record, as_of: AsOf) -> bool:
    known = stored(rule.field, subject)
    return comparisons.holds(known, rule.operator, value_at(record, known.path), rule.value, as_of)
