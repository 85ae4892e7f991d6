"""The printer: the tree in the segment query language, as `query.parse` reads it back."""

from decimal import Decimal

from segmentation import dates, fields
from segmentation.tree import (
    RANGING,
    Anchor,
    Comparison,
    Condition,
    Figure,
    Group,
    Operand,
    Operator,
    Relative,
    Rule,
    Scalar,
)

_WORDS = {
    Operator.CONTAINS: "CONTAINS",
    Operator.DOES_NOT_CONTAIN: "NOT CONTAINS",
    Operator.BEGINS_WITH: "STARTS WITH",
    Operator.DOES_NOT_BEGIN_WITH: "NOT STARTS WITH",
    Operator.ENDS_WITH: "ENDS WITH",
    Operator.DOES_NOT_END_WITH: "NOT ENDS WITH",
    Operator.NULL: "IS NOT SET",
    Operator.NOT_NULL: "IS SET",
    Operator.IN: "IN",
    Operator.NOT_IN: "NOT IN",
    Operator.BETWEEN: "BETWEEN",
    Operator.NOT_BETWEEN: "NOT BETWEEN",
}
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_NAMED = {Relative(Anchor.TODAY, -1): "yesterday"}


def query(rule: Rule) -> str:
    """The text of a segment's rules, or of one of them."""
    match rule:
        case Group():
            return _group(rule)
        case Comparison(field, Operator.ANNIVERSARY_IN, value):
            return f"{field} IS TODAY" if value == 0 else f"{field} IN NEXT {value} DAYS"
        case Comparison(field, operator, value):
            return f"{_field(field)} {_test(operator, value)}"
        case Condition():
            return f"{_figure(rule)} {_test(rule.operator, rule.value)}"


def scalar(value: Scalar) -> str:
    """The text of one value."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value)
        case Decimal():
            return format(value, "f")
        case Relative():
            return _NAMED.get(value) or _relative(value)
        case _:
            return dates.text(value)


def _group(group: Group) -> str:
    if not group.rules:
        text = "EVERYONE"
    else:
        joint = f" {group.combinator.upper()} "
        text = joint.join(_inner(rule) for rule in group.rules)
    if not group.negated:
        return text
    return f"NOT {text}" if len(group.rules) < 2 else f"NOT ({text})"


def _inner(rule: Rule) -> str:
    needs_parentheses = isinstance(rule, Group) and not rule.negated and len(rule.rules) > 1
    return f"({query(rule)})" if needs_parentheses else query(rule)


def _field(name: str) -> str:
    key = fields.attribute_name(name)
    if key is None or fields.is_plain_word(key):
        return name
    return f"{fields.ATTRIBUTES}{_quoted(key)}"


def _figure(rule: Condition) -> str:
    of = rule.subject if rule.figure is Figure.COUNT else f"{rule.subject}.{rule.of}"
    where = f" WHERE {query(rule.where)}" if rule.where.rules or rule.where.negated else ""
    return f"{rule.figure.upper()}({of}{where})"


def _test(operator: Operator, value: Operand) -> str:
    word = _WORDS.get(operator, operator.value)
    match value:
        case None:
            return word
        case tuple() if operator in RANGING:
            return f"{word} {' AND '.join(map(scalar, value))}"
        case tuple():
            return f"{word} ({', '.join(map(scalar, value))})"
        case _:
            return f"{word} {scalar(value)}"


def _quoted(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _relative(value: Relative) -> str:
    amount = abs(value.amount)
    length = f"{amount} {value.unit.removesuffix('s') if amount == 1 else value.unit}"
    if value.amount == 0:
        return value.anchor.value
    if value.anchor is Anchor.NOW:
        return f"{length} {'ago' if value.amount < 0 else 'from now'}"
    return f"{length} {'before' if value.amount < 0 else 'after'} {value.anchor.value}"
