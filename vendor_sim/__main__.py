"""`python -m vendor_sim`: the vendor as a process of its own, until SIGINT or SIGTERM."""

import asyncio
import contextlib
import gc
import logging

import httpx
import uvicorn
import uvloop

from vendor_sim import app
from vendor_sim.settings import Settings
from vendor_sim.vendor import Vendor

COLLECTED_AT = 50_000  # objects more than before


async def main() -> None:
    """Serve, and send receipts meanwhile."""
    settings = Settings()
    async with httpx.AsyncClient() as http:
        vendor = Vendor(settings, http)
        server = uvicorn.Server(
            uvicorn.Config(
                app.create(settings, vendor),
                host=settings.host,
                port=settings.port,
                lifespan="off",
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=1,
            )
        )
        sending = asyncio.create_task(vendor.run(), name="vendor")
        await server.serve()
        sending.cancel()


# The collector would look through the messages that are held, which are never garbage: a fifth of the vendor's work.
gc.freeze()
gc.set_threshold(COLLECTED_AT)
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
logging.getLogger("httpx").setLevel(logging.WARNING)
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, contextlib.suppress(KeyboardInterrupt):
    runner.run(main())
