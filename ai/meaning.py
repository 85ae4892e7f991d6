"""Meaning: the rule that a frame stands for, what was assumed in reading it so, and how far-fetched that is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ai import merging, profiles, purchases
from ai.conditions import Meaning, Sense, finished
from ai.frames import Filling, Frame
from ai.pieces import Bound, Family, Slot, Topic
from segmentation.tree import Combinator


def of(frame: Frame, sense: Sense) -> Meaning | None:
    """The meaning of a frame, or None when its pieces do not come to a condition."""
    several = next((slot for slot, filling in frame.fillings if len(filling.fillers) > 1), None)
    if several:
        return _of_several(frame, several, sense)
    if frame.has(Slot.LIMIT) and not frame.has(Slot.NUMBER, Slot.TIMES):
        return None
    topic = frame.topic
    if topic is None and (guessed := _guess(frame)):
        return _dearer(of(guessed[0], sense), guessed[1])
    family = topic.family if topic else Family.LABEL
    return _READERS[family](frame, sense)


def _of_several(frame: Frame, slot: Slot, sense: Sense) -> Meaning | None:
    """Alternatives in a slot, each a condition; "not" is about all of them: not Delhi or Mumbai."""
    filling = frame.get(slot)
    assert filling
    positive = frame.but(Slot.NOT)
    if slot is Slot.TOPIC and frame.has(Slot.NOT) and frame.has(Slot.NUMBER):
        return None  # "no orders or a total spend under 5,000": the number is of the second alone
    if frame.one(Slot.NOT, str) == "no" and slot is Slot.TOPIC and not frame.has(Slot.PRESENT):
        positive = positive.but(Slot.PRESENT, True)
    meanings = [of(positive.but(slot, filler), sense) for filler in filling.fillers]
    found = [meaning for meaning in meanings if meaning]
    if len(found) < len(meanings):
        return None
    joint = filling.joint
    if joint is None or frame.has(Slot.NOT):
        joint = Combinator.OR
    rules = [meaning.rule for meaning in found]
    together = Meaning(
        merging.conjunction(rules) if joint is Combinator.AND else merging.disjunction(rules),
        max(meaning.cost for meaning in found),
        tuple(dict.fromkeys(note for meaning in found for note in meaning.notes)),
        tuple(ranking for meaning in found for ranking in meaning.rankings),
        frozenset().union(*(meaning.vague for meaning in found)),
    )
    return finished(frame, together)


def _guess(frame: Frame) -> tuple[Frame, float] | None:
    """A frame without a topic, with the one that its slots speak for, and what that costs."""
    topics: Sequence[tuple[frozenset[Slot], Topic, float]] = (
        (frozenset({Slot.STATE}), Topic(Family.CONSENT, "consent"), 0.0),
        (frozenset({Slot.COUPON}), Topic(Family.PURCHASE, ""), 0.0),
        (frozenset({Slot.CATEGORY}), Topic(Family.PURCHASE, ""), 0.3),
        (frozenset({Slot.ITEM}), Topic(Family.PURCHASE, ""), 0.5),
        (frozenset({Slot.METHOD}), Topic(Family.PURCHASE, ""), 0.2),
        (frozenset({Slot.STATUS}), Topic(Family.PURCHASE, ""), 0.2),
        (frozenset({Slot.SHARE}), Topic(Family.PURCHASE, "spend"), 0.0),
    )
    if frame.has(Slot.VALUE):
        return None
    for slots, topic, cost in topics:
        if frame.has(*slots):
            return Frame(((Slot.TOPIC, Filling((topic,))), *frame.fillings)), cost
    bound = frame.one(Slot.NUMBER, Bound)
    if bound and frame.slots <= {Slot.NUMBER, Slot.LIMIT, Slot.NOT}:
        topic = Topic(Family.PURCHASE, "spend") if bound.is_money else Topic(Family.MEASURE, "age")
        fits = bound.is_money or all(13 <= value <= 100 for value in bound.values)
        return (frame.but(Slot.TOPIC, topic), 2.5) if fits else None
    return None


def _dearer(meaning: Meaning | None, cost: float) -> Meaning | None:
    return replace(meaning, cost=meaning.cost + cost) if meaning else None


_READERS: Mapping[Family, Callable[[Frame, Sense], Meaning | None]] = {
    Family.PURCHASE: purchases.of,
    Family.MEASURE: profiles.measure,
    Family.DATE: profiles.date,
    Family.BIRTHDAY: profiles.birthday,
    Family.LABEL: profiles.label,
    Family.CONSENT: profiles.consent,
    Family.ACTIVITY: profiles.activity,
    Family.MESSAGE: purchases.of_messages,
}
