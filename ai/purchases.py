"""Purchases: conditions on what was ordered, bought and spent, how often, when, and in which single order.

"Ordered" speaks of orders, "bought" and "purchased" of the last purchase, which opening figures set as well, and
"spent" of money: over all time the total spend, else the sum of the orders that are meant.
"""

from dataclasses import replace
from decimal import Decimal

from ai import conditions
from ai.conditions import Meaning, Sense, compared, finished, in_window
from ai.frames import ORDER_VALUES, Frame
from ai.pieces import Bound, Length, Share, Slot, Value, Which, Window
from segmentation.tree import (
    EVERYONE,
    RANGING,
    Comparison,
    Condition,
    Figure,
    Group,
    Operator,
    Rule,
    Subject,
    all_of,
    any_of,
)

_FIELDS = {
    Slot.COUPON: "coupon",
    Slot.CATEGORY: "items.category",
    Slot.ITEM: "items.name",
    Slot.METHOD: "payment.method",
    Slot.STATUS: "status",
}
_ONCE = Bound(Operator.AT_LEAST, (Decimal(1),))
_FIGURES = {Which.BIGGEST: Figure.MAX, Which.SMALLEST: Figure.MIN, Which.AVERAGE: Figure.AVG}
_OF_ONE = (Which.SINGLE, Which.WORTH)
BIGGEST_COUNT = Decimal(99)  # a larger number said after "order" is its amount


def of(frame: Frame, sense: Sense) -> Meaning | None:
    """The meaning of a frame about orders, purchases or money spent."""
    which = frame.one(Slot.WHICH, Which)
    if frame.has(Slot.LITERAL) and not frame.has(Slot.COUPON):
        return None
    if share := frame.one(Slot.SHARE, Share):
        return _share(frame, share, sense)
    if which in (Which.LAST, Which.FIRST):
        return _edge(frame, which is Which.LAST, sense)
    if which in _FIGURES or frame.has(Slot.PER_ORDER):
        return _figure(frame, _FIGURES.get(which or Which.AVERAGE, Figure.AVG), sense)
    topic = frame.topic
    name = topic.name if topic else ""
    number = _number(frame)
    if which is Which.TOTAL:
        return _in_total(frame, sense)
    if name == "pay" and number and not frame.has(Slot.METHOD):
        name = "spend"
    if name == "spend" and which not in _OF_ONE:
        return _spent(frame, sense)
    return _counted(frame, name, sense)


def of_messages(frame: Frame, sense: Sense) -> Meaning | None:
    """The meaning of a frame about messages received."""
    window, vague = conditions.window_of(frame, sense)
    tests: list[Rule] = list(in_window("sentAt", window)) if window else []
    if channel := frame.one(Slot.CHANNEL, str):
        if channel not in ("sms", "email"):
            return None
        tests.append(Comparison("channel", Operator.EQUAL, channel.upper()))
    if frame.has(Slot.SHARE):
        return None
    count = conditions.bound_of(frame, Slot.TIMES) or conditions.bound_of(frame, Slot.NUMBER) or _ONCE
    rule = _count(Subject.MESSAGES, all_of(*tests), count)
    return finished(frame, Meaning(rule, 1.0, conditions.notes_of(window), vague=vague)) if rule else None


def _share(frame: Frame, share: Share, sense: Sense) -> Meaning | None:
    if frame.slots - {Slot.TOPIC, Slot.SHARE, Slot.NOT}:
        return None
    topic = frame.topic
    name = "orderCount" if topic and topic.name == "order" else "totalSpend"
    return finished(frame, conditions.ranked(name, share, sense))


def _edge(frame: Frame, last: bool, sense: Sense) -> Meaning | None:
    """When the last, or the first, purchase or order was."""
    if frame.slots - {Slot.TOPIC, Slot.WHICH, Slot.WINDOW, Slot.LENGTH, Slot.NOT, Slot.PRESENT}:
        return None
    length = frame.one(Slot.LENGTH, Length)
    window, vague = conditions.window_of(frame, sense)
    if length and not frame.has(Slot.WINDOW):
        window = conditions.lasted(length)
    topic = frame.topic
    if window is None or topic is None or topic.name not in ("order", "buy"):
        return None
    if topic.name == "order":
        rule: Rule = _edge_of_orders(window, last)
    else:
        rule = conditions.together(in_window("lastPurchase" if last else "firstPurchase", window))
    return finished(frame, Meaning(rule, 0.0, conditions.notes_of(window), vague=vague))


def _edge_of_orders(window: Window, last: bool) -> Rule:
    """There is an order in the window, and none on its far side; opening figures are no orders."""
    rules: list[Rule] = []
    far = {Operator.LESS, Operator.AT_MOST} if last else {Operator.MORE, Operator.AT_LEAST}
    opposite = {
        Operator.LESS: Operator.AT_LEAST,
        Operator.AT_MOST: Operator.MORE,
        Operator.MORE: Operator.AT_MOST,
        Operator.AT_LEAST: Operator.LESS,
    }
    for operator, *values in window.tests:
        edge = values[-1] if last else values[0]
        if operator in far:
            rules.append(_none_when(opposite[operator], edge))
        elif operator in (Operator.BETWEEN, Operator.EQUAL):
            rules.append(_none_when(Operator.MORE if last else Operator.LESS, edge))
    if len(window.tests) == 1 and window.tests[0][0] in far:
        return all_of(Comparison("orderCount", Operator.AT_LEAST, Decimal(1)), *rules)
    inside = _count(Subject.ORDERS, all_of(*in_window("placedAt", window)), _ONCE)
    assert inside
    return all_of(inside, *rules)


def _none_when(operator: Operator, value: object) -> Condition:
    test = Comparison("placedAt", operator, value)  # type: ignore[arg-type]
    return Condition(Subject.ORDERS, Figure.COUNT, None, Operator.EQUAL, Decimal(0), all_of(test))


def _figure(frame: Frame, figure: Figure, sense: Sense) -> Meaning | None:
    """The biggest, the smallest or the average order."""
    bound = _number(frame)
    if bound and bound.is_plain and not bound.is_money and frame.comes_before(Slot.NUMBER, Slot.WHICH):
        return None  # "100 biggest spenders" are so many people
    if (
        bound is None
        or frame.has(Slot.TIMES, Slot.ITEMS, Slot.LENGTH)
        or (frame.has(Slot.AMOUNT) and frame.has(Slot.NUMBER))
    ):
        return None
    window, vague = conditions.window_of(frame, sense)
    where = _where(frame, window)
    rule: Rule = _held(Condition(Subject.ORDERS, figure, "amount", Operator.EQUAL, None, where), bound)
    if figure is Figure.AVG and where == EVERYONE:
        rule = compared("averageOrderValue", bound)
    return finished(frame, Meaning(rule, 0.2, conditions.notes_of(window), vague=vague))


def _spent(frame: Frame, sense: Sense) -> Meaning | None:
    """So much money, over all time or on the orders that are meant."""
    if frame.has(Slot.ITEMS) or (frame.has(Slot.AMOUNT) and frame.has(Slot.NUMBER)):
        return None
    bound, window_vague = _number(frame), conditions.window_of(frame, sense)
    window, vague = window_vague
    where = _where(frame, window)
    if bound and bound.is_plain and frame.has(Slot.NOT):
        bound = replace(bound, operator=Operator.AT_LEAST)  # "haven't spent 1,000" is less than that
    if bound and (times := conditions.bound_of(frame, Slot.TIMES)):
        rule = _count(Subject.ORDERS, all_of(compared("amount", bound), *_flat(where)), times)
        return finished(frame, Meaning(rule, 0.3, conditions.notes_of(window), vague=vague)) if rule else None
    if frame.has(Slot.TIMES, Slot.PRESENT) and bound is None:
        return None
    cost = 0.0 if bound or frame.has(Slot.NOT) else 1.5
    bound = bound or Bound(Operator.MORE, (Decimal(0),))
    if where == EVERYONE:
        field = "totalSpend"
        if not frame.has(Slot.NUMBER, Slot.AMOUNT) and frame.has(Slot.NOT):
            return Meaning(Comparison(field, Operator.EQUAL, Decimal(0)))
        return finished(frame, Meaning(compared(field, bound), cost + _doubt(frame, bound)))
    rule = _held(Condition(Subject.ORDERS, Figure.SUM, "amount", Operator.EQUAL, None, where), bound)
    return finished(frame, Meaning(rule, cost + _doubt(frame, bound), conditions.notes_of(window), vague=vague))


def _in_total(frame: Frame, sense: Sense) -> Meaning | None:
    """So much money for all orders that are meant together, and, where that is said as well, so many of them."""
    count, total = _count_and_total(frame)
    if total is None or frame.has(Slot.ITEMS):
        return None
    if count is None:
        return _spent(frame, sense)
    window, vague = conditions.window_of(frame, sense)
    where = _where(frame, window)
    counted = compared("orderCount", count) if where == EVERYONE else _count(Subject.ORDERS, where, count)
    summed = Condition(Subject.ORDERS, Figure.SUM, "amount", Operator.EQUAL, None, where)
    spent = compared("totalSpend", total) if where == EVERYONE else _held(summed, total)
    if counted is None:
        return None
    return finished(frame, Meaning(all_of(counted, spent), 0.0, conditions.notes_of(window), vague=vague))


def _count_and_total(frame: Frame) -> tuple[Bound | None, Bound | None]:
    """Which number counts orders, and which is their money: "3 orders for 80 in total", "60k in total on 3 orders"."""
    number, amount = conditions.bound_of(frame, Slot.NUMBER), frame.one(Slot.AMOUNT, Bound)
    times = conditions.bound_of(frame, Slot.TIMES)
    if times or number is None or amount is None:
        only = number or amount
        is_sum = only is not None and (_is_sum(only) or times is not None)
        return times, only if is_sum and not (number and amount) else None
    topic = frame.topic
    is_first = topic is not None and topic.name != "spend" and frame.comes_before(Slot.NUMBER, Slot.TOPIC)
    if is_first or (_is_sum(amount) and not _is_sum(number)):
        return number, amount
    return (amount, number) if _is_sum(number) and not _is_sum(amount) else (None, None)


def _counted(frame: Frame, name: str, sense: Sense) -> Meaning | None:
    """So many orders, or any at all, that are as was said."""
    if {Slot.NUMBER, Slot.AMOUNT, Slot.TIMES} <= frame.slots:
        return None
    count, amount, items = _roles(frame)
    window, vague = conditions.window_of(frame, sense)
    tests = _flat(_where(frame, window))
    if name == "pay" and not tests:
        return None
    if amount:
        tests.append(compared("amount", amount))
    if items:
        tests.append(compared("itemCount", items))
    meaning = Meaning(EVERYONE, _bareness(frame, name, count), conditions.notes_of(window), vague=vague)
    if not tests:
        rule = _overall(frame, name, count)
    elif name == "buy" and count is None and window and not amount and not items and not frame.has(*ORDER_VALUES):
        rule = _bought_in(window)
    else:
        rule = _count(Subject.ORDERS, all_of(*tests), count or _ONCE)
    return finished(frame, replace(meaning, rule=rule)) if rule else None


def _overall(frame: Frame, name: str, count: Bound | None) -> Rule | None:
    if count:
        return compared("orderCount", count) if all(value == int(value) for value in count.values) else None
    if name == "buy":
        return Comparison("lastPurchase", Operator.NOT_NULL)
    if frame.has(Slot.NOT) and name:
        return Comparison("orderCount", Operator.NOT_EQUAL, Decimal(0))
    return Comparison("orderCount", Operator.AT_LEAST, Decimal(1)) if name else None


def _bought_in(window: Window) -> Rule:
    """Bought in a window: by the last purchase, or, when it has an end, by an earlier one too."""
    last = conditions.together(in_window("lastPurchase", window))
    if not window.closed:
        return last
    ordered = _count(Subject.ORDERS, all_of(*in_window("placedAt", window)), _ONCE)
    assert ordered
    return any_of(ordered, last)


def _roles(frame: Frame) -> tuple[Bound | None, Bound | None, Bound | None]:
    """Which number counts orders, which is the amount of one, and which counts items."""
    number, amount = conditions.bound_of(frame, Slot.NUMBER), frame.one(Slot.AMOUNT, Bound)
    count = conditions.bound_of(frame, Slot.TIMES)
    if number and frame.has(Slot.ITEMS):
        return count, amount, number
    if number is None:
        return count, amount, None
    if amount and number.is_plain and number.values == _ONCE.values:
        return count, amount, None  # "a single order worth more than 20k"
    if amount is None and (count or _is_amount(frame, number)):
        return count, number, None
    return number, amount, None


def _is_amount(frame: Frame, number: Bound) -> bool:
    """Whether a number is what an order came to rather than how many there are."""
    if number.is_money or frame.one(Slot.WHICH, Which) in _OF_ONE:
        return True
    topic = frame.topic
    is_after = frame.comes_before(Slot.TOPIC, Slot.NUMBER)
    return max(number.values) > BIGGEST_COUNT and (is_after or bool(topic and topic.name in ("spend", "pay")))


def _is_sum(number: Bound) -> bool:
    """Whether a number is the money of several orders rather than how many these are: "5 orders in total"."""
    return number.is_money or max(number.values) > BIGGEST_COUNT


def _bareness(frame: Frame, name: str, count: Bound | None) -> float:
    """ "Ordered" alone says little; more often a word was missed."""
    if frame.slots <= {Slot.TOPIC, Slot.WHICH, Slot.PRESENT}:
        return 1.1
    return 0.2 if count and name == "buy" else 0.0


def _doubt(frame: Frame, bound: Bound) -> float:
    """Few people have spent just so much, unless it is said that it is a total."""
    is_total = frame.one(Slot.WHICH, Which) is Which.TOTAL
    return 0.5 if bound.is_plain and not is_total and bound.values != (Decimal(0),) else 0.0


def _number(frame: Frame) -> Bound | None:
    return conditions.bound_of(frame, Slot.NUMBER) or frame.one(Slot.AMOUNT, Bound)


def _where(frame: Frame, window: Window | None) -> Group:
    """What an order has to be: placed in the window, with these values."""
    tests: list[Rule] = []
    for slot, field in _FIELDS.items():
        if value := frame.one(slot, Value):
            tests.append(Comparison(field, Operator.EQUAL, value.value))
        elif literal := frame.one(slot, str):
            if literal != "*":
                tests.append(Comparison(field, Operator.EQUAL, literal))
            elif slot is Slot.COUPON and (named := frame.one(Slot.LITERAL, str)):
                tests.append(Comparison(field, Operator.EQUAL, named))
            else:
                tests.append(Comparison(field, Operator.NOT_NULL))
    if window:
        tests += in_window("placedAt", window)
    return all_of(*tests)


def _flat(where: Group) -> list[Rule]:
    return list(where.rules)


def _held(condition: Condition, bound: Bound) -> Condition:
    value = bound.values if bound.operator in RANGING else bound.values[0]
    return replace(condition, operator=bound.operator, value=value)


def _count(subject: Subject, where: Group, count: Bound) -> Condition | None:
    """COUNT as the validator has it; None for a number that no count can be."""
    if any(value != int(value) or value < 0 for value in count.values):
        return None
    condition = _held(Condition(subject, Figure.COUNT, None, Operator.EQUAL, None, where), count)
    match condition.operator, count.values[0]:
        case Operator.MORE, number:
            return replace(condition, operator=Operator.AT_LEAST, value=number + 1)
        case Operator.LESS, number if number > 0:
            return replace(condition, operator=Operator.AT_MOST, value=number - 1)
        case Operator.LESS, _:
            return None
        case _:
            return condition
