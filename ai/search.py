"""The search: the cheapest way through a lattice that makes conditions of its words.

From left to right, with a beam: each state is a reading of the words so far, whose last condition is still open for
further pieces. A condition that leaves something unsaid takes it from its neighbour.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ai import meaning
from ai.conditions import Meaning, Sense
from ai.frames import EMPTY, Frame, families
from ai.lattice import Lattice
from ai.pieces import Edge, Joint, Piece

BEAM = 40
NEXT_COST = 0.5  # another condition with nothing between
JOINED_COST = 0.1
LISTED_COST = 0.05
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


@dataclass(frozen=True, slots=True)
class State:
    """A reading of the words so far."""

    cost: float = 0.0
    clauses: tuple[Clause, ...] = ()
    frame: Frame = EMPTY
    start: int = 0
    end: int = 0
    joints: tuple[Joint, ...] = ()  # before the frame
    pending: tuple[Joint, ...] = ()  # after it
    passed_over: tuple[int, ...] = ()


def best(lattice: Lattice, sense: Sense) -> State:
    """The cheapest reading, all its conditions closed."""
    search = _Search(sense)
    length = len(lattice.words)
    reached: list[dict[object, State]] = [{} for _ in range(length + 1)]
    reached[0][()] = State()
    for at in range(length):
        for state in sorted(reached[at].values(), key=lambda state: state.cost)[:BEAM]:
            for edge in lattice.edges[at]:
                for further in search.step(state, edge):
                    key = (further.frame, further.pending, further.clauses[-1:], len(further.clauses))
                    known = reached[edge.end].get(key)
                    if known is None or known.cost > further.cost:
                        reached[edge.end][key] = further
    ends = [closed for state in reached[length].values() for closed in search.finish(state)]
    return min(ends, key=lambda state: state.cost, default=State(passed_over=tuple(range(length))))


class _Search:
    def __init__(self, sense: Sense) -> None:
        self._sense = sense
        self._meanings: dict[Frame, Meaning | None] = {}
        self._taken: dict[tuple[Frame, tuple[Piece, ...]], Frame | None] = {}

    def step(self, state: State, edge: Edge) -> Iterator[State]:
        """The readings that go on from this one by an edge."""
        cost = state.cost + edge.cost
        if edge.joint:
            yield from self._joined(replace(state, cost=cost), edge.joint)
        elif not edge.pieces:
            passed = (*state.passed_over, edge.start) if edge.is_unknown else state.passed_over
            yield replace(state, cost=cost, passed_over=passed)
        else:
            yield from self._with(replace(state, cost=cost), edge)

    def finish(self, state: State) -> Iterator[State]:
        """The reading with its last condition closed."""
        cost = state.cost + DANGLING_COST * bool(set(state.pending) - {Joint.COMMA, Joint.CLOSE})
        if state.frame.fillings:
            for closed in self._closed(state, is_last=True):
                yield replace(closed, cost=closed.cost + cost - state.cost)
        elif state.clauses and all(clause.meaning for clause in state.clauses):
            yield replace(state, cost=cost)

    def _joined(self, state: State, joint: Joint) -> Iterator[State]:
        if len(state.pending) < 6:
            yield replace(state, pending=(*state.pending, joint))

    def _with(self, state: State, edge: Edge) -> Iterator[State]:
        """With the pieces in the open frame, beside what it ends with, or in a frame of their own."""
        if state.frame.fillings:
            yield from self._gathered(state, edge)
        fresh = self._take(EMPTY, edge.pieces)
        if fresh is None:
            return
        begun = replace(state, frame=fresh, start=edge.start, end=edge.end, joints=state.pending, pending=())
        if not state.frame.fillings:
            yield begun
            return
        cost = JOINED_COST if set(state.pending) - {Joint.CLOSE} else NEXT_COST
        for closed in self._closed(state):
            yield replace(begun, clauses=closed.clauses, cost=closed.cost + cost)

    def _gathered(self, state: State, edge: Edge) -> Iterator[State]:
        if not state.pending:
            if taken := self._take(state.frame, edge.pieces):
                yield replace(state, frame=taken, end=edge.end)
            return
        said: list[Joint] = [joint for joint in state.pending if joint is not Joint.COMMA] or [Joint.COMMA]
        if len(said) == 1 and said[0] in LISTING and (listed := state.frame.coordinate(edge.pieces, said[0])):
            yield replace(state, frame=listed, end=edge.end, pending=(), cost=state.cost + LISTED_COST)

    def _closed(self, state: State, is_last: bool = False) -> Iterator[State]:
        """The reading with the open frame as a condition: by itself, or with what its neighbour says."""
        clause = Clause(state.frame, state.start, state.end, state.joints)
        previous = state.clauses[-1] if state.clauses else None
        if found := self._meaning(state.frame):
            yield from self._with_clause(state, replace(clause, meaning=found), found.cost)
        if previous and previous.meaning:
            borrowed = state.frame.borrow(previous.frame)
            if borrowed != state.frame and families(borrowed) and (found := self._meaning(borrowed)):
                yield from self._with_clause(
                    state, replace(clause, frame=borrowed, meaning=found), found.cost + BORROWED_COST
                )
        if not is_last and state.pending and not (previous and previous.meaning is None):
            yield replace(state, clauses=(*state.clauses, clause), cost=state.cost + OPEN_COST)

    def _with_clause(self, state: State, clause: Clause, cost: float) -> Iterator[State]:
        """The condition added; one before it that waits for what this one says is completed."""
        clauses = state.clauses
        if clauses and clauses[-1].meaning is None:
            waiting = clauses[-1]
            filled = waiting.frame.borrow(clause.frame)
            found = self._meaning(filled) if families(filled) else None
            if found is None:
                return
            cost += found.cost
            clauses = (*clauses[:-1], replace(waiting, frame=filled, meaning=found))
        yield replace(state, clauses=(*clauses, clause), frame=EMPTY, cost=state.cost + cost)

    def _meaning(self, frame: Frame) -> Meaning | None:
        if frame not in self._meanings:
            self._meanings[frame] = meaning.of(frame, self._sense)
        return self._meanings[frame]

    def _take(self, frame: Frame, pieces: tuple[Piece, ...]) -> Frame | None:
        key = (frame, pieces)
        if key not in self._taken:
            self._taken[key] = frame.take(pieces)
        return self._taken[key]
