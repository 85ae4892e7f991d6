"""Explanations: why a customer is or is not in a segment."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.segments
from resolvers.segments import Membership
from schema.context import EngineInfo
from schema.customers import Customer
from schema.ids import object_id
from schema.segments import Segment, WhichSegment
from segmentation.dates import AsOf
from segmentation.explanation import Trace


@strawberry.type(description="One rule of a segment held against one customer.")
class RuleTrace:
    """One rule of a segment held against one customer."""

    query: str = strawberry.field(description="The rule, in the segment query language.")
    holds: bool = strawberry.field(description="Whether it holds for the customer.")
    actual: str | None = strawberry.field(description="The customer's own value, as text; null when it is not set.")
    to_flip: str | None = strawberry.field(
        description="What would have to change for this rule to turn, where that can be said."
    )
    children: list["RuleTrace"] = strawberry.field(description="The rules of a group.")

    @classmethod
    def of(cls, trace: Trace) -> "RuleTrace":
        """The trace as clients see it."""
        return cls(
            query=trace.query,
            holds=trace.holds,
            actual=trace.actual,
            to_flip=trace.to_flip,
            children=[cls.of(child) for child in trace.children],
        )


@strawberry.type(description="Whether a customer is in a segment, and why.")
class MembershipExplanation:
    """Whether a customer is in a segment, and why."""

    customer: Customer = strawberry.field(description="The customer.")
    segment: Segment = strawberry.field(description="The segment.")
    member: bool = strawberry.field(description="Whether the one is in the other.")
    as_of: datetime = strawberry.field(description="The instant of which this is true.")
    trace: RuleTrace = strawberry.field(description="The segment's rules, each with its truth.")

    @classmethod
    def of(cls, membership: Membership, as_of: AsOf) -> "MembershipExplanation":
        """The explanation as clients see it."""
        return cls(
            customer=Customer.of(membership.customer),
            segment=Segment.of(membership.segment),
            member=membership.trace.holds,
            as_of=as_of.now,
            trace=RuleTrace.of(membership.trace),
        )


@strawberry.type
class ExplanationQuery:
    """Explaining memberships."""

    @strawberry.field(
        description="Why a customer is or is not in a segment; null when there is no such customer or segment.",
        metadata={"cost": 20},
    )
    async def explain_membership(
        self,
        info: EngineInfo,
        segment_id: WhichSegment,
        customer_id: Annotated[strawberry.ID, strawberry.argument(description="Which customer.")],
    ) -> MembershipExplanation | None:
        viewer = info.context.require(info.field_name)
        segment, customer, as_of = object_id(segment_id), object_id(customer_id), info.context.as_of
        if segment is None or customer is None:
            return None
        found = await resolvers.segments.explain(viewer, segment, customer, as_of)
        return MembershipExplanation.of(found, as_of) if found else None
