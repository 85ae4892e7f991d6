"""Duplicates: customers who may be one person, and making them one."""

from datetime import datetime
from typing import Annotated

import strawberry
from beanie import PydanticObjectId

import errors
import resolvers.customers
import resolvers.duplicates
from documents.records import Record
from resolvers.duplicates import Candidate
from schema import links
from schema.context import EngineInfo
from schema.customers import Customer
from schema.ids import some_id
from schema.payloads import Payload
from schema.records import made

DEFAULT_PAIRS = 20


@strawberry.type(description="Two customers who may be one person.")
class DuplicateCandidate:
    """Two customers who may be one person."""

    customers: list[Customer] = strawberry.field(description="The two.")
    score: float = strawberry.field(
        description="How likely it is, from 0 to 1; from 0.5 on it is more likely than not."
    )
    reasons: list[str] = strawberry.field(description="What speaks for it, in words, the strongest first.")

    @classmethod
    def of(cls, candidate: Candidate) -> "DuplicateCandidate":
        """The candidate as clients see it."""
        customers = [Customer.of(record) for record in candidate.customers]
        return cls(customers=customers, score=round(candidate.score, 2), reasons=list(candidate.reasons))


@strawberry.type(description="A customer who was merged into another one, as far as it is remembered.")
class MergedCustomer:
    """A customer who was merged into another one."""

    id: strawberry.ID = strawberry.field(description="The former id; it means the kept customer now.")
    external_id: str | None = strawberry.field(default=None, description="The former id in the source system.")
    email: str | None = strawberry.field(default=None, description="The former e-mail address.")
    phone: str | None = strawberry.field(default=None, description="The former number.")
    merged_at: datetime = strawberry.field(description="When that was.")

    @classmethod
    def of(cls, record: Record) -> "MergedCustomer":
        """The merged customer as clients see them, from the record that is stored."""
        merged = made(cls, record)
        merged.id = strawberry.ID(str(record["_id"]))
        return merged


async def merged_from(customer: strawberry.Parent[Customer], info: EngineInfo) -> list[MergedCustomer]:
    """Those who were merged into a customer."""
    found = await info.context.loaders.merged.load(PydanticObjectId(customer.id))
    return [MergedCustomer.of(record) for record in found or ()]


links.back(Customer, merged_from, "Those who were merged into the customer, with the keys that were theirs alone.")


@strawberry.type(description="What became of a merger.")
class MergeCustomersPayload(Payload):
    """What became of a merger."""

    customer: Customer | None = strawberry.field(default=None, description="The kept customer as it is now.")


@strawberry.type
class DuplicateQuery:
    """Finding duplicates."""

    @strawberry.field(
        description="Pairs of customers who may be one person, the likeliest first. Reads all customers: seconds for "
        "100,000. A search goes on when it takes longer than a request may: ask again for what it found. Each pair "
        "stands for itself: if A may be B, and B may be C, A need not be C.",
        metadata={"cost": 20},
    )
    async def duplicate_customers(
        self,
        info: EngineInfo,
        first: Annotated[
            int | None, strawberry.argument(description="How many pairs at most, up to 100.")
        ] = DEFAULT_PAIRS,
    ) -> list[DuplicateCandidate]:
        viewer = info.context.require(info.field_name)
        found = await resolvers.duplicates.candidates(viewer, DEFAULT_PAIRS if first is None else first)
        return [DuplicateCandidate.of(each) for each in found]


@strawberry.type
class DuplicateMutation:
    """Making duplicates one."""

    @strawberry.mutation(
        description="Make several customers one: orders, messages, tags and what is empty go to the kept one, the "
        "figures add up, and an opt-out of any holds. The ids and keys of the merged ones mean the kept one from now "
        "on. All at once or nothing; merging again changes nothing."
    )
    async def merge_customers(
        self,
        info: EngineInfo,
        keep_id: Annotated[strawberry.ID, strawberry.argument(description="Who stays.")],
        merge_ids: Annotated[
            list[strawberry.ID], strawberry.argument(description="Who becomes the one to keep; at most 20.")
        ],
    ) -> MergeCustomersPayload:
        viewer = info.context.require(info.field_name)
        try:
            kept = await resolvers.duplicates.merge(viewer, some_id(keep_id), [some_id(id_) for id_ in merge_ids])
        except errors.Fault as fault:
            return MergeCustomersPayload.refused(fault)
        record = await resolvers.customers.find(viewer, kept)
        return MergeCustomersPayload(customer=Customer.of(record) if record else None)
