"""Records for tests, made as clients make them: in a line, and only as far as the test cares."""

import itertools
from decimal import Decimal

import documents
import ingestion.customers
import ingestion.orders
from ingestion import Policy

_number = itertools.count(1)


async def a_customer(**fields: object) -> documents.Customer:
    """A customer with these fields; with an external_id of its own if none is given."""
    row = {"external_id": f"customer-{next(_number)}", **fields}
    report = await ingestion.customers.ingest([row], Policy(), documents.now())
    assert report.only.id, report.only.faults
    customer = await documents.Customer.get(report.only.id)
    assert customer
    return customer


async def an_order(customer: documents.Customer, **fields: object) -> documents.Order:
    """An order of this customer, COMPLETED, of 10.00 and of now unless told otherwise."""
    row = {
        "external_id": f"order-{next(_number)}",
        "customer": {"id": str(customer.id)},
        "placed_at": documents.now(),
        **({} if "items" in fields else {"amount": Decimal("10.00")}),
        **fields,
    }
    report = await ingestion.orders.ingest([row], Policy(), documents.now())
    assert report.only.id, report.only.faults
    order = await documents.Order.get(report.only.id)
    assert order
    return order
