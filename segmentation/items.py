"""Which item: an order's group of rules, taken apart into what it says of the order and what of one of its items.

Every test of an item inside one order condition is about one and the same item. A group therefore holds for an order
when some item makes the whole of it true; what is negated (`items.sku != "X"`, `NOT …`) is the complement of a question
of its own, "has any item …", and so is about the order.

MongoDB can ask about one item ($elemMatch), but not mix tests of the order into that. So a group is rewritten as
alternatives, each some rules of the order AND some rules of one item, by carrying OR outwards where it mixes the two.
"""

from dataclasses import dataclass, replace

import errors
from segmentation import fields
from segmentation.tree import Combinator, Comparison, Group, Rule, Subject, walk

MAX_ALTERNATIVES = 64
MAX_TESTS = 10_000  # of the filter that a group becomes; it takes 0.2 s to make


@dataclass(frozen=True, slots=True)
class Alternative:
    """Rules that hold of an order, and rules that hold together of one of its items (none: no item is asked for)."""

    of_order: tuple[Rule, ...] = ()
    of_item: tuple[Rule, ...] = ()


def is_item_test(rule: Rule) -> bool:
    """Whether this asks something of an item, rather than something of the order about all of them."""
    if not isinstance(rule, Comparison) or rule.operator.is_negative:
        return False
    field = fields.find(rule.field, Subject.ORDERS)
    return field is not None and field.of_item


def refuse_tangled(rule: Rule) -> None:
    """Raise TooLarge for a group that is too much once it is rewritten, at whichever depth.

    What is negated is rewritten by itself within each alternative that it stands in, so that sizes multiply.
    """
    waiting, tests = [rule], 0
    while waiting:
        for one in alternatives(waiting.pop()):
            tests += 1 + len(one.of_order) + sum(1 for asked in one.of_item for _ in walk(asked))
            for inner in one.of_order:
                if isinstance(inner, Group):
                    waiting += [replace(inner, negated=False)] if inner.negated else inner.rules
        if tests + len(waiting) > MAX_TESTS:
            raise errors.TooLarge("Tests of orders and of their items are mixed in too many ORs and NOTs.")


def alternatives(rule: Rule) -> tuple[Alternative, ...]:
    """The alternatives whose OR is this rule; raises TooLarge when there would be too many."""
    match rule:
        case Group(negated=False, rules=rules) if rules and _is_mixed(rule):
            return _either(rules) if rule.combinator is Combinator.OR else _together(rules)
        case _ if _asks_item(rule):
            return (Alternative(of_item=(rule,)),)
        case _:
            return (Alternative(of_order=(rule,)),)


def _asks_item(rule: Rule) -> bool:
    """Whether an item test is somewhere in here, not counting what is negated."""
    match rule:
        case Group(negated=False, rules=rules):
            return any(map(_asks_item, rules))
        case _:
            return is_item_test(rule)


def _asks_order(rule: Rule) -> bool:
    match rule:
        case Group(negated=False, rules=rules) if rules:
            return any(map(_asks_order, rules))
        case _:
            return not is_item_test(rule)


def _is_mixed(rule: Rule) -> bool:
    return _asks_item(rule) and _asks_order(rule)


def _either(rules: tuple[Rule, ...]) -> tuple[Alternative, ...]:
    of_order = tuple(rule for rule in rules if not _asks_item(rule))
    of_item = tuple(rule for rule in rules if not _asks_order(rule))
    found = [Alternative(of_order=(Group(Combinator.OR, of_order),))] if of_order else []
    found += [Alternative(of_item=(Group(Combinator.OR, of_item),))] if of_item else []
    for rule in filter(_is_mixed, rules):
        found += alternatives(rule)
    return _bounded(found)


def _together(rules: tuple[Rule, ...]) -> tuple[Alternative, ...]:
    found = [Alternative()]
    for rule in rules:
        found = [
            Alternative((*one.of_order, *other.of_order), (*one.of_item, *other.of_item))
            for one in found
            for other in alternatives(rule)
        ]
        _bounded(found)
    return tuple(found)


def _bounded(found: list[Alternative]) -> tuple[Alternative, ...]:
    if len(found) > MAX_ALTERNATIVES:
        raise errors.TooLarge("Tests of orders and of their items are mixed in too many ORs.")
    return tuple(found)
