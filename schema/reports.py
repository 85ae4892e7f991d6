"""What became of records that were ingested, as clients see it."""

from typing import Annotated

import strawberry

import ingestion
from ingestion import Outcome, Report, RowResult
from schema.enums import publish
from schema.errors import UserError
from schema.payloads import Payload

publish(
    ingestion.Outcome,
    "What became of one record.",
    name="IngestOutcome",
    CREATED="It was not known before.",
    UPDATED="It was known, and something changed.",
    UNCHANGED="It was known, just as it was sent.",
    FAILED="It is at fault, and nothing of it was stored.",
)


@strawberry.type(description="What became of one record of a batch.")
class IngestResult:
    """What became of one record of a batch."""

    index: int = strawberry.field(description="Position in the request.")
    outcome: Outcome = strawberry.field(description="What became of it.")
    id: strawberry.ID | None = strawberry.field(description="The stored record's id; null when it failed.")
    user_errors: list[UserError] = strawberry.field(description="What is wrong with it; empty unless it failed.")

    @classmethod
    def of(cls, result: RowResult, *path: str) -> "IngestResult":
        """The result, its faults seen from the request's arguments."""
        return cls(
            index=result.index,
            outcome=result.outcome,
            id=strawberry.ID(str(result.id)) if result.id else None,
            user_errors=[UserError.of(fault.under(*path)) for fault in result.faults],
        )


@strawberry.type(description="What became of a batch. One bad record harms no other.")
class IngestPayload(Payload):
    """What became of a batch; its own userErrors are of the request as a whole."""

    report: strawberry.Private[Report] = Report(())
    created: int = strawberry.field(default=0, description="How many were not known before.")
    updated: int = strawberry.field(default=0, description="How many were known, and changed.")
    unchanged: int = strawberry.field(default=0, description="How many were known, just as they were sent.")
    failed: int = strawberry.field(default=0, description="How many are at fault.")

    @classmethod
    def of(cls, report: Report) -> "IngestPayload":
        """The payload of a batch that was taken."""
        return cls(
            report=report,
            created=report.count(Outcome.CREATED),
            updated=report.count(Outcome.UPDATED),
            unchanged=report.count(Outcome.UNCHANGED),
            failed=report.count(Outcome.FAILED),
        )

    @strawberry.field(description="What became of each record, in the order of the request.")
    def results(
        self,
        outcomes: Annotated[
            list[Outcome] | None, strawberry.argument(description="Only those that ended like this.")
        ] = None,
    ) -> list[IngestResult]:
        return [
            IngestResult.of(result, "input", str(result.index))
            for result in self.report.results
            if outcomes is None or result.outcome in outcomes
        ]
