"""How resolvers are called: what Strawberry works out of a field's signature at each call is worked out once.

Its own way names each argument anew, looks through the type of each value, and calls through five functions. This does
the same for fields without extensions; values of input types are still made by Strawberry.
"""

from collections.abc import Callable, Iterator

from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo
from strawberry import Schema
from strawberry.scalars import is_scalar
from strawberry.types import Info
from strawberry.types.arguments import StrawberryArgument, convert_argument
from strawberry.types.base import StrawberryMaybe, StrawberryOptional, StrawberryType
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField

Convert = Callable[[object, Info], object]
# By the name that clients know an argument by: the resolver's name of it, and what makes its value; None for nothing.
Arguments = dict[str, tuple[str, Convert | None]]


def shorten(schema: Schema) -> None:
    """Have each field that a resolver of its own answers call it by the short way."""
    for field, definition in _fields(schema):
        if definition.base_resolver and not definition.extensions and field.subscribe is None:
            field.resolve = _resolve(definition, _arguments(schema, definition))


def _fields(schema: Schema) -> Iterator[tuple[GraphQLField, StrawberryField]]:
    for type_ in schema._schema.type_map.values():
        for field in type_.fields.values() if isinstance(type_, GraphQLObjectType) else ():
            if isinstance(definition := field.extensions.get("strawberry-definition"), StrawberryField):
                yield field, definition


def _resolve(definition: StrawberryField, arguments: Arguments) -> Callable[..., object]:
    resolver = definition.base_resolver
    assert resolver
    source_parameter = resolver.parent_parameter or resolver.root_parameter
    source_name = source_parameter.name if source_parameter else None
    call: Callable[..., object] = resolver
    info_name = resolver.info_parameter.name if resolver.info_parameter else None
    takes_self = resolver.self_parameter is not None

    def resolve(source: object, raw_info: GraphQLResolveInfo[object], /, **sent: object) -> object:
        info = Info(_raw_info=raw_info, _field=definition)
        given: dict[str, object] = {}
        for name, value in sent.items():
            python_name, convert = arguments[name]
            given[python_name] = value if convert is None else convert(value, info)
        if source_name:
            given[source_name] = source
        if info_name:
            given[info_name] = info
        return call(source, **given) if takes_self else call(**given)

    resolve._is_default = False  # type: ignore[attr-defined]  # as Strawberry tells resolvers from attributes
    return resolve


def _arguments(schema: Schema, definition: StrawberryField) -> Arguments:
    names = schema.config.name_converter
    return {names.from_argument(each): (each.python_name, _conversion(schema, each)) for each in definition.arguments}


def _conversion(schema: Schema, argument: StrawberryArgument) -> Convert | None:
    type_ = inner = argument.type
    if optional := isinstance(type_, StrawberryOptional) and not isinstance(type_, StrawberryMaybe):
        inner = type_.of_type
    if _is_leaf(schema, inner):
        return None
    registry = schema.schema_converter.scalar_registry
    path = (schema.config.name_converter.from_argument(argument),)

    def convert(value: object, info: Info) -> object:
        if value is None and optional:
            return None
        return convert_argument(value, type_, registry, schema.config, info, path=path)

    return convert


def _is_leaf(schema: Schema, type_: StrawberryType | type) -> bool:
    """Whether values come from graphql-core as resolvers want them."""
    return isinstance(type_, StrawberryEnumDefinition) or is_scalar(type_, schema.schema_converter.scalar_registry)
