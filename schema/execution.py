"""From a request to its answer.

Strawberry makes the types. Its way of executing them is replaced: it parses and validates every request anew, and
logs what a caller did wrong as if it were our bug.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from functools import partial
from inspect import isawaitable
from typing import TypeVar

import strawberry
from graphql import (
    ExecutionResult,
    GraphQLError,
    OperationType,
    build_schema,
    lexicographic_sort_schema,
    located_error,
    print_schema,
)
from graphql.execution import (
    Executor,
    create_source_event_stream,
    default_field_resolver,
    default_type_resolver,
)
from graphql.pyutils import AwaitableOrValue
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.config import StrawberryConfig

import metrics
from schema import arguments, errors, idempotency, limits, resolving
from schema.callers import Context
from schema.operations import Answer, Operation, Request, refusal
from schema.planning import PlanningExecutor
from schema.reading import Reader, Refused
from schema.scalars import SCALARS
from schema.sharing import Audiences, Event
from schema.variables import Variables

T = TypeVar("T")

# The slowest thing worth waiting for is a batch of 10,000 rows, which takes seconds.
TIMEOUT_SECONDS = 30.0
# A gigabyte took 40 s to be received, packed and written, on a machine that was busy with other things.
FILES_TIMEOUT_SECONDS = 600.0


class EngineSchema(strawberry.Schema):
    """The schema, and the way in for every request, whatever it came over."""

    def __init__(
        self,
        query: type,
        mutation: type | None = None,
        subscription: type | None = None,
        *,
        introspection: bool = True,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        config = StrawberryConfig(scalar_map=SCALARS)
        super().__init__(query, mutation, subscription, config=config)
        resolving.shorten(self)
        arguments.guard(self._schema)
        self._reader = Reader(self._schema, introspection=introspection)
        self._variables = Variables(self._schema)
        self._audiences = Audiences()
        self._timeout_seconds = timeout_seconds

    def as_str(self) -> str:
        """The schema as text, sorted. Strawberry's own sorting rebuilds its enums as ones that cannot be read."""
        return print_schema(lexicographic_sort_schema(build_schema(super().as_str())))

    async def answer(self, request: Request, context: Context, request_id: str = "") -> Answer:
        """The answer to a query or mutation, whatever becomes of it."""
        try:
            return await self.run(self.prepare(request, request_id), context)
        except Refused as refused:
            return refusal(refused, request_id)

    async def answers(
        self,
        request: Request,
        request_id: str,
        open_context: Callable[[], Context],
        admit: Callable[[int], None] = lambda _: None,
    ) -> AsyncGenerator[Answer, None]:
        """The answers to a request, whatever becomes of it; `admit` may raise Refused at what one costs."""
        try:
            operation = self.admitted(request, request_id, admit)
        except Refused as refused:
            yield refusal(refused, request_id)
            return
        async with aclosing(self.performed(operation, open_context)) as answers:
            async for answer in answers:
                yield answer

    def prepare(self, request: Request, request_id: str = "") -> Operation:
        """The operation that a request asks for; raises Refused when it cannot be executed."""
        document = self._reader.read(request.query)
        node = document.operation(request.operation_name)
        variables = self._variables.coerce(node.variable_definitions or (), request.variables)
        cost = document.cost(self._schema, node, variables.coerced)
        return Operation(request, document, node, variables, cost, request_id)

    def admitted(self, request: Request, request_id: str, admit: Callable[[int], None]) -> Operation:
        """The operation, paid for. Raises Refused when it cannot be, or cannot be executed, which costs as well."""
        try:
            operation = self.prepare(request, request_id)
        except Refused:
            admit(limits.REFUSED_COST)
            raise
        admit(operation.cost)
        return operation

    async def run(self, operation: Operation, context: Context) -> Answer:
        """The answer to a prepared query or mutation, the first one's when it repeats another."""
        try:
            complete = partial(self._complete, operation, self._executor(operation, context))
            with metrics.REQUEST_SECONDS.labels(operation.kind.value).time():
                answer = await idempotency.once(operation, context.caller, complete)
        except Refused as refused:
            return refusal(refused, operation.request_id)
        metrics.REQUESTS.labels(operation.kind.value, answer.code).inc()
        return answer

    async def performed(
        self, operation: Operation, open_context: Callable[[], Context]
    ) -> AsyncGenerator[Answer, None]:
        """The answers to an operation: one to a query or mutation, one for each event of a subscription.

        Each is made with a context of its own. One that was not executed is the last, and says why there are no more.
        """
        if operation.kind is not OperationType.SUBSCRIPTION:
            yield await self.run(operation, open_context())
            return
        executor = self._executor(operation, open_context())
        source = await _awaited(create_source_event_stream(executor))
        if isinstance(source, ExecutionResult):
            yield _stopped(operation, source.errors or ())
            return
        if not isinstance(source, AsyncGenerator):
            raise TypeError(f"A subscription must be an async generator, to be closed when its client leaves: {source}")
        metrics.REQUESTS.labels(operation.kind.value, "OK").inc()
        with metrics.SUBSCRIPTIONS.track_inprogress():
            async with aclosing(self._told(operation, executor, source, open_context)) as answers:
                async for answer in answers:
                    yield answer

    async def _told(
        self,
        operation: Operation,
        executor: PlanningExecutor,
        source: AsyncGenerator[object, None],
        open_context: Callable[[], Context],
    ) -> AsyncGenerator[Answer, None]:
        async def execute(event: object) -> ExecutionResult:
            of_event = executor.build_per_event_executor(event)
            of_event.context_value = open_context()
            return await self._executed(operation, of_event)

        audience = self._audiences.of(operation, open_context().rights)
        seat = audience.sit_down()
        async with aclosing(source) as events:
            try:
                async for event in events:
                    if isinstance(event, Event):
                        outcome = await audience.outcome(event, seat, execute)
                    else:
                        outcome = await execute(event)
                    yield outcome if isinstance(outcome, Answer) else _answer(operation, outcome)
            except Exception as error:
                yield _stopped(operation, [located_error(error, [operation.node])])

    def _executor(self, operation: Operation, context: Context) -> PlanningExecutor:
        fragments = operation.document.fragments
        return PlanningExecutor(
            schema=self._schema,
            fragment_definitions={name: details.definition for name, details in fragments.items()},
            fragments=fragments,
            root_value=None,
            context_value=context,
            operation=operation.node,
            variable_values=operation.variables,
            field_resolver=default_field_resolver,
            type_resolver=default_type_resolver,
            subscribe_field_resolver=default_field_resolver,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # a type guard, declared as bool
        ).using(operation.document.plans(operation.node))

    async def _complete(self, operation: Operation, executor: Executor[None]) -> Answer:
        return _answer(operation, await self._executed(operation, executor))

    async def _executed(self, operation: Operation, executor: Executor[None]) -> ExecutionResult:
        seconds = FILES_TIMEOUT_SECONDS if operation.request.has_files else self._timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                serially = operation.kind is OperationType.MUTATION
                result = await _awaited(executor.execute_operation(serially))
        except TimeoutError:
            problem = f"This took more than {seconds:g} seconds, and was given up."
            return ExecutionResult(None, [errors.coded(errors.TIMEOUT, problem)])
        except Exception as error:
            # graphql-core keeps what resolvers raise, so this is a bug in the execution itself.
            return ExecutionResult(None, [located_error(error)])
        assert isinstance(result, ExecutionResult)
        return result


def _answer(operation: Operation, result: ExecutionResult) -> Answer:
    # Of a stream the cost is not told with every event.
    once = operation.kind is not OperationType.SUBSCRIPTION
    extensions = {"cost": {"requested": operation.cost, "max": limits.MAX_COST}} if once else {}
    found = errors.told(result.errors or (), operation.request_id)
    return Answer(executed=True, data=result.data, errors=found, extensions=extensions)


def _stopped(operation: Operation, found: Iterable[GraphQLError]) -> Answer:
    answer = Answer(executed=False, errors=errors.told(found, operation.request_id))
    metrics.REQUESTS.labels(operation.kind.value, answer.code).inc()
    return answer


async def _awaited(value: AwaitableOrValue[T]) -> T:
    return await value if isawaitable(value) else value
