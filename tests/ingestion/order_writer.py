"""A writer to be killed: `python -m tests.ingestion.order_writer URI DATABASE` says a line for each batch it stored."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pymongo import AsyncMongoClient

import documents
import ingestion.orders
from ingestion import Policy

NOW = datetime(2026, 7, 1, tzinfo=UTC)


async def main(uri: str, name: str) -> None:
    """Move the orders of customers a to c about, until somebody puts an end to it."""
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(uri, tz_aware=True)
    async with client:
        await documents.prepare(client.get_database(name))
        for turn in range(1_000_000):
            rows = [
                {
                    "external_id": str(number),
                    "customer": {"external_id": "abc"[(turn + number) % 3]},
                    "placed_at": NOW - timedelta(days=turn % 7 + number),
                    "amount": Decimal(turn * number % 1000),
                    "status": "CANCELLED" if (turn + number) % 5 == 0 else "COMPLETED",
                }
                for number in range(100)
            ]
            await ingestion.orders.ingest(rows, Policy(), NOW)
            print(turn, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
