"""Links back: fields that a noun adds to the type of a noun it knows.

An order knows its customer, so schema/orders.py imports schema/customers.py; that a customer has orders is said in
schema/orders.py too. So modules import one another in one direction only, and types still link in both.
"""

from collections.abc import Callable

from strawberry.types.base import get_object_definition
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver


def back(source: type, resolver: Callable[..., object], description: str) -> None:
    """Give the type `source` a field of the resolver's name; its first parameter is a strawberry.Parent."""
    field = StrawberryField(
        python_name=resolver.__name__, base_resolver=StrawberryResolver(resolver), description=description
    )
    get_object_definition(source, strict=True).fields.append(field)
