"""Rules: the tree as react-querybuilder's RuleGroupType JSON, in and out.

Faults have the path to their place, `("rules", "1", "value")`; callers put their own place before it. What a rule
builder adds for itself (`id`, `path`, …) is dropped; what would change the meaning and is not understood is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import errors
from segmentation import literals, validator
from segmentation.tree import (
    LISTING,
    RANGING,
    UNARY,
    Combinator,
    Comparison,
    Condition,
    Figure,
    Group,
    Operand,
    Operator,
    Rule,
    Subject,
    canonical,
    named,
)

_MODES = {"atLeast": Operator.AT_LEAST, "atMost": Operator.AT_MOST, "exactly": Operator.EQUAL}
_NAMES_OF_MODES = {operator: mode for mode, operator in _MODES.items()}
_BARE_MODES = {"some": (Operator.AT_LEAST, 1), "none": (Operator.EQUAL, 0)}
_SWITCHED_OFF = ("disabled", "muted")

Json = Mapping[str, object]


def read(value: object) -> Group:
    """The canonical tree of a RuleGroupType; raises InvalidInput, TooLarge, or Rejected for several faults."""
    return validator.group(_Reader().group(value, None, 1))


def write(group: Group) -> dict[str, object]:
    """The RuleGroupType of a tree, which `read` reads back as the same tree."""
    written: dict[str, object] = {
        "combinator": group.combinator.value,
        "rules": [_write_rule(rule) for rule in group.rules],
    }
    return written | {"not": True} if group.negated else written


@dataclass(slots=True)
class _Reader:
    """Reads one document, counting its rules, so that a huge one is refused before all of it is read."""

    rules: int = 0

    def group(self, value: object, subject: Subject | None, depth: int) -> Group:
        if depth > validator.MAX_DEPTH:
            raise errors.TooLarge(f"Groups go at most {validator.MAX_DEPTH} deep.")
        rules = value.get("rules") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(rules, list):
            raise errors.InvalidInput('A group is {"combinator": "and" or "or", "rules": […]}.')
        _refuse_switched_off(value)
        return canonical(Group(_combinator(value), self._rules(rules, subject, depth), _is_negated(value)))

    def _rules(self, values: list[object], subject: Subject | None, depth: int) -> tuple[Rule, ...]:
        found: list[Rule] = []
        faults: list[errors.Fault] = []
        for index, value in enumerate(values):
            try:
                found.append(self._rule(value, subject, depth))
            except errors.TooLarge as fault:
                raise fault.under("rules", str(index)) from fault
            except errors.Fault as fault:
                faults += fault.under("rules", str(index)).faults
        if faults:
            raise faults[0] if len(faults) == 1 else errors.Rejected(faults)
        return tuple(found)

    def _rule(self, value: object, subject: Subject | None, depth: int) -> Rule:
        if not isinstance(value, dict) or value.keys().isdisjoint({"field", "rules", "combinator"}):
            raise errors.InvalidInput("A rule has a field, an operator and a value; a group has rules.")
        if "field" not in value:
            return self.group(value, subject, depth + 1)
        self._count()
        _refuse_switched_off(value)
        name = _text(value, "field")
        if subject is None and (value.get("match") is not None or value.get("aggregate") is not None):
            return self._condition(name, value, depth)
        return _comparison(name, value, subject)

    def _condition(self, name: str, value: Json, depth: int) -> Rule:
        subject = named(Subject, name)
        if subject is None:
            raise errors.InvalidInput("Only orders and messages have a match or an aggregate.", ("field",))
        where = self._where(value.get("value"), subject, depth)
        if value.get("match") is not None:
            return _matched(subject, value["match"], where)
        return _aggregated(subject, value, where)

    def _where(self, value: object, subject: Subject, depth: int) -> Group:
        if value in (None, ""):
            return Group()
        try:
            return self.group(value, subject, depth + 1)
        except errors.Fault as fault:
            raise fault.under("value") from fault

    def _count(self) -> None:
        self.rules += 1
        if self.rules > validator.MAX_RULES:
            raise errors.TooLarge(f"A segment has at most {validator.MAX_RULES} rules.")


def _refuse_switched_off(value: Json) -> None:
    for flag in _SWITCHED_OFF:
        if value.get(flag):
            raise errors.InvalidInput(f"What is {flag} has no meaning here: take it out.", (flag,))


def _combinator(value: Json) -> Combinator:
    combinator = named(Combinator, str(value.get("combinator", Combinator.AND)).lower())
    if combinator is None:
        raise errors.InvalidInput('The combinator is "and" or "or".', ("combinator",))
    return combinator


def _is_negated(value: Json) -> bool:
    negated = value.get("not")
    if negated not in (None, True, False):
        raise errors.InvalidInput("not is true or false.", ("not",))
    return bool(negated)


def _comparison(name: str, value: Json, subject: Subject | None) -> Rule:
    if value.get("valueSource") not in (None, "value"):
        raise errors.InvalidInput("A field is compared with a value, not with another field.", ("valueSource",))
    operator = _text(value, "operator")
    return validator.comparison(name, operator, _operand(value, "value", operator), subject)


def _matched(subject: Subject, match_: object, where: Group) -> Rule:
    try:
        match match_:
            case {"mode": str(mode), "threshold": threshold} if mode in _MODES:
                operand = literals.read(threshold)
                return validator.condition(subject, Figure.COUNT, None, _MODES[mode], operand, where)
            case {"mode": str(mode)} if mode in _BARE_MODES:
                operator, number = _BARE_MODES[mode]
                return validator.condition(subject, Figure.COUNT, None, operator, literals.read(number), where)
    except errors.Fault as fault:
        raise fault.under("match") from fault
    raise errors.InvalidInput(
        "A match has a mode (atLeast, atMost, exactly, some, none) and, but for the last two, a threshold.", ("match",)
    )


def _aggregated(subject: Subject, value: Json, where: Group) -> Rule:
    figure = named(Figure, _text(value, "aggregate").lower())
    if figure is None:
        raise errors.InvalidInput(f"An aggregate is one of {', '.join(Figure)}.", ("aggregate",))
    of = None if figure is Figure.COUNT else _text(value, "of")
    operator = _text(value, "operator")
    threshold = _operand(value, "threshold", operator)
    return validator.condition(subject, figure, of, operator, threshold, where)


def _text(value: Json, key: str) -> str:
    match value.get(key):
        case None:
            raise errors.Required(f"The {key} is missing.", (key,))
        case str() as text:
            return text
        case _:
            raise errors.InvalidInput(f"The {key} is a text.", (key,))


def _operand(value: Json, key: str, operator: str) -> Operand:
    if operator in UNARY:
        return None
    try:
        given = value.get(key)
        if operator not in LISTING | RANGING:
            return literals.read(given)
        if isinstance(given, list | str) and literals.length(given) > validator.MAX_VALUES:  # before reading them all
            raise errors.TooLarge(f"A list has at most {validator.MAX_VALUES:,} values.")
        return literals.read_list(given)
    except errors.Fault as fault:
        raise fault.under(key) from fault


def _write_rule(rule: Rule) -> dict[str, object]:
    match rule:
        case Group():
            return write(rule)
        case Comparison(field, operator, value):
            return {"field": field, "operator": operator.value, "value": literals.write(value)}
        case Condition():
            return {"field": rule.subject.value, **_write_figure(rule), "value": write(rule.where)}


def _write_figure(rule: Condition) -> dict[str, object]:
    threshold = literals.write(rule.value)
    if rule.figure is Figure.COUNT and rule.operator in _NAMES_OF_MODES:
        # A rule builder knows a rule by its operator, though the match says everything.
        return {"operator": "=", "match": {"mode": _NAMES_OF_MODES[rule.operator], "threshold": threshold}}
    of = {"of": rule.of} if rule.of else {}
    return {"aggregate": rule.figure.value, **of, "operator": rule.operator.value, "threshold": threshold}
