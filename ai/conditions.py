"""Conditions: what a reading of a frame comes to, and what all of them are made with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from ai import spans
from ai.bounds import limited
from ai.frames import Frame
from ai.pieces import Bound, Length, Share, Slot, Vague, Window
from segmentation.tree import (
    RANGING,
    Comparison,
    Condition,
    Figure,
    Group,
    Operator,
    Rule,
    all_of,
    none_of,
)

# What holds exactly where the other does not; COUNT conditions have their own.
_OPPOSITES = {
    Operator.EQUAL: Operator.NOT_EQUAL,
    Operator.IN: Operator.NOT_IN,
    Operator.CONTAINS: Operator.DOES_NOT_CONTAIN,
    Operator.BEGINS_WITH: Operator.DOES_NOT_BEGIN_WITH,
    Operator.ENDS_WITH: Operator.DOES_NOT_END_WITH,
    Operator.NOT_NULL: Operator.NULL,
    Operator.BETWEEN: Operator.NOT_BETWEEN,
}
_OPPOSITES |= {negative: positive for positive, negative in _OPPOSITES.items()}


@dataclass(frozen=True, slots=True)
class Ranking:
    """Customers ranked by a field, from the top or the bottom, and the share of them that is meant."""

    field: str
    top: bool
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Sense:
    """What vague words are taken to mean, and what is known of the data."""

    recent_days: int = 30
    inactive_days: int = 90
    top_percent: Decimal = Decimal(10)
    has_age: bool = True
    thresholds: Mapping[Ranking, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Meaning:
    """A rule, what was assumed in reading it, and a cost: 0 for what was said in so many words."""

    rule: Rule
    cost: float = 0.0
    notes: tuple[str, ...] = ()
    rankings: tuple[Ranking, ...] = ()
    vague: frozenset[str] = frozenset()


def negated(rule: Rule) -> Rule:
    """The rule that everyone passes whom this one leaves out, in its shortest form."""
    match rule:
        case Comparison(name, operator, value) if operator in _OPPOSITES:
            return Comparison(name, _OPPOSITES[operator], value)
        case Condition(figure=Figure.COUNT, operator=Operator.AT_LEAST, value=value) if value == 1:
            return replace(rule, operator=Operator.EQUAL, value=Decimal(0))
        case Group(rules=(only,), negated=True):
            return only
        case _:
            return none_of(rule)


def bound_of(frame: Frame, slot: Slot) -> Bound | None:
    """The bound in a slot, with what was said after it: "or more"."""
    bound = frame.one(slot, Bound)
    limit = frame.one(Slot.LIMIT, Operator)
    return limited(bound, limit) if bound and bound.is_plain and limit else bound


def compared(name: str, bound: Bound) -> Comparison:
    """The field held against the bound."""
    return Comparison(name, bound.operator, bound.values if bound.operator in RANGING else bound.values[0])


def in_window(name: str, window: Window) -> tuple[Comparison, ...]:
    """The tests of a window, made of a date field."""
    return tuple(
        Comparison(name, operator, tuple(values) if operator in RANGING else values[0])
        for operator, *values in window.tests
    )


def window_of(frame: Frame, sense: Sense) -> tuple[Window | None, frozenset[str]]:
    """The window that a frame says, "for 90 days" and "recently" included, and the vague words used."""
    filling = frame.get(Slot.WINDOW)
    match filling.fillers if filling else ():
        case (Window() as window,):
            return window, frozenset()
        case (Vague.RECENTLY,):
            said = f"'recently' means in the last {sense.recent_days} days"
            return replace(spans.recently(sense.recent_days), note=said), frozenset({Vague.RECENTLY})
    if length := frame.one(Slot.LENGTH, Length):
        return Window(((Operator.AT_LEAST, spans.ago(length.span)),)), frozenset()
    return None, frozenset()


def notes_of(window: Window | None) -> tuple[str, ...]:
    """What was assumed in reading a window."""
    return (window.note,) if window and window.note else ()


def finished(frame: Frame, meaning: Meaning) -> Meaning:
    """The meaning, or its opposite when the frame says not."""
    return replace(meaning, rule=negated(meaning.rule)) if frame.has(Slot.NOT) else meaning


def ranked(name: str, share: Share, sense: Sense) -> Meaning:
    """The customers at one end of a ranking, by the threshold that lets them in, ties too."""
    percent = sense.top_percent if share.assumed else share.percent
    ranking = Ranking(name, share.top, percent)
    threshold = sense.thresholds.get(ranking, Decimal(0))
    end = "top" if share.top else "bottom"
    direction = "over" if share.top else "under"
    note = f"{share.assumed or f'{end} {percent}%'}: {name} at or {direction} {threshold:,}, the {end} {percent}%"
    operator = Operator.AT_LEAST if share.top else Operator.AT_MOST
    vague = frozenset({"share"}) if share.assumed else frozenset[str]()
    return Meaning(Comparison(name, operator, threshold), 0.0, (note,), (ranking,), vague)


def lasted(length: Length) -> Window:
    """When what has lasted so long began: over a year means before that instant."""
    earlier = {
        Operator.MORE: Operator.LESS,
        Operator.AT_LEAST: Operator.AT_MOST,
        Operator.LESS: Operator.MORE,
        Operator.AT_MOST: Operator.AT_LEAST,
    }
    return Window(((earlier.get(length.operator, Operator.AT_MOST), spans.ago(length.span)),))


def together(rules: Sequence[Rule]) -> Rule:
    return rules[0] if len(rules) == 1 else all_of(*rules)
