"""Sentences: rules for what somebody means, to look at before anything is saved."""

from typing import Annotated

import strawberry

import errors
import resolvers.sentences
from ai.drafts import Source
from resolvers.sentences import Counted, Understanding
from schema.context import EngineInfo
from schema.enums import publish
from schema.payloads import Payload
from schema.scalars import SegmentRules
from segmentation import printer, rules

publish(
    Source,
    "Who turned words into rules, or figures into words.",
    name="RuleSource",
    GEMINI="Gemini; what it said passed the same validator as everybody's rules.",
    BUILT_IN="The built-in reader: offline, and the same every time.",
)


@strawberry.type(description="Another way to read the sentence, with how many customers it would reach.")
class RuleReading:
    """Another way to read the sentence."""

    query: str = strawberry.field(description="The rules in the segment query language.")
    rules: SegmentRules = strawberry.field(description="The same rules, for a rule builder.")
    explanation: str = strawberry.field(description="What tells it from the first reading.")
    audience_size: int = strawberry.field(description="How many customers it would reach now.")

    @classmethod
    def of(cls, reading: Counted) -> "RuleReading":
        """The reading as clients see it."""
        return cls(
            query=printer.query(reading.rules),
            rules=SegmentRules(rules.write(reading.rules)),
            explanation=reading.explanation,
            audience_size=reading.audience_size,
        )


@strawberry.type(description="What a sentence was read as. Nothing is saved.")
class GenerateSegmentRulesPayload(Payload):
    """What a sentence was read as."""

    rules: SegmentRules | None = strawberry.field(default=None, description="The rules, for a rule builder.")
    query: str | None = strawberry.field(default=None, description="The rules in the segment query language.")
    explanation: str | None = strawberry.field(default=None, description="What the rules mean, in words.")
    assumptions: list[str] = strawberry.field(
        default_factory=list,
        description="What was assumed where the sentence left room, e.g. 'recent means the last 30 days'.",
    )
    unmatched: list[str] = strawberry.field(
        default_factory=list, description="Words of the sentence that no rule covers."
    )
    alternatives: list[RuleReading] = strawberry.field(
        default_factory=list, description="Other ways to read the sentence."
    )
    audience_size: int | None = strawberry.field(default=None, description="How many customers the rules select now.")
    source: Source | None = strawberry.field(default=None, description="Who read the sentence.")

    @classmethod
    def of(cls, understanding: Understanding) -> "GenerateSegmentRulesPayload":
        """The understanding as clients see it."""
        draft = understanding.draft
        return cls(
            rules=SegmentRules(rules.write(draft.rules)),
            query=printer.query(draft.rules),
            explanation=draft.explanation,
            assumptions=list(draft.assumptions),
            unmatched=list(draft.unmatched),
            alternatives=[RuleReading.of(other) for other in understanding.alternatives],
            audience_size=understanding.audience_size,
            source=draft.source,
        )


@strawberry.type
class SentenceMutation:
    """Reading sentences."""

    @strawberry.mutation(
        description="Read a plain sentence as rules, and count whom they select. Nothing is saved; a sentence from "
        "which nothing is understood is refused.",
        metadata={"cost": 100},
    )
    async def generate_segment_rules(
        self,
        info: EngineInfo,
        prompt: Annotated[str, strawberry.argument(description="Who is meant, e.g. 'from Pune, spent over 10k'.")],
    ) -> GenerateSegmentRulesPayload:
        viewer = info.context.require(info.field_name)
        try:
            understood = await resolvers.sentences.understand(viewer, prompt, info.context.reading)
        except errors.Fault as fault:
            return GenerateSegmentRulesPayload.refused(fault)
        return GenerateSegmentRulesPayload.of(understood)
