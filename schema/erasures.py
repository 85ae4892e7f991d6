"""Erasures: removing a person, and letting them be taken in again."""

from typing import Annotated

import strawberry

import errors
import resolvers.erasures
from schema import inputs
from schema.context import EngineInfo
from schema.ids import some_id
from schema.orders import CustomerKey
from schema.payloads import Payload
from schema.segments import DeletePayload


@strawberry.type(description="What became of a suppression.")
class LiftSuppressionPayload(Payload):
    """What became of a suppression."""

    lifted: int = strawberry.field(
        default=0, description="How many ids and keys of the person were suppressed, and are not any more."
    )


@strawberry.type
class ErasureMutation:
    """Removing people."""

    @strawberry.mutation(
        description="Remove a person from everything that is stored: the customer, those merged into it, the names in "
        "orders, messages, receipts and imports. What is counted stays; messages that are yet to be sent are "
        "CANCELLED. Records that name the person by any former id or key are refused from now on, until "
        "liftSuppression. It cannot be undone; doing it again changes nothing."
    )
    async def erase_customer(
        self, info: EngineInfo, id: Annotated[strawberry.ID, strawberry.argument(description="Whom.")]
    ) -> DeletePayload:
        viewer = info.context.require(info.field_name)
        try:
            erased = await resolvers.erasures.erase(viewer, some_id(id), info.context.services.policy)
        except errors.Fault as fault:
            return DeletePayload.refused(fault)
        return DeletePayload(deleted_id=strawberry.ID(str(erased)))

    @strawberry.mutation(
        description="Let somebody who was erased be taken in again, by every id and key that they had: because they "
        "came back and agreed. It brings nothing back that was erased."
    )
    async def lift_suppression(
        self,
        info: EngineInfo,
        customer: Annotated[CustomerKey, strawberry.argument(description="Any id or key that the person had.")],
    ) -> LiftSuppressionPayload:
        viewer = info.context.require(info.field_name)
        try:
            key = inputs.given(customer)
            return LiftSuppressionPayload(
                lifted=await resolvers.erasures.lift(viewer, key, info.context.services.policy)
            )
        except errors.Fault as fault:
            return LiftSuppressionPayload.refused(fault, "customer")
