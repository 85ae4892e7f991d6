"""Workers: processes that send beside a server that does not, end without a trace, and take over from one another."""

import asyncio
import time
from pathlib import Path

from tests.end_to_end import campaigns, ledgers
from tests.end_to_end.ledgers import Comparison
from tests.product import Product, running

AUDIENCE = 2000
RATE_PER_SECOND = 400
DRAIN_SECONDS = 15


async def until_sending(product: Product, url: str) -> None:
    """Wait until the worker at a URL has handed messages over."""
    await product.until_figure(url, "crm_send_attempts_total", bool)


async def test_workers_share_a_campaign_at_its_rate_and_nothing_is_burnt_when_they_end(tmp_path: Path) -> None:
    async with running(tmp_path, SENDERS="0", VENDOR_BATCH_SIZE="50") as product:
        api = await product.sign_up()
        await campaigns.people(api, AUDIENCE)
        workers = [await product.start_worker(name) for name in ("first", "second", "third")]
        started = time.monotonic()
        campaign = await campaigns.launch(api, ratePerSecond=RATE_PER_SECOND)
        for url in workers[:2]:  # the third may have found nothing left by then
            await until_sending(product, url)
        async with asyncio.timeout(DRAIN_SECONDS):
            assert await product.stop("first") == 0
        await product.kill("second")
        await campaigns.until(api, campaign, lambda now: now.stats["sent"] + now.done == AUDIENCE)
        assert time.monotonic() - started > AUDIENCE / RATE_PER_SECOND - 1, (
            "however many send, the rate is the campaign's"
        )
        await campaigns.until(api, campaign, lambda now: now.status == "COMPLETED")
        messages = await ledgers.messages(api, campaign)
        assert {message["attempts"] for message in messages.values()} == {1}, (
            "neither a drain nor a kill counts as an attempt"
        )
        assert await ledgers.compare(product, api, campaign, AUDIENCE) == Comparison(lost=0, repeated=0, drifted=0)
        assert await product.figure(product.url, "crm_send_attempts_total") == 0
