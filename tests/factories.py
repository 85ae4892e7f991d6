"""Records for tests, made as clients make them: in a line, and only as far as the test cares."""

import itertools

import documents
import ingestion.customers
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
