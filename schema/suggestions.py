"""Suggestions: segments that the data makes worth having."""

from decimal import Decimal

import strawberry

import resolvers.segments
from schema.context import EngineInfo
from schema.scalars import SegmentRules
from segmentation import printer, rules
from segmentation.rfm import Suggestion


@strawberry.type(description="A segment that the data suggests, e.g. an RFM group.")
class SegmentSuggestion:
    """A segment that the data suggests."""

    name: str = strawberry.field(description="What such customers are called.")
    description: str = strawberry.field(description="Who they are, and what to do about them.")
    rules: SegmentRules = strawberry.field(description="The rules that select them, for a rule builder.")
    query: str = strawberry.field(description="The same rules in the segment query language.")
    audience_size: int = strawberry.field(description="How many customers they are now.")
    total_spend: Decimal = strawberry.field(description="What these customers spent in all.")

    @classmethod
    def of(cls, suggestion: Suggestion) -> "SegmentSuggestion":
        """The suggestion as clients see it."""
        return cls(
            name=suggestion.name,
            description=suggestion.description,
            rules=SegmentRules(rules.write(suggestion.rules)),
            query=printer.query(suggestion.rules),
            audience_size=suggestion.audience_size,
            total_spend=suggestion.total_spend,
        )


@strawberry.type
class SuggestionQuery:
    """Suggesting segments."""

    @strawberry.field(
        description="The eleven customary groups by recency, frequency and money, made of everyone who ever bought; "
        "the best customers first.",
        metadata={"cost": 200},
    )
    async def suggest_segments(self, info: EngineInfo) -> list[SegmentSuggestion]:
        viewer = info.context.require(info.field_name)
        found = await resolvers.segments.suggest(viewer, info.context.as_of)
        return [SegmentSuggestion.of(suggestion) for suggestion in found]
