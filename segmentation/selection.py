"""Selection: the aggregation pipelines that find the members of a segment whose rules ask about orders or messages.

There are two ways, and `audience` chooses.

One by one: each customer whom the plain rules leave is looked up among the records. That costs 80 µs a customer; it is
right for few customers, or for many of whom one page is wanted.

All at once: the records are grouped by customer, once for each condition, and the groups are brought together with the
customers whom the plain rules leave. That costs some µs a record, however many customers there are.

The latter sees everything as sets: a condition is the set of its exceptions (see `figures`), a plain rule that stands
beside conditions in an OR the set of its customers. Each set marks its members with a flag of its own, and the rules
are then a question about flags.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import documents
from segmentation import compiler, figures
from segmentation.dates import AsOf
from segmentation.filters import Filter, Stage, all_of
from segmentation.tree import EVERYONE, Combinator, Condition, Group, Rule, walk

CUSTOMERS = documents.Customer.Settings.name
_BASE = "base"


@dataclass(frozen=True, slots=True)
class Selection:
    """Rules, taken apart: `filter` is what all members pass as customers, `rest` asks about orders or messages.

    Without such rules `rest` is empty, and the filter is all there is.
    """

    filter: Filter
    rest: Group
    as_of: AsOf

    @classmethod
    def of(cls, rules: Group, as_of: AsOf, among: Filter) -> "Selection":
        """The selection that these rules make among the customers who pass a filter."""
        plain, rest = _apart(rules)
        return cls(all_of([among, compiler.of_customers(plain, as_of, _no_condition)]), rest, as_of)

    @property
    def is_plain(self) -> bool:
        """Whether nothing is asked about orders or messages."""
        return not self.rest.rules

    def lookups(self) -> list[Stage]:
        """Stages over the customers who pass the filter, in any order, that let the members through one by one."""
        names = {condition: f"looked_up_{number}" for number, condition in enumerate(_conditions(self.rest))}
        members = compiler.of_customers(
            self.rest, self.as_of, lambda condition: figures.looked_up(condition, names[condition], self.as_of)
        )
        lookups = [figures.lookup(condition, name, self.as_of) for condition, name in names.items()]
        return [*lookups, {"$match": members}, {"$unset": list(names.values())}] if names else []

    def at_once(self) -> tuple[str, list[Stage]]:
        """The collection, and the stages over it, that leave one document with the `_id` of each member."""
        if self.is_plain:
            return CUSTOMERS, [{"$match": self.filter}, {"$project": {"_id": 1}}]
        sets = _sets(self.rest)
        flags = {repr(rule): f"flag_{number}" for number, rule in enumerate(sets)}  # True and Decimal(1) are equal
        branches = [self._branch(rule, flags[repr(rule)]) for rule in sets]
        members = _flagged(self.rest, flags)
        if self.filter or not all(isinstance(rule, Condition) for rule in sets) or _holds_for_nothing(self.rest):
            # Without this, members have records at least, and records have customers.
            branches.insert(0, (CUSTOMERS, [{"$match": self.filter}, _flag(_BASE)]))
            members = all_of([{_BASE: True}, members])
        (collection, stages), *others = branches
        if others:
            marks = {flag: {"$max": f"${flag}"} for flag in (_BASE, *flags.values())}
            stages += [{"$unionWith": {"coll": name, "pipeline": inner}} for name, inner in others]
            stages += [{"$group": {"_id": "$_id"} | marks}]
        return collection, [*stages, {"$match": members}, {"$project": {"_id": 1}}]

    def _branch(self, rule: Rule, flag: str) -> tuple[str, list[Stage]]:
        if isinstance(rule, Condition):
            return rule.subject.value, [*figures.exceptions(rule, self.as_of), _flag(flag)]
        return CUSTOMERS, [{"$match": compiler.of_customers(rule, self.as_of, _no_condition)}, _flag(flag)]


def has_condition(rule: Rule) -> bool:
    """Whether anything is asked about orders or messages."""
    return any(isinstance(inner, Condition) for inner in walk(rule))


def _apart(rules: Group) -> tuple[Group, Group]:
    """The rules that every member passes as a customer, and those that ask about orders or messages."""
    if not has_condition(rules):
        return rules, EVERYONE
    if rules.combinator is Combinator.OR or rules.negated:
        return EVERYONE, rules
    plain = tuple(rule for rule in rules.rules if not has_condition(rule))
    rest = tuple(rule for rule in rules.rules if has_condition(rule))
    return Group(rules=plain), Group(rules=rest)


def _conditions(rule: Rule) -> list[Condition]:
    return list(dict.fromkeys(inner for inner in walk(rule) if isinstance(inner, Condition)))


def _sets(rule: Rule) -> list[Rule]:
    """The rules that become sets: every condition, and every plain rule that stands beside one."""
    if isinstance(rule, Group) and has_condition(rule):
        return list({repr(found): found for inner in rule.rules for found in _sets(inner)}.values())
    return [rule]


def _flag(name: str) -> Stage:
    return {"$project": {"_id": 1, name: {"$literal": True}}}


def _flagged(rule: Rule, flags: Mapping[str, str]) -> Filter:
    if isinstance(rule, Group) and has_condition(rule):
        return compiler.combined(rule, lambda inner: _flagged(inner, flags))
    is_reversed = isinstance(rule, Condition) and figures.holds_for_nothing(rule)
    return {flags[repr(rule)]: {"$ne": True} if is_reversed else True}


def _holds_for_nothing(rule: Rule) -> bool:
    """Whether a rule made of conditions alone holds for a customer without any records."""
    match rule:
        case Group():
            truths = [_holds_for_nothing(inner) for inner in rule.rules]
            together = all(truths) if rule.combinator is Combinator.AND else any(truths)
            return together is not rule.negated
        case Condition():
            return figures.holds_for_nothing(rule)
        case _:
            return True


def _no_condition(condition: Condition) -> Filter:
    raise TypeError(f"a plain rule has no condition: {condition}")
