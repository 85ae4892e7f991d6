"""Descriptions: a rule tree in one plain sentence, for those who would rather not read a query."""

from collections.abc import Mapping
from decimal import Decimal

from segmentation import fields, printer
from segmentation.tree import (
    RANGING,
    UNARY,
    Anchor,
    Combinator,
    Comparison,
    Condition,
    Figure,
    Group,
    Operand,
    Operator,
    Relative,
    Rule,
    Scalar,
    Subject,
)

_TESTS = {
    Operator.EQUAL: "is",
    Operator.NOT_EQUAL: "is not",
    Operator.LESS: "is under",
    Operator.AT_MOST: "is at most",
    Operator.MORE: "is over",
    Operator.AT_LEAST: "is at least",
    Operator.IN: "is one of",
    Operator.NOT_IN: "is none of",
    Operator.BETWEEN: "is between",
    Operator.NOT_BETWEEN: "is not between",
    Operator.CONTAINS: "contains",
    Operator.DOES_NOT_CONTAIN: "does not contain",
    Operator.BEGINS_WITH: "begins with",
    Operator.DOES_NOT_BEGIN_WITH: "does not begin with",
    Operator.ENDS_WITH: "ends with",
    Operator.DOES_NOT_END_WITH: "does not end with",
    Operator.NULL: "is not known",
    Operator.NOT_NULL: "is known",
}
_DATED = {
    **_TESTS,
    Operator.LESS: "is before",
    Operator.AT_MOST: "is not after",
    Operator.MORE: "is after",
    Operator.AT_LEAST: "is not before",
}
_LISTED = {
    Operator.CONTAINS: "include",
    Operator.DOES_NOT_CONTAIN: "do not include",
    Operator.IN: "include one of",
    Operator.NOT_IN: "include none of",
    Operator.NULL: "are missing",
    Operator.NOT_NULL: "are not missing",
}
_COUNTS = {
    Operator.EQUAL: "exactly",
    Operator.NOT_EQUAL: "other than",
    Operator.AT_LEAST: "at least",
    Operator.AT_MOST: "at most",
    Operator.BETWEEN: "between",
    Operator.NOT_BETWEEN: "not between",
}
_LABELS = {"visitCount": "number of visits", "orderCount": "number of orders", "placedAt": "date", "email": "e-mail"}
_FIGURES: Mapping[Figure, str] = {
    Figure.SUM: "total",
    Figure.AVG: "average",
    Figure.MIN: "smallest",
    Figure.MAX: "biggest",
}


def sentence(rules: Group) -> str:
    """Who the rules select, in words."""
    return f"Customers {_rule(rules)}." if rules.rules else "All customers."


def _rule(rule: Rule, subject: Subject | None = None) -> str:
    match rule:
        case Group():
            return _group(rule, subject)
        case Comparison("tags", operator, value):
            return f"whose tags {_LISTED[operator]} {_values(operator, value)}".rstrip()
        case Comparison(name, Operator.ANNIVERSARY_IN, value):
            return f"whose {_label(name, subject)} {'is today' if value == 0 else f'comes in the next {value} days'}"
        case Comparison(name, operator, value):
            return f"whose {_label(name, subject)} {_test(operator, value)}"
        case Condition():
            return _condition(rule)


def _group(group: Group, subject: Subject | None) -> str:
    inner = [_nested(rule, subject) for rule in group.rules]
    text = (" and " if group.combinator is Combinator.AND else " or ").join(inner)
    return f"other than those {text if len(inner) < 2 else f'({text})'}" if group.negated else text


def _nested(rule: Rule, subject: Subject | None) -> str:
    is_several = isinstance(rule, Group) and not rule.negated and len(rule.rules) > 1
    return f"({_rule(rule, subject)})" if is_several else _rule(rule, subject)


def _condition(condition: Condition) -> str:
    such = f" {_rule(condition.where, condition.subject)}" if condition.where.rules else ""
    if condition.figure is not Figure.COUNT:
        figure = f"{_FIGURES[condition.figure]} {_label(condition.of or '', condition.subject)}"
        return (
            f"whose {condition.subject.value}{such} have a {figure} that {_test(condition.operator, condition.value)}"
        )
    if (condition.operator, condition.value) == (Operator.EQUAL, 0):
        return f"with no {condition.subject.value}{such}"
    count = f"{_COUNTS[condition.operator]} {_values(condition.operator, condition.value)}"
    noun = condition.subject.value.removesuffix("s") if condition.value == 1 else condition.subject.value
    return f"with {count} {noun}{such}"


def _label(name: str, subject: Subject | None) -> str:
    field = fields.find(name, subject)
    label = _LABELS.get(name) or fields.attribute_name(name) or (field.label if field else name)
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def _test(operator: Operator, value: Operand) -> str:
    match value:
        case Relative(Anchor.NOW, amount) if amount < 0 and operator in (Operator.AT_LEAST, Operator.MORE):
            return f"is within the last {printer.scalar(value).removesuffix(' ago')}"
        case Relative(Anchor.NOW, amount) if amount < 0 and operator in (Operator.AT_MOST, Operator.LESS):
            return f"is more than {printer.scalar(value)}"
    first = value[0] if isinstance(value, tuple) and value else value
    is_dated = first is not None and not isinstance(first, str | bool | Decimal)
    return f"{(_DATED if is_dated else _TESTS)[operator]} {_values(operator, value)}".rstrip()


def _values(operator: Operator, value: Operand) -> str:
    if operator in UNARY or value is None:
        return ""
    values = value if isinstance(value, tuple) else (value,)
    return (" and " if operator in RANGING else ", ").join(map(_scalar, values))


def _scalar(value: Scalar) -> str:
    match value:
        case Decimal():
            return f"{value:,f}"
        case str():
            return value.lower() if value.isupper() and value.isalpha() and len(value) > 3 else value
        case _:
            return printer.scalar(value)
