"""The whole schema: every noun's fields, merged into the three roots."""

import strawberry

from schema.customers import CustomerMutation, CustomerQuery
from schema.execution import EngineSchema
from schema.orders import OrderMutation, OrderQuery
from schema.users import UserMutation, UserQuery


@strawberry.type(description="What can be read.")
class Query(UserQuery, CustomerQuery, OrderQuery):
    """The fields of every noun that read."""


@strawberry.type(description="What can be done.")
class Mutation(UserMutation, CustomerMutation, OrderMutation):
    """The fields of every noun that write."""


schema = EngineSchema(query=Query, mutation=Mutation)
