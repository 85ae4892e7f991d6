"""The whole schema: every noun's fields, merged into the three roots."""

import strawberry

from schema.campaigns import CampaignMutation, CampaignQuery
from schema.customers import CustomerMutation, CustomerQuery
from schema.duplicates import DuplicateMutation, DuplicateQuery
from schema.erasures import ErasureMutation
from schema.execution import EngineSchema
from schema.explanations import ExplanationQuery
from schema.imports import ImportMutation, ImportQuery, ImportSubscription
from schema.messages import MessageMutation, MessageQuery, MessageSubscription
from schema.orders import OrderMutation, OrderQuery
from schema.overview import OverviewQuery
from schema.progress import ProgressQuery, ProgressSubscription
from schema.segments import SegmentMutation, SegmentQuery
from schema.sentences import SentenceMutation
from schema.suggestions import SuggestionQuery
from schema.users import UserMutation, UserQuery


@strawberry.type(description="What can be read.")
class Query(
    UserQuery,
    OverviewQuery,
    CustomerQuery,
    DuplicateQuery,
    OrderQuery,
    ImportQuery,
    SegmentQuery,
    ExplanationQuery,
    SuggestionQuery,
    CampaignQuery,
    ProgressQuery,
    MessageQuery,
):
    """The fields of every noun that read."""


@strawberry.type(description="What can be done.")
class Mutation(
    UserMutation,
    CustomerMutation,
    DuplicateMutation,
    ErasureMutation,
    OrderMutation,
    ImportMutation,
    SegmentMutation,
    SentenceMutation,
    CampaignMutation,
    MessageMutation,
):
    """The fields of every noun that write."""


@strawberry.type(description="What can be watched.")
class Subscription(ProgressSubscription, MessageSubscription, ImportSubscription):
    """The fields of every noun that tell what changes."""


def made(*, introspection: bool = True) -> EngineSchema:
    """The schema; without introspection it does not tell what is in it."""
    return EngineSchema(query=Query, mutation=Mutation, subscription=Subscription, introspection=introspection)


schema = made()
