"""The search: the cheapest way through a lattice that makes conditions of its words.

From left to right, with a beam: each state is a reading of the words so far, whose last condition is still open for
further pieces. A condition that leaves something unsaid takes it from its neighbour.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ai import meaning
from ai.conditions import Meaning, Sense
from ai.frames import EMPTY, Frame, families
from ai.lattice import Lattice
from ai.pieces import Edge, Joint, Piece

BEAM = 24
WIDEST = 6.0  # what is dearer by this never comes back
MOST_JOINTS = 6
NEXT_COST = 0.5  # another condition with nothing between
JOINED_COST = 0.1
LISTED_COST = 0.0
BORROWED_COST = 0.35
OPEN_COST = 0.7
DANGLING_COST = 0.4
LISTING = (Joint.COMMA, Joint.AND, Joint.OR, Joint.BUT)


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition, the words it was made of, and what stood before it. Without a meaning it waits for the next."""

    frame: Frame
    start: int
    end: int
    joints: tuple[Joint, ...] = ()
    meaning: Meaning | None = None


Clauses = tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class State:
    """A reading of the words so far. Made by the thousand, so without dataclasses.replace."""

    cost: float = 0.0
    clauses: Clauses = ()
    frame: Frame = EMPTY
    start: int = 0
    end: int = 0
    joints: tuple[Joint, ...] = ()  # before the frame
    pending: tuple[Joint, ...] = ()  # after it
    passed_over: tuple[int, ...] = ()

    @property
    def key(self) -> object:
        """What readings have in common that go on in the same ways; frames are told apart by identity."""
        last = self.clauses[-1] if self.clauses else None
        before = (id(last.frame), last.meaning is None) if last else None
        return id(self.frame), self.pending, before, len(self.clauses)

    def passing(self, edge: Edge) -> "State":
        """With words that say nothing, or only join."""
        pending = (*self.pending, edge.joint) if edge.joint else self.pending
        passed = (*self.passed_over, edge.start) if edge.is_unknown else self.passed_over
        cost = self.cost + edge.cost
        return State(cost, self.clauses, self.frame, self.start, self.end, self.joints, pending, passed)

    def opening(self, frame: Frame, edge: Edge, clauses: Clauses, cost: float) -> "State":
        """With a frame of its own for these words."""
        return State(cost + edge.cost, clauses, frame, edge.start, edge.end, self.pending, (), self.passed_over)

    def gathering(self, frame: Frame, edge: Edge, cost: float) -> "State":
        """With these words in the open frame."""
        cost += self.cost + edge.cost
        return State(cost, self.clauses, frame, self.start, edge.end, self.joints, (), self.passed_over)


def best(lattice: Lattice, sense: Sense) -> State:
    """The cheapest reading, all its conditions closed."""
    search = _Search(sense)
    length = len(lattice.words)
    reached: list[dict[object, State]] = [{} for _ in range(length + 1)]
    reached[0][()] = State()
    for at in range(length):
        for state in _promising(reached[at].values()):
            for edge in lattice.edges[at]:
                for further in search.step(state, edge):
                    key = further.key
                    known = reached[edge.end].get(key)
                    if known is None or known.cost > further.cost:
                        reached[edge.end][key] = further
    ends = [closed for state in reached[length].values() for closed in search.finish(state)]
    return min(ends, key=lambda state: state.cost, default=State(passed_over=tuple(range(length))))


def _promising(states: Iterable[State]) -> list[State]:
    ranked = sorted(states, key=lambda state: state.cost)[:BEAM]
    return [state for state in ranked if state.cost <= ranked[0].cost + WIDEST]


class _Search:
    """Steps from state to state. There is one of each frame, so that what was found out of it is found by identity."""

    def __init__(self, sense: Sense) -> None:
        self._sense = sense
        self._frames = {EMPTY: EMPTY}
        self._meanings: dict[int, Meaning | None] = {}
        self._taken: dict[tuple[int, int], Frame | None] = {}

    def step(self, state: State, edge: Edge) -> Iterator[State]:
        """The readings that go on from this one by an edge."""
        if edge.pieces:
            yield from self._with(state, edge)
        elif edge.joint is None or len(state.pending) < MOST_JOINTS:
            yield state.passing(edge)

    def finish(self, state: State) -> Iterator[State]:
        """The reading with its last condition closed."""
        dangling = DANGLING_COST * bool(set(state.pending) - {Joint.COMMA, Joint.CLOSE})
        if state.frame.fillings:
            for clauses, cost in self._closed(state, is_last=True):
                yield replace(state, clauses=clauses, cost=cost + dangling)
        elif state.clauses and all(clause.meaning for clause in state.clauses):
            yield replace(state, cost=state.cost + dangling)

    def _with(self, state: State, edge: Edge) -> Iterator[State]:
        """With the pieces in the open frame, beside what it ends with, or in a frame of their own."""
        if state.frame.fillings and (gathered := self._gathered(state, edge)):
            yield gathered
        fresh = self._take(EMPTY, edge.pieces)
        if fresh is None:
            return
        if not state.frame.fillings:
            yield state.opening(fresh, edge, state.clauses, state.cost)
            return
        between = JOINED_COST if set(state.pending) - {Joint.CLOSE} else NEXT_COST
        for clauses, cost in self._closed(state):
            yield state.opening(fresh, edge, clauses, cost + between)

    def _gathered(self, state: State, edge: Edge) -> State | None:
        if not state.pending:
            taken = self._take(state.frame, edge.pieces)
            return state.gathering(taken, edge, 0.0) if taken else None
        said: list[Joint] = [joint for joint in state.pending if joint is not Joint.COMMA] or [Joint.COMMA]
        listed = state.frame.coordinate(edge.pieces, said[0]) if len(said) == 1 and said[0] in LISTING else None
        return state.gathering(self._only(listed), edge, LISTED_COST) if listed else None

    def _closed(self, state: State, is_last: bool = False) -> Iterator[tuple[Clauses, float]]:
        """The conditions with the open frame as one more, by itself or with what its neighbour says, and their cost."""
        clause = Clause(state.frame, state.start, state.end, state.joints)
        previous = state.clauses[-1] if state.clauses else None
        if found := self._meaning(state.frame):
            yield from self._with_clause(state, replace(clause, meaning=found), found.cost)
        if previous and previous.meaning:
            borrowed = self._only(state.frame.borrow(previous.frame))
            if borrowed is not state.frame and families(borrowed) and (found := self._meaning(borrowed)):
                whole = replace(clause, frame=borrowed, meaning=found)
                yield from self._with_clause(state, whole, found.cost + BORROWED_COST)
        if not is_last and state.pending and not (previous and previous.meaning is None):
            yield (*state.clauses, clause), state.cost + OPEN_COST

    def _with_clause(self, state: State, clause: Clause, cost: float) -> Iterator[tuple[Clauses, float]]:
        """The condition added; one before it that waits for what this one says is completed."""
        clauses = state.clauses
        if clauses and clauses[-1].meaning is None:
            waiting = clauses[-1]
            filled = self._only(waiting.frame.borrow(clause.frame))
            found = self._meaning(filled) if families(filled) else None
            if found is None:
                return
            cost += found.cost
            clauses = (*clauses[:-1], replace(waiting, frame=filled, meaning=found))
        yield (*clauses, clause), state.cost + cost

    def _meaning(self, frame: Frame) -> Meaning | None:
        if id(frame) not in self._meanings:
            self._meanings[id(frame)] = meaning.of(frame, self._sense)
        return self._meanings[id(frame)]

    def _take(self, frame: Frame, pieces: tuple[Piece, ...]) -> Frame | None:
        key = (id(frame), id(pieces))
        if key not in self._taken:
            taken = frame.take(pieces)
            self._taken[key] = self._only(taken) if taken else None
        return self._taken[key]

    def _only(self, frame: Frame) -> Frame:
        return self._frames.setdefault(frame, frame)
