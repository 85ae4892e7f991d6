"""The evaluator: whether a rule holds for one customer, in plain Python.

It says the same as the compiler, in the most direct way there is: explanations are made of it, and tests hold the two
against each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
            return _combined(rule, [holds(inner, person, as_of) for inner in rule.rules])
        case Condition():
            return comparisons.number_holds(rule.operator, figure(rule, person, as_of), rule.value)
        case Comparison():
            return _field_holds(rule, None, person.customer, as_of)


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
        if (tests_status or order.get("status") == "COMPLETED") and _order_holds(condition.where, order, as_of)
    ]


def stored(name: str, subject: Subject | None) -> Field:
    """The field of a valid rule."""
    field = fields.find(name, subject)
    if field is None:
        raise TypeError(f"not a field: {name}")
    return field


def value_at(record: Record, path: str) -> object:
    """The value at a dotted path of a stored record, None when there is none."""
    value: object = record
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _combined(group: Group, truths: Sequence[bool]) -> bool:
    together = all(truths) if group.combinator is Combinator.AND or not truths else any(truths)
    return together is not group.negated


def _message_holds(rule: Rule, message: Record, as_of: AsOf) -> bool:
    if isinstance(rule, Group):
        return _combined(rule, [_message_holds(inner, message, as_of) for inner in rule.rules])
    return isinstance(rule, Comparison) and _field_holds(rule, Subject.MESSAGES, message, as_of)


def _order_holds(rule: Rule, order: Record, as_of: AsOf) -> bool:
    """Whether some one item, or the lack of any, makes all of the rule true of the order."""
    items = order.get("items")
    candidates = [None, *(item for item in items if isinstance(item, Mapping))] if isinstance(items, list) else [None]
    return any(_order_and_item_hold(rule, order, item, as_of) for item in candidates)


def _order_and_item_hold(rule: Rule, order: Record, item: Record | None, as_of: AsOf) -> bool:
    match rule:
        case Group(negated=True):
            return not _order_holds(replace(rule, negated=False), order, as_of)
        case Group():
            return _combined(rule, [_order_and_item_hold(inner, order, item, as_of) for inner in rule.rules])
        case Comparison() if not stored(rule.field, Subject.ORDERS).of_item:
            return _field_holds(rule, Subject.ORDERS, order, as_of)
        case Comparison() if rule.operator.is_negative:
            return not _order_holds(replace(rule, operator=rule.operator.positive), order, as_of)
        case Comparison():
            return item is not None and _field_holds(rule, Subject.ORDERS, item, as_of)
        case Condition():
            return False


def _field_holds(rule: Comparison, subject: Subject | None, record: Record, as_of: AsOf) -> bool:
    field = stored(rule.field, subject)
    return comparisons.holds(field, rule.operator, value_at(record, field.path), rule.value, as_of)
