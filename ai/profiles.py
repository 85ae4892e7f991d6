"""Profiles: conditions on what a customer is and has agreed to, and on the figures and dates of a customer."""

from dataclasses import replace
from decimal import Decimal

from ai import conditions, purchases, spans
from ai.conditions import Meaning, Sense, finished
from ai.frames import ORDER_VALUES, Frame
from ai.pieces import Ahead, Bound, Family, Length, Share, Slot, Span, Topic, Value, Which, Window
from segmentation import fields
from segmentation.fields import FieldType
from segmentation.tree import (
    Comparison,
    Day,
    Operator,
    Relative,
    Rule,
    Unit,
    all_of,
    any_of,
    none_of,
)

AGE = "attributes.age"
YEAR_DAYS = 365


def label(frame: Frame, sense: Sense) -> Meaning | None:
    """A value that a field has, "tagged vip", or whether it has one, "no phone number"."""
    topic, value = frame.topic, frame.one(Slot.VALUE, Value)
    if value:
        if (topic and topic.name != value.field) or frame.has(Slot.LITERAL, Slot.MATCH):
            return None
        if frame.has(Slot.STATE) and (value.field != "tags" or frame.one(Slot.STATE, str) != "SUBSCRIBED"):
            return None
        operator = Operator.CONTAINS if value.field == "tags" else Operator.EQUAL
        meaning = Meaning(Comparison(value.field, operator, value.value))
        if frame.one(Slot.PRESENT, bool) is False:
            return None
        return finished(frame, meaning)
    if topic is None or frame.has(Slot.STATE):
        return None
    match_ = frame.one(Slot.MATCH, str)
    if literal := frame.one(Slot.LITERAL, str):
        field = fields.find(topic.name)
        if field and field.type not in (None, FieldType.STRING, FieldType.LIST):
            return None
        if match_ is None and not _is_likely(topic.name, literal):
            return None
        default = Operator.CONTAINS if topic.name == "tags" else Operator.EQUAL
        note = () if match_ else (f"no customer seen has the {topic.name} '{literal}' so far",)
        if topic.name == "phone" and match_ == Operator.BEGINS_WITH:
            literal = f"+{literal.lstrip('+')}"  # the sign is no part of a word
            note = ("phone numbers begin with + and the country code",)
        if topic.name == "name":
            default, note = Operator.CONTAINS, ()
        return finished(frame, Meaning(Comparison(topic.name, Operator(match_ or default), literal), 0.3, note))
    return None if frame.has(Slot.MATCH) else _presence(frame, topic.name)


def _is_likely(name: str, literal: str) -> bool:
    """Whether a word that no customer has for this field may be meant as its value all the same."""
    match name:
        case "name" | "city" | "state" | "country":
            return literal[:1].isupper()
        case "email":
            return "@" in literal
        case "phone" | "postalCode" | "externalId":
            return any(character.isdigit() for character in literal)
        case _:
            return True


def _presence(frame: Frame, name: str) -> Meaning | None:
    present, denied = frame.one(Slot.PRESENT, bool), frame.one(Slot.NOT, str)
    if present is None and denied is None:
        return None
    is_set = (present is not False) == (denied is None)
    costs: dict[tuple[str, bool | None], float] = {("no", None): 0.0, ("not", None): 1.5}
    cost = costs.get((denied or "", present), 0.3)
    return Meaning(Comparison(name, Operator.NOT_NULL if is_set else Operator.NULL), cost)


def consent(frame: Frame, sense: Sense) -> Meaning | None:
    state, channel = frame.one(Slot.STATE, str), frame.one(Slot.CHANNEL, str)
    cost, notes = 0.0, tuple[str, ...]()
    if state and frame.one(Slot.PRESENT, bool) is False:
        return None
    if state is None:
        if not frame.has(Slot.NOT, Slot.PRESENT) or frame.topic is None:
            return None
        missing = frame.one(Slot.PRESENT, bool) is False
        state, cost = ("UNKNOWN" if missing else "SUBSCRIBED"), 0.3
    if channel is None:
        cost, notes = cost + 1.0, ("no channel was named: either of SMS and email counts",)
    names = {"sms": ("smsConsent",), "email": ("emailConsent",)}.get(channel or "", ("smsConsent", "emailConsent"))
    tests = [Comparison(name, Operator.EQUAL, state) for name in names]
    rule: Rule = tests[0] if len(tests) == 1 else all_of(*tests) if channel == "both" else any_of(*tests)
    if channel == "both" and frame.one(Slot.NOT, str) == "no":
        rule = any_of(*tests)
    return finished(frame, Meaning(rule, cost, notes))


def measure(frame: Frame, sense: Sense) -> Meaning | None:
    topic = frame.topic
    assert topic
    name = AGE if topic.name == "age" else topic.name
    if name == "averageOrderValue" and frame.has(Slot.WINDOW, *ORDER_VALUES):
        return purchases.of(
            frame.but(Slot.TOPIC, Topic(Family.PURCHASE, "order")).but(Slot.WHICH, Which.AVERAGE), sense
        )
    if frame.has(Slot.WINDOW, Slot.WHICH, *ORDER_VALUES) or (frame.has(Slot.TIMES) and name != "visitCount"):
        return None
    if share := frame.one(Slot.SHARE, Share):
        return finished(frame, conditions.ranked(name, share, sense))
    bound = conditions.bound_of(frame, Slot.TIMES if frame.has(Slot.TIMES) else Slot.NUMBER)
    if bound is None:
        return _unmeasured(frame, name)
    if name == AGE and not sense.has_age:
        return finished(frame, Meaning(_by_birthday(bound), 0.0, ("age is worked out of the birthday",)))
    return finished(
        frame, Meaning(conditions.compared(name, bound), 0.3 if bound.is_money and name in ("visitCount", AGE) else 0.0)
    )


def _unmeasured(frame: Frame, name: str) -> Meaning | None:
    """ "No visits", "visited us"; an attribute that there is."""
    if name == "visitCount" and frame.has(Slot.NOT):
        return Meaning(Comparison(name, Operator.EQUAL, Decimal(0)))
    if name == "visitCount":
        return Meaning(Comparison(name, Operator.AT_LEAST, Decimal(1)), 1.5)
    meaning = _presence(frame, name) if name.startswith("attributes.") else None
    if meaning and name == AGE:
        return replace(meaning, cost=meaning.cost + 1.5)  # in "no messages this year", "year" is no age
    return meaning


def date(frame: Frame, sense: Sense) -> Meaning | None:
    topic = frame.topic
    assert topic
    if frame.has(Slot.NUMBER, Slot.PRESENT):
        return None
    if (length := frame.one(Slot.LENGTH, Length)) and not frame.has(Slot.WINDOW):
        return finished(frame, Meaning(all_of(*conditions.in_window(topic.name, conditions.lasted(length)))))
    window, vague = conditions.window_of(frame, sense)
    if window is None or (topic.name == "birthday" and window.note):
        return None  # "born in July" is no matter of this year's July
    return finished(
        frame,
        Meaning(
            conditions.together(conditions.in_window(topic.name, window)), 0.0, conditions.notes_of(window), vague=vague
        ),
    )


def _by_birthday(bound: Bound) -> Rule:
    """An age as a birthday: over 40 is born before the day 41 years ago and a day."""

    def years_ago(years: Decimal) -> Relative:
        return spans.ago(Span(int(years), Unit.YEARS))

    low, high = bound.values[0], bound.values[-1]
    match bound.operator:
        case Operator.MORE:
            return Comparison("birthday", Operator.AT_MOST, years_ago(low + 1))
        case Operator.AT_LEAST:
            return Comparison("birthday", Operator.AT_MOST, years_ago(low))
        case Operator.LESS:
            return Comparison("birthday", Operator.MORE, years_ago(low))
        case Operator.AT_MOST:
            return Comparison("birthday", Operator.MORE, years_ago(low + 1))
        case _:
            between = (
                Comparison("birthday", Operator.AT_MOST, years_ago(low)),
                Comparison("birthday", Operator.MORE, years_ago(high + 1)),
            )
            return conditions.negated(all_of(*between)) if bound.operator is Operator.NOT_EQUAL else all_of(*between)


def birthday(frame: Frame, sense: Sense) -> Meaning | None:
    window = frame.one(Slot.WINDOW, Window)
    if window and not window.note and all(isinstance(value, Day) for _, *values in window.tests for value in values):
        return date(frame, sense)  # "birthday before 1980" is a date of birth; "in June", without a year, is not
    if frame.has(Slot.WINDOW):
        return None
    ahead = frame.one(Slot.AHEAD, Ahead)
    if ahead is None:
        return _presence(frame, "birthday") if frame.has(Slot.NOT, Slot.PRESENT) else None
    return finished(frame, Meaning(_anniversary(ahead.first, ahead.last)))


def _anniversary(first: int, last: int) -> Rule:
    """Birthdays from so many days ahead to so many; a first day in the past comes again in a year."""
    within = Comparison("birthday", Operator.ANNIVERSARY_IN, Decimal(last))
    if first == 0:
        return within
    if first > 0:
        return all_of(within, none_of(Comparison("birthday", Operator.ANNIVERSARY_IN, Decimal(first - 1))))
    earlier = none_of(Comparison("birthday", Operator.ANNIVERSARY_IN, Decimal(YEAR_DAYS + first - 1)))
    return any_of(within, all_of(Comparison("birthday", Operator.NOT_NULL), earlier))


def activity(frame: Frame, sense: Sense) -> Meaning | None:
    topic = frame.topic
    assert topic
    window, vague = conditions.window_of(frame, sense)
    notes: tuple[str, ...] = conditions.notes_of(window)
    if window is None:
        said = f"no purchase in the last {sense.inactive_days} days"
        if topic.name == "active":
            said = said.replace("no", "a", 1)
        notes, vague = (f"'{topic.name}' means {said}",), frozenset({"inactive"})
        window = spans.recently(sense.inactive_days)
    rule = conditions.together(conditions.in_window("lastPurchase", window))
    # Who went quiet "since June" has not bought from then on; who did "6 months ago", or "in 2025", bought then for the
    # last time.
    is_onwards = all(operator in (Operator.MORE, Operator.AT_LEAST) for operator, *_ in window.tests)
    rule = conditions.negated(rule) if topic.name == "inactive" and is_onwards else rule
    return finished(frame, Meaning(rule, 0.0, notes, vague=vague))
