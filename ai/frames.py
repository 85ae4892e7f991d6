"""Frames: the pieces of a sentence that make one condition, gathered in whatever order they are said.

A frame takes a further piece when its slot is free and some family of conditions has use for all of them. Alternatives
for one slot stand side by side in it: "Pune, Mumbai or Delhi", "email and SMS", "over 5k but under 10k".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from ai.pieces import Bound, Family, Filler, Joint, Piece, Slot, Topic, Value, Which
from segmentation.tree import Combinator

T = TypeVar("T")
_ALWAYS = frozenset({Slot.TOPIC, Slot.NOT})
_COUNTED = frozenset({Slot.NUMBER, Slot.LIMIT, Slot.SHARE})
ORDER_VALUES = frozenset({Slot.COUPON, Slot.CATEGORY, Slot.ITEM, Slot.METHOD, Slot.STATUS})
SLOTS: Mapping[Family, frozenset[Slot]] = {
    Family.PURCHASE: _ALWAYS | _COUNTED | ORDER_VALUES | {
        Slot.WHICH, Slot.AMOUNT, Slot.TIMES, Slot.PER_ORDER, Slot.ITEMS, Slot.WINDOW, Slot.LENGTH, Slot.LITERAL,
        Slot.PRESENT,
    },
    Family.MEASURE: _ALWAYS | _COUNTED | {Slot.TIMES, Slot.PRESENT, Slot.WHICH, Slot.WINDOW, *ORDER_VALUES},
    Family.DATE: _ALWAYS | {Slot.WINDOW, Slot.LENGTH, Slot.PRESENT, Slot.NUMBER},
    Family.BIRTHDAY: _ALWAYS | {Slot.AHEAD, Slot.WINDOW, Slot.PRESENT},
    Family.LABEL: _ALWAYS | {Slot.VALUE, Slot.PRESENT, Slot.MATCH, Slot.LITERAL, Slot.STATE},
    Family.CONSENT: _ALWAYS | {Slot.STATE, Slot.CHANNEL, Slot.PRESENT},
    Family.ACTIVITY: _ALWAYS | {Slot.WINDOW, Slot.LENGTH},
    Family.MESSAGE: _ALWAYS | _COUNTED | {Slot.TIMES, Slot.WINDOW, Slot.LENGTH, Slot.CHANNEL},
}  # fmt: skip
# What two topics in one condition amount to: "spent … on orders", "paid for an order".
_JOINED = {
    ("buy", "order"): "order",
    ("order", "pay"): "order",
    ("buy", "pay"): "buy",
    ("order", "spend"): "spend",
    ("buy", "spend"): "spend",
    ("pay", "spend"): "spend",
}
_BOUNDED = (Slot.NUMBER, Slot.TIMES, Slot.WINDOW, Slot.LENGTH)
COORDINATED = ORDER_VALUES | {
    Slot.TOPIC,
    Slot.NUMBER,
    Slot.AMOUNT,
    Slot.TIMES,
    Slot.WINDOW,
    Slot.VALUE,
    Slot.CHANNEL,
    Slot.AHEAD,
    Slot.LITERAL,
}
_JOINTS = {Joint.AND: Combinator.AND, Joint.BUT: Combinator.AND, Joint.OR: Combinator.OR, Joint.COMMA: None}


@dataclass(frozen=True, slots=True)
class Filling:
    """What fills a slot: one filler or several, and how these go together (None while only commas were said)."""

    fillers: tuple[Filler, ...]
    joint: Combinator | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """Slots and their fillings, in the order in which they were said."""

    fillings: tuple[tuple[Slot, Filling], ...] = ()

    def has(self, *slots: Slot) -> bool:
        """Whether any of these slots is filled."""
        return any(slot in slots for slot, _ in self.fillings)

    def get(self, slot: Slot) -> Filling | None:
        """The filling of a slot."""
        return next((filling for filled, filling in self.fillings if filled is slot), None)

    def one(self, slot: Slot, kind: type[T]) -> T | None:
        """The only filler of a slot, when it is of this kind."""
        filling = self.get(slot)
        if filling and len(filling.fillers) == 1 and isinstance(filling.fillers[0], kind):
            return filling.fillers[0]
        return None

    @property
    def topic(self) -> Topic | None:
        """The one topic, if it has one."""
        return self.one(Slot.TOPIC, Topic)

    @property
    def slots(self) -> frozenset[Slot]:
        """The slots that are filled."""
        return frozenset(slot for slot, _ in self.fillings)

    @property
    def last(self) -> Slot | None:
        """The slot that was filled last."""
        return self.fillings[-1][0] if self.fillings else None

    def comes_before(self, slot: Slot, other: Slot) -> bool:
        """Whether the one was said before the other."""
        order = [filled for filled, _ in self.fillings]
        return slot in order and other in order and order.index(slot) < order.index(other)

    def but(self, slot: Slot, *fillers: Filler) -> "Frame":
        """The frame with this slot filled so instead; without fillers, emptied."""
        kept = [(filled, filling) for filled, filling in self.fillings if filled is not slot or fillers]
        if not self.has(slot) and fillers:
            return Frame((*kept, (slot, Filling(fillers))))
        return Frame(tuple((s, Filling(fillers) if s is slot else f) for s, f in kept))

    def take(self, pieces: Iterable[Piece]) -> "Frame | None":
        """The frame with these pieces as well, or None when they do not go together."""
        frame = self
        for piece in pieces:
            taken = frame._take(piece)
            if taken is None:
                return None
            frame = taken
        return frame if families(frame) else None

    def coordinate(self, pieces: tuple[Piece, ...], joint: Joint) -> "Frame | None":
        """The frame with one more alternative for the slot that was filled last, or None when it is not one."""
        slot = self.last
        if slot is Slot.TOPIC and self.has(Slot.VALUE):
            slot = Slot.VALUE  # "the free plan or the pro plan"
        filling = self.get(slot) if slot else None
        offered = {piece.slot: piece.filler for piece in pieces}
        if slot is Slot.AMOUNT and Slot.NUMBER in offered:
            offered[Slot.AMOUNT] = offered.pop(Slot.NUMBER)
        if slot not in COORDINATED or filling is None or slot not in offered or joint not in _JOINTS:
            return None
        further, said = offered[slot], _JOINTS[joint]
        if not all(self.get(other) == Filling((filler,)) for other, filler in offered.items() if other is not slot):
            return None
        if not _alike(filling.fillers[-1], further) or (joint is Joint.BUT and not isinstance(further, Bound)):
            return None
        if filling.joint and said and filling.joint is not said:
            return None
        joined = Filling((*filling.fillers, further), said or filling.joint)
        frame = Frame(tuple((filled, joined if filled is slot else other) for filled, other in self.fillings))
        return frame if families(frame) else None

    def either(self) -> "Frame":
        """The frame with "or" for the "and" of a list: "vip and wholesale customers" may be of either kind."""
        listing = ORDER_VALUES | {Slot.VALUE}
        return Frame(
            tuple(
                (slot, replace(filling, joint=Combinator.OR) if slot in listing and filling.joint else filling)
                for slot, filling in self.fillings
            )
        )

    def borrow(self, donor: "Frame") -> "Frame":
        """The frame with what it leaves unsaid taken from another: "ordered in 2025 but not in 2026"."""
        mine = self.slots
        if mine <= {Slot.NOT, Slot.PRESENT}:
            return self  # "placed none" does not say of what
        skipped = mine | {Slot.NOT}
        if Slot.NOT in mine:
            skipped |= {Slot.NUMBER, Slot.TIMES, Slot.LIMIT, Slot.PRESENT}
        if mine & {Slot.NUMBER, Slot.TIMES}:
            skipped |= {Slot.NUMBER, Slot.TIMES, Slot.LIMIT}
        borrowed = tuple((slot, filling) for slot, filling in donor.fillings if slot not in skipped)
        return Frame((*borrowed, *self.fillings))

    def _take(self, piece: Piece) -> "Frame | None":
        slot, filler = piece.slot, piece.filler
        filled = self.get(slot)
        if slot is Slot.NOT and self._is_said_out:
            return None  # it is about what follows: "Indian customers outside Maharashtra"
        if slot is Slot.TOPIC and self.topic not in (None, filler) and self._is_coordinated:
            return None  # "spent more than 50,000 or placed at least 10 orders" are two conditions
        if filled is None:
            return Frame((*self.fillings, (slot, Filling((filler,)))))
        if filled.fillers == (filler,):
            return self
        if slot is Slot.TOPIC:
            return self._with_topic(filler)
        if slot is Slot.NUMBER and not self.has(Slot.AMOUNT) and self.topic:
            return Frame((*self.fillings, (Slot.AMOUNT, Filling((filler,)))))
        if slot in ORDER_VALUES and (filled.fillers == ("*",) or filler == "*"):
            return self if filler == "*" else self.but(slot, filler)
        if slot is Slot.WHICH and {*filled.fillers, filler} == {Which.WORTH, Which.TOTAL}:
            return self.but(slot, Which.TOTAL)
        if slot is Slot.PRESENT and filled.fillers[-1] is True:
            return self.but(Slot.PRESENT, filler)
        return None

    @property
    def _is_coordinated(self) -> bool:
        return any(len(filling.fillers) > 1 for _, filling in self.fillings)

    @property
    def _is_said_out(self) -> bool:
        """Whether a "not" that comes now is no longer about this condition."""
        if self.topic and self.topic.family is Family.ACTIVITY:
            return True
        says = {Slot.STATE, Slot.CHANNEL} <= self.slots or self.has(Slot.VALUE, Slot.AHEAD, Slot.SHARE)
        return says or (self.topic is not None and self.has(*_BOUNDED))

    def _with_topic(self, filler: Filler) -> "Frame | None":
        said = self.topic
        if said is None or not isinstance(filler, Topic):
            return None
        if said == filler:
            return self
        if said.family is filler.family is Family.PURCHASE:
            first, second = sorted((said.name, filler.name))
            name = _JOINED.get((first, second))
            return self.but(Slot.TOPIC, Topic(Family.PURCHASE, name)) if name else None
        return None


EMPTY = Frame()


def families(frame: Frame) -> tuple[Family, ...]:
    """The families of conditions that have use for all that the frame holds."""
    filling = frame.get(Slot.TOPIC)
    said = {topic.family for topic in filling.fillers if isinstance(topic, Topic)} if filling else set(Family)
    return tuple(family for family in Family if (not filling or said == {family}) and frame.slots <= SLOTS[family])


def _alike(filler: Filler, further: Filler) -> bool:
    """Whether two fillers can stand side by side: values of one field, topics of one family."""
    match filler, further:
        case (Value(), Value()):
            return filler.field == further.field and filler.value != further.value
        case (Topic(), Topic()):
            return filler.family is further.family and filler != further
        case _:
            return type(filler) is type(further) and filler != further
