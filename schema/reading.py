"""From the text of a request to a validated document, once per text."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    TokenKind,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.validation.validate import ValidationAbortedError
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema import errors, limits, overlaps
from schema.planning import Plans

MAX_CHARACTERS = 20_000
MAX_TOKENS = 2_000
MAX_DIGITS = 1_000  # of one number; Python reads integers of up to 4,300
# A document in memory is some 50 times its text: 2 MB of texts keep the cache under 100 MB, whatever is sent.
CACHED_CHARACTERS = 2_000_000
CACHED_COSTS = 100

# Overlapping fields are looked for by schema/overlaps.py, once a document is valid otherwise.
RULES = (
    *(rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule),
    MaybeNullValidationRule,
    OneOfInputValidationRule,
)

_MANY_DIGITS = re.compile(rf"\d{{{MAX_DIGITS}}}")


class Refused(Exception):
    """A request that is not executed at all."""

    def __init__(self, found: list[GraphQLError], code: str) -> None:
        super().__init__("; ".join(error.message for error in found))
        self.found = found
        self.code = code


def refuse_beyond(name: str, maximum: int, found: int) -> None:
    """Raise Refused, with the limit's name, when more was found than it allows."""
    if found > maximum:
        problem = f"The query is over the limit of {maximum:,} for its {name.replace('_', ' ')}."
        # Fragment bombs come to numbers that JSON does not have.
        requested = min(found, 1_000_000_000)
        error = errors.coded(errors.LIMIT_EXCEEDED, problem, limit=name, requested=requested, max=maximum)
        raise Refused([error], errors.LIMIT_EXCEEDED)


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document, taken apart. It is shared by every request with the same text."""

    ast: DocumentNode
    operations: tuple[OperationDefinitionNode, ...]
    fragments: dict[str, FragmentDetails]
    # Whether a directive may leave something out of one execution and not of the next.
    varies: bool
    _costs: dict[tuple[object, ...], int] = field(default_factory=dict)
    _plans: dict[str | None, Plans] = field(default_factory=dict)

    def plans(self, operation: OperationDefinitionNode) -> Plans:
        """The plans to execute an operation by: those of its earlier executions, unless these may have differed."""
        return Plans() if self.varies else self._plans.setdefault(_name_of(operation), Plans())

    def cost(self, schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, object]) -> int:
        """What the operation costs with these variables; raises Refused when that is too much."""
        # Of the variables only page sizes matter, and those repeat: what varies from page to page is the cursor.
        sizes = tuple((name, value) for name, value in variables.items() if isinstance(value, int))
        key = (_name_of(operation), sizes)
        if (cost := self._costs.get(key)) is None:
            cost = limits.Scales(schema, self.ast, variables).weigh(operation).cost
            if len(self._costs) < CACHED_COSTS:
                self._costs[key] = cost
        refuse_beyond("cost", limits.MAX_COST, cost)
        return cost

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation of this name, or the only one; raises Refused when there is no such thing."""
        if name is None and len(self.operations) == 1:
            return self.operations[0]
        if name is None:
            problem = "Must provide operation name if query contains multiple operations."
            raise Refused([GraphQLError(problem)], errors.BAD_USER_INPUT)
        for operation in self.operations:
            if operation.name and operation.name.value == name:
                return operation
        raise Refused([GraphQLError(f"Unknown operation named '{name}'.")], errors.BAD_USER_INPUT)


class Reader:
    """Reads documents against one schema, and remembers the valid ones; what is refused is read anew each time."""

    def __init__(self, schema: GraphQLSchema, *, introspection: bool = True) -> None:
        self._schema = schema
        self._rules = RULES if introspection else (*RULES, NoSchemaIntrospectionCustomRule)
        self._cache: OrderedDict[str, Document] = OrderedDict()
        self._cached_characters = 0

    def read(self, text: str) -> Document:
        """The document that a text writes; raises Refused when it is malformed, invalid or too large."""
        if (known := self._cache.get(text)) is not None:
            self._cache.move_to_end(text)
            return known
        document = self._read(text)
        self._remember(text, document)
        return document

    def _read(self, text: str) -> Document:
        ast = _parse(text)
        self._refuse_too_much(ast)
        if found := validate(self._schema, ast, self._rules):
            gave_up = all(isinstance(error, ValidationAbortedError) for error in found)
            raise Refused(found, errors.LIMIT_EXCEEDED if gave_up else errors.VALIDATION_FAILED)
        if found := overlaps.conflicts(self._schema, ast):
            raise Refused(found, errors.VALIDATION_FAILED)
        return Document(
            ast=ast,
            operations=tuple(node for node in ast.definitions if isinstance(node, OperationDefinitionNode)),
            fragments={
                node.name.value: FragmentDetails(node)
                for node in ast.definitions
                if isinstance(node, FragmentDefinitionNode)
            },
            varies="@" in text,
        )

    def _refuse_too_much(self, ast: DocumentNode) -> None:
        # Before validation, which follows every spread and tells of every fault.
        scales = limits.Scales(self._schema, ast, {})
        try:
            weights = [scales.weigh(node) for node in ast.definitions if isinstance(node, OperationDefinitionNode)]
        except RecursionError:
            refuse_beyond("depth", limits.MAXIMA["depth"], MAX_TOKENS)
        for weight in weights:
            for name, maximum in limits.MAXIMA.items():
                refuse_beyond(name, maximum, getattr(weight, name))

    def _remember(self, text: str, document: Document) -> None:
        self._cache[text] = document
        self._cached_characters += len(text)
        while self._cached_characters > CACHED_CHARACTERS:
            forgotten, _ = self._cache.popitem(last=False)
            self._cached_characters -= len(forgotten)


def _parse(text: str) -> DocumentNode:
    refuse_beyond("characters", MAX_CHARACTERS, len(text))
    try:
        ast = parse(text, max_tokens=MAX_TOKENS)
    except GraphQLSyntaxError as error:
        # graphql-core aborts on its token and nesting limits with a syntax error like any other.
        if not error.message.endswith("Parsing aborted."):
            raise Refused([error], errors.PARSE_FAILED) from None
        tokens = "tokens" in error.message
        most = MAX_TOKENS if tokens else limits.MAXIMA["depth"]
        error.extensions = {"code": errors.LIMIT_EXCEEDED, "limit": "tokens" if tokens else "depth", "max": most}
        raise Refused([error], errors.LIMIT_EXCEEDED) from None
    if _MANY_DIGITS.search(text):
        _refuse_long_numbers(ast)
    return ast


def _refuse_long_numbers(ast: DocumentNode) -> None:
    """Python refuses to read them as integers, which graphql-core does not expect."""
    token = ast.loc.start_token if ast.loc else None
    while token:
        if token.kind in (TokenKind.INT, TokenKind.FLOAT):
            refuse_beyond("digits", MAX_DIGITS, len(token.value or ""))
        token = token.next


def _name_of(operation: OperationDefinitionNode) -> str | None:
    return operation.name.value if operation.name else None
