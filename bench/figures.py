"""What a benchmark measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure of ours, with that of the raw driver or a peer in the same run; 0 where there is none."""

    name: str
    ours: float
    raw: float
    unit: str
