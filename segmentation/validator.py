"""The validator: the one gate that every rule passes, whichever language it came in.

Faults say where in the rule they are: ("field",), ("operator",), ("value",), ("value", "3"), ("threshold",). The
readers put the place of the rule before that. Nothing is guessed, and nothing falls back to everyone.
"""

from decimal import Decimal

import errors
from segmentation import fields, items, values
from segmentation.fields import Field, FieldType
from segmentation.tree import (
    EVERYONE,
    LISTING,
    RANGING,
    UNARY,
    Comparison,
    Condition,
    Day,
    Figure,
    Group,
    Instant,
    Operand,
    Operator,
    Relative,
    Rule,
    Scalar,
    Subject,
    canonical,
    walk,
)

MAX_DEPTH = 10
MAX_RULES = 200
MAX_VALUES = 1_000
_COUNTED = Field("COUNT", "Number", FieldType.NUMBER)


def comparison(name: str, operator: str, value: Operand, subject: Subject | None = None) -> Comparison | Condition:
    """The rule about one field, of customers or, inside a condition, of their orders or messages.

    `orders IS SET` comes out as the condition that there is one. Raises InvalidInput or TooLarge.
    """
    field = _field(name, subject)
    known = _operator(field, operator)
    if field.type in (FieldType.ORDERS, FieldType.MESSAGES):
        asked = Operator.AT_LEAST if known is Operator.NOT_NULL else Operator.EQUAL
        threshold = Decimal(1) if known is Operator.NOT_NULL else Decimal(0)
        return Condition(Subject(name), Figure.COUNT, None, asked, threshold, EVERYONE)
    return Comparison(name, known, _operand(field, known, value))


def condition(
    subject: Subject, figure: Figure, of: str | None, operator: str, threshold: Operand, where: Group
) -> Condition:
    """The order or message condition; raises InvalidInput or TooLarge. `where` is valid already."""
    if subject is Subject.ORDERS:
        items.refuse_tangled(where)  # too tangled a group is refused here, not when it is evaluated
    if figure is Figure.COUNT:
        return _counting(subject, operator, threshold, where)
    names = fields.summable(subject)
    field = fields.find(of or "", subject)
    if field is None or field.name not in names:
        raise errors.InvalidInput(
            f"{figure.upper()} is of {' or '.join(names)}." if names else f"{subject} have no {figure.upper()}.",
            ("of",),
        )
    known = _operator(field, operator)
    return Condition(subject, figure, of, known, _operand(field, known, threshold, "threshold"), where)


def group(rules: Group) -> Group:
    """The canonical group, within the limits of depth and size; raises TooLarge. Its rules are valid already."""
    if depth(rules) > MAX_DEPTH:
        raise errors.TooLarge(f"Groups go at most {MAX_DEPTH} deep.")
    if sum(not isinstance(rule, Group) for rule in walk(rules)) > MAX_RULES:
        raise errors.TooLarge(f"A segment has at most {MAX_RULES} rules.")
    return canonical(rules)


def validate(rules: Group) -> Group:
    """A tree made in code, passed through the whole gate: canonical, or the reason why not as a Fault."""
    return group(_revalidated(rules, None))


def depth(rule: Rule) -> int:
    """How deep groups are nested, the group of a condition included; a lone rule has none."""
    match rule:
        case Group(rules=rules):
            return 1 + max(map(depth, rules), default=0)
        case Condition(where=where):
            return depth(where)
        case _:
            return 0


def _revalidated(rules: Group, subject: Subject | None) -> Group:
    found: list[Rule] = []
    for rule in rules.rules:
        match rule:
            case Group():
                found.append(_revalidated(rule, subject))
            case Condition():
                where = _revalidated(rule.where, rule.subject)
                found.append(condition(rule.subject, rule.figure, rule.of, rule.operator, rule.value, where))
            case Comparison():
                found.append(comparison(rule.field, rule.operator, rule.value, subject))
    return canonical(Group(rules.combinator, tuple(found), rules.negated))


def _field(name: str, subject: Subject | None) -> Field:
    field = fields.find(name, subject)
    if field:
        return field
    near = fields.near(name, subject)
    owner = f"{subject} have" if subject else "Customers have"
    hint = f" Did you mean {near}?" if near else ""
    raise errors.InvalidInput(f"{owner.capitalize()} no field {name[:60]!r}.{hint}", ("field",))


def _operator(field: Field, operator: str) -> Operator:
    if operator not in field.operators:
        known = " ".join(field.operators)
        raise errors.InvalidInput(f"{field.name} has no operator {operator[:60]!r}, only {known}.", ("operator",))
    return Operator(operator)


def _operand(field: Field, operator: Operator, value: Operand, place: str = "value") -> Operand:
    if operator in UNARY:
        return None
    if value is None or value == ():
        raise errors.Required(f"{field.name} {operator} needs a value.", (place,))
    if operator not in LISTING | RANGING:
        if isinstance(value, tuple):
            raise errors.InvalidInput(f"{field.name} {operator} takes one value.", (place,))
        return _value(field, operator, value, place)
    if not isinstance(value, tuple):
        raise errors.InvalidInput(f"{field.name} {operator} takes a list of values.", (place,))
    if operator in RANGING and len(value) != 2:
        raise errors.InvalidInput(f"{field.name} {operator} takes two values.", (place,))
    if len(value) > MAX_VALUES:
        raise errors.TooLarge(f"A list has at most {MAX_VALUES:,} values.", (place,))
    return _alike(field, value, tuple(_value(field, operator, one, place, i) for i, one in enumerate(value)), place)


def _value(field: Field, operator: Operator, value: Scalar, *place: str | int) -> Scalar:
    try:
        return values.read(field, operator, value)
    except errors.Fault as fault:
        raise fault.under(*map(str, place)) from fault


def _alike(field: Field, given: tuple[Scalar, ...], read: tuple[Scalar, ...], place: str) -> tuple[Scalar, ...]:
    """The values of a list. Those of an attribute are all dates or none is: `"2026-01-01"` beside "n/a" is a text."""
    is_date = [isinstance(value, Day | Instant | Relative) for value in read]
    if field.type is not None or len(set(is_date)) == 1:
        return read
    if all(isinstance(value, str) for value, dated in zip(given, is_date, strict=True) if dated):
        return given
    raise errors.InvalidInput("Dates and other values cannot be mixed in one list.", (place,))


def _counting(subject: Subject, operator: str, threshold: Operand, where: Group) -> Condition:
    """COUNT by at least, at most, exactly where it can be: what a rule builder knows."""
    known = _operator(_COUNTED, operator)
    if known in UNARY:
        raise errors.InvalidInput("A count is always set.", ("operator",))
    number = _operand(_COUNTED, known, threshold, "threshold")
    for one in number if isinstance(number, tuple) else (number,):
        if not isinstance(one, Decimal) or one != int(one) or one < 0:
            raise errors.InvalidInput("A count is compared with a whole number, 0 or more.", ("threshold",))
    match known, number:
        case Operator.MORE, Decimal():
            known, number = Operator.AT_LEAST, number + 1
        case Operator.LESS, Decimal():
            if number == 0:
                raise errors.InvalidInput("No count is below 0.", ("threshold",))
            known, number = Operator.AT_MOST, number - 1
    return Condition(subject, Figure.COUNT, None, known, number, where)
