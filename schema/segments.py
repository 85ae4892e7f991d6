"""Segments: who is meant, in a query language or a rule builder's JSON, and whom that means now."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

import documents
import errors
import resolvers.catalogue
import resolvers.segments
from resolvers.catalogue import CatalogueField
from resolvers.segments import Change, Definition
from schema import links, pages
from schema.context import EngineInfo
from schema.customers import Customer
from schema.enums import publish
from schema.errors import UserError
from schema.ids import object_id, some_id
from schema.payloads import Payload
from schema.scalars import SegmentRules
from schema.users import User
from segmentation import printer, rules
from segmentation.fields import FieldType

publish(
    FieldType,
    "How the values of a field compare.",
    STRING="Text, without regard to case and surrounding space.",
    NUMBER="Numbers.",
    MONEY="Amounts in the store's currency, as exact decimals.",
    DATE="Instants and days.",
    BOOLEAN="True or false.",
    LIST="Several texts.",
    ENUM="One of the values listed.",
    ORDERS="The customer's orders: conditions on their sub-fields, counted or summed up.",
    MESSAGES="The messages to the customer: conditions on their sub-fields, counted.",
)
WhichSegment = Annotated[strawberry.ID, strawberry.argument(description="Which segment.")]


@strawberry.type(description="What a rule builder needs to know about one field.")
class SegmentField:
    """One field of the catalogue."""

    name: str = strawberry.field(description="Its name in rules and queries.")
    label: str = strawberry.field(description="Its name for people.")
    type: FieldType = strawberry.field(description="How its values compare.")
    operators: list[str] = strawberry.field(description="The operators that it has, as react-querybuilder names them.")
    values: list[str] | None = strawberry.field(
        description="All its values, or the common ones of those that customers have; null where that says little."
    )
    fields: list["SegmentField"] | None = strawberry.field(
        description="The sub-fields that conditions on orders and messages are about."
    )

    @classmethod
    def of(cls, field: CatalogueField) -> "SegmentField":
        """The field as clients see it."""
        return cls(
            name=field.name,
            label=field.label,
            type=field.type,
            operators=list(field.operators),
            values=list(field.values) or None,
            fields=[cls.of(each) for each in field.fields] or None,
        )


@strawberry.type(description="A name for the customers that some rules select.")
class Segment:
    """A saved segment."""

    document: strawberry.Private[documents.Segment]
    id: strawberry.ID = strawberry.field(description="The segment's id.")
    name: str = strawberry.field(description="Its name.")
    description: str | None = strawberry.field(description="What it is for.")
    rules: SegmentRules = strawberry.field(description="Who is meant, for a rule builder.")
    query: str = strawberry.field(description="The same rules in the segment query language.")
    prompt: str | None = strawberry.field(description="The sentence that the rules were generated from, if any.")
    created_at: datetime = strawberry.field(description="When it was saved first.")
    updated_at: datetime = strawberry.field(description="When it was changed last.")

    @classmethod
    def of(cls, document: documents.Segment) -> "Segment":
        """The segment as clients see it."""
        return cls(
            document=document,
            id=strawberry.ID(str(document.id)),
            name=document.name,
            description=document.description,
            rules=SegmentRules(document.rules),
            query=printer.query(rules.read(document.rules)),
            prompt=document.prompt,
            created_at=document.created_at,
            updated_at=document.updated_at,
        )

    @strawberry.field(description="How many customers it has now. Counted when asked for.", metadata={"cost": 20})
    async def audience_size(self, info: EngineInfo) -> int:
        return await resolvers.segments.size(self.document, info.context.as_of)

    @strawberry.field(description="The customers it has now, in the order in which they came.", metadata={"cost": 20})
    async def customers(
        self,
        info: EngineInfo,
        first: pages.First = UNSET,
        after: pages.After = UNSET,
        last: pages.Last = UNSET,
        before: pages.Before = UNSET,
    ) -> pages.Connection[Customer]:
        asked = pages.request(first, after, last, before)
        page = await resolvers.segments.customers(self.document, info.context.as_of, asked)
        return pages.Connection.of(page.map(Customer.of))

    @strawberry.field(description="Who made it; null once the user is gone.")
    async def created_by(self, info: EngineInfo) -> User | None:
        author = self.document.created_by
        user = await info.context.loaders.user.load(author) if author else None
        return User.of(user) if user else None


@strawberry.input(description="Exactly one way to say who is meant.", one_of=True)
class SegmentDefinition:
    """Exactly one way to say who is meant."""

    rules: SegmentRules | None = strawberry.field(default=UNSET, description="As a rule builder's JSON.")
    query: str | None = strawberry.field(default=UNSET, description="In the segment query language.")
    prompt: str | None = strawberry.field(default=UNSET, description="In a plain sentence.")

    def plain(self) -> Definition:
        """The definition without GraphQL."""
        return Definition(**{name: value for name, value in vars(self).items() if value is not UNSET})


@strawberry.input(description="A new segment.")
class CreateSegmentInput:
    """A new segment."""

    name: str = strawberry.field(description="Its name.")
    description: str | None = strawberry.field(default=None, description="What it is for.")
    definition: SegmentDefinition = strawberry.field(description="Who is meant.")


@strawberry.input(description="What is to change of a segment; unset fields stay as they are.")
class UpdateSegmentInput:
    """A change of a segment."""

    name: str | None = strawberry.field(default=None, description="Its new name.")
    description: str | None = strawberry.field(default=UNSET, description="What it is for; null clears it.")
    definition: SegmentDefinition | None = strawberry.field(default=None, description="Who is meant from now on.")

    def plain(self) -> Change:
        """The change without GraphQL; an explicit null clears the description."""
        description = None if self.description is UNSET else self.description or ""
        definition = self.definition.plain() if self.definition else None
        return Change(name=self.name, description=description, definition=definition)


@strawberry.type(description="What became of a segment.")
class SegmentPayload(Payload):
    """What became of a segment."""

    segment: Segment | None = strawberry.field(default=None, description="The segment as saved now.")


@strawberry.type(description="What became of a record that was to be deleted.")
class DeletePayload(Payload):
    """What became of a record that was to be deleted."""

    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The record that is gone.")


@strawberry.type(description="Whom some rules select, with nothing saved.")
class SegmentPreview(Payload):
    """Whom some rules select."""

    rules: SegmentRules | None = strawberry.field(default=None, description="The rules, for a rule builder.")
    query: str | None = strawberry.field(default=None, description="The rules in the segment query language.")
    audience_size: int | None = strawberry.field(default=None, description="How many customers they select now.")
    sample: list[Customer] = strawberry.field(default_factory=list, description="Some of those customers.")


@strawberry.type
class SegmentQuery:
    """Finding segments, and trying one out."""

    @strawberry.field(
        description="What rules can be about, with the common values of the data at hand.", metadata={"cost": 50}
    )
    async def segment_fields(self, info: EngineInfo) -> list[SegmentField]:
        viewer = info.context.require(info.field_name)
        return [SegmentField.of(field) for field in await resolvers.catalogue.fields(viewer)]

    @strawberry.field(description="One segment; null when there is none with this id.")
    async def segment(self, info: EngineInfo, id: WhichSegment) -> Segment | None:
        viewer = info.context.require(info.field_name)
        id_ = object_id(id)
        found = await resolvers.segments.find(viewer, id_) if id_ else None
        return Segment.of(found) if found else None

    @strawberry.field(description="Segments, the newest first.")
    async def segments(
        self,
        info: EngineInfo,
        search: Annotated[str | None, strawberry.argument(description="Part of the name.")] = None,
        first: pages.First = UNSET,
        after: pages.After = UNSET,
        last: pages.Last = UNSET,
        before: pages.Before = UNSET,
    ) -> pages.Connection[Segment]:
        viewer = info.context.require(info.field_name)
        page = await resolvers.segments.page(viewer, search, pages.request(first, after, last, before))
        return pages.Connection.of(page.map(Segment.of))

    @strawberry.field(description="Whom some rules select, with nothing saved.", metadata={"cost": 20})
    async def preview_segment(
        self,
        info: EngineInfo,
        definition: Annotated[SegmentDefinition, strawberry.argument(description="Who is meant.")],
        sample_size: Annotated[int | None, strawberry.argument(description="How many to show, at most 100.")] = 10,
    ) -> SegmentPreview:
        viewer = info.context.require(info.field_name)
        try:
            seen = await resolvers.segments.preview(
                viewer, definition.plain(), info.context.reading, 10 if sample_size is None else sample_size
            )
        except errors.Fault as fault:
            return SegmentPreview.refused(fault)
        return SegmentPreview(
            rules=SegmentRules(rules.write(seen.rules)),
            query=printer.query(seen.rules),
            audience_size=seen.audience_size,
            sample=[Customer.of(record) for record in seen.sample],
        )


@strawberry.type
class SegmentMutation:
    """Saving, changing and deleting segments."""

    @strawberry.mutation(description="Save who is meant.")
    async def create_segment(
        self,
        info: EngineInfo,
        input: Annotated[CreateSegmentInput, strawberry.argument(description="The segment.")],
    ) -> SegmentPayload:
        viewer = info.context.require(info.field_name)
        definition = input.definition.plain()
        try:
            segment = await resolvers.segments.create(
                viewer, input.name, input.description, definition, info.context.reading
            )
        except errors.Fault as fault:
            return SegmentPayload.refused(fault, "input")
        return SegmentPayload(segment=Segment.of(segment))

    @strawberry.mutation(description="Change a segment. Campaigns that were launched keep the rules they had.")
    async def update_segment(
        self,
        info: EngineInfo,
        id: WhichSegment,
        input: Annotated[UpdateSegmentInput, strawberry.argument(description="What is to change.")],
    ) -> SegmentPayload:
        viewer = info.context.require(info.field_name)
        try:
            segment = await resolvers.segments.update(viewer, some_id(id), input.plain(), info.context.reading)
        except errors.NotFound as fault:
            return SegmentPayload(user_errors=[UserError.of(fault.under("id"))])
        except errors.Fault as fault:
            return SegmentPayload.refused(fault, "input")
        return SegmentPayload(segment=Segment.of(segment))

    @strawberry.mutation(description="Delete a segment; refused while a campaign that is not finished uses it.")
    async def delete_segment(self, info: EngineInfo, id: WhichSegment) -> DeletePayload:
        viewer = info.context.require(info.field_name)
        try:
            await resolvers.segments.delete(viewer, some_id(id))
        except errors.Fault as fault:
            return DeletePayload.refused(fault, "id")
        return DeletePayload(deleted_id=id)


async def segments(customer: strawberry.Parent[Customer], info: EngineInfo) -> list[Segment]:
    """The segments of a customer."""
    info.context.require("segments")
    found = await info.context.loaders.segments_of_customer.load(some_id(customer.id))
    return [Segment.of(each) for each in found or []]


links.back(Customer, segments, "The saved segments that the customer belongs to now.")
