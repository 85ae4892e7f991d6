"""What became of rows: one result for each, in the order in which they were sent."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from beanie import PydanticObjectId

import errors
import metrics

# What was sent for one record, by the snake_case name of its field: only what was given, an explicit null as None.
Row = Mapping[str, object]


class Outcome(StrEnum):
    """What became of one row."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of the row at `index`. A FAILED one has faults and stored nothing; the others have an id."""

    index: int
    outcome: Outcome
    id: PydanticObjectId | None = None
    faults: tuple[errors.Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a batch."""

    results: Sequence[RowResult]

    def count(self, outcome: Outcome) -> int:
        """How many rows ended like this."""
        return sum(result.outcome is outcome for result in self.results)

    @property
    def only(self) -> RowResult:
        """The result of a batch of one."""
        [result] = self.results
        return result


def counted(kind: str, report: Report) -> Report:
    """The same report, after it was counted for the operator."""
    for outcome, count in Counter(result.outcome for result in report.results).items():
        metrics.ROWS.labels(kind, outcome).inc(count)
    return report
