"""The compiler: rules as MongoDB filters, of customers, of orders and of messages.

What a rule says about somebody's orders or messages (a Condition) cannot be a filter of customers. `audience` finds out
for whom it holds, and hands in for each Condition the filter that tells those customers.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from segmentation import fields, items, predicates
from segmentation.dates import AsOf
from segmentation.filters import Filter, all_of, any_of, none_of
from segmentation.tree import Combinator, Comparison, Condition, Group, Rule, Subject, walk

COMPLETED: Filter = {"status": "COMPLETED"}


def of_customers(rule: Rule, as_of: AsOf, told: Callable[[Condition], Filter]) -> Filter:
    """The filter of the customers for whom a rule holds; `told` gives the filter that stands for a Condition."""
    match rule:
        case Group():
            return combined(rule, lambda inner: of_customers(inner, as_of, told))
        case Condition():
            return told(rule)
        case Comparison():
            return _test(rule, None, as_of)


def of_subject(condition: Condition, as_of: AsOf) -> Filter:
    """The filter of the orders or messages a Condition is about. Only COMPLETED orders, unless it tests `status`."""
    if condition.subject is Subject.MESSAGES:
        return _of_messages(condition.where, as_of)
    where = _of_orders(condition.where, as_of)
    tests_status = any(isinstance(rule, Comparison) and rule.field == "status" for rule in walk(condition.where))
    return where if tests_status else all_of([COMPLETED, where])


def combined(group: Group, compiled: Callable[[Rule], Filter]) -> Filter:
    """The filter of a group whose rules are compiled so."""
    filters = [compiled(rule) for rule in group.rules]
    together = all_of(filters) if group.combinator is Combinator.AND or not filters else any_of(filters)
    return none_of(together) if group.negated else together


def _of_messages(rule: Rule, as_of: AsOf) -> Filter:
    if isinstance(rule, Group):
        return combined(rule, lambda inner: _of_messages(inner, as_of))
    return _test(rule, Subject.MESSAGES, as_of)


def _of_orders(rule: Rule, as_of: AsOf) -> Filter:
    found = []
    for one in items.alternatives(rule):
        filters = [_of_whole_order(inner, as_of) for inner in one.of_order]
        if one.of_item:
            filters.append(_some_item([_of_item(inner, as_of) for inner in one.of_item]))
        found.append(all_of(filters))
    return any_of(found)


def _of_whole_order(rule: Rule, as_of: AsOf) -> Filter:
    match rule:
        case Group(negated=True):
            return none_of(_of_orders(replace(rule, negated=False), as_of))
        case Group():
            return combined(rule, lambda inner: _of_orders(inner, as_of))
        case Comparison(operator=operator) if items.is_item_test(positive := replace(rule, operator=operator.positive)):
            return none_of(_some_item([_of_item(positive, as_of)]))
        case _:
            return _test(rule, Subject.ORDERS, as_of)


def _of_item(rule: Rule, as_of: AsOf) -> Filter:
    if isinstance(rule, Group):
        return combined(rule, lambda inner: _of_item(inner, as_of))
    return _test(rule, Subject.ORDERS, as_of)


def _some_item(filters: Sequence[Filter]) -> Filter:
    return {"items": {"$elemMatch": all_of(filters)}}


def _test(rule: Rule, subject: Subject | None, as_of: AsOf) -> Filter:
    if isinstance(rule, Comparison) and (field := fields.find(rule.field, subject)):
        return predicates.of(rule, field, as_of)
    raise TypeError(f"not a valid rule here: {rule}")
