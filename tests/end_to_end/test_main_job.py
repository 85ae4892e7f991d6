"""The main job through real processes: it works, and it survives being killed."""

import asyncio
from datetime import UTC, datetime, timedelta

from tests.end_to_end import campaigns
from tests.product import Product

AUDIENCE = 3000
AHEAD = timedelta(seconds=3)


async def test_a_campaign_reaches_everybody_and_is_watched_to_its_end(product: Product) -> None:
    api = await product.sign_up()
    await campaigns.people(api, AUDIENCE)
    campaign = await campaigns.launch(api)
    events = [event async for event in api.watch(campaigns.PROGRESS, id=campaign)]
    assert events[-1]["status"] == "COMPLETED"
    await campaigns.assert_nothing_lost_or_repeated(product, api, campaign, AUDIENCE)
    final = await campaigns.state(api, campaign)
    assert 0.87 < final.stats["delivered"] / AUDIENCE < 0.93


async def test_a_server_killed_in_the_middle_of_a_campaign_completes_it_after_its_restart(product: Product) -> None:
    api = await product.sign_up()
    await campaigns.people(api, AUDIENCE)
    campaign = await campaigns.launch(api, ratePerSecond=1500)
    await campaigns.until(api, campaign, lambda now: now.stats["sent"] + now.done > AUDIENCE // 4)
    await product.kill("server")
    await product.start_server()
    await campaigns.until(api, campaign, lambda now: now.status == "COMPLETED")
    await campaigns.assert_nothing_lost_or_repeated(product, api, campaign, AUDIENCE)


async def test_a_stopped_server_leaves_within_its_time_and_loses_nothing(product: Product) -> None:
    api = await product.sign_up()
    await campaigns.people(api, AUDIENCE)
    campaign = await campaigns.launch(api, ratePerSecond=1500)
    await campaigns.until(api, campaign, lambda now: now.stats["sent"] + now.done > AUDIENCE // 4)
    assert await product.stop("server") == 0
    await product.start_server()
    await campaigns.until(api, campaign, lambda now: now.status == "COMPLETED")
    await campaigns.assert_nothing_lost_or_repeated(product, api, campaign, AUDIENCE)


async def test_a_campaign_whose_hour_came_while_no_server_ran_is_sent_once_one_does(product: Product) -> None:
    api = await product.sign_up()
    await campaigns.people(api, 10)
    hour = datetime.now(UTC) + AHEAD
    campaign = await campaigns.create(api, scheduledAt=hour.isoformat())
    assert (await campaigns.state(api, campaign)).status == "SCHEDULED"
    assert await product.stop("server") == 0
    assert datetime.now(UTC) < hour, "it was stopped in time"
    await until(hour)
    await product.start_server()
    await campaigns.until(api, campaign, lambda now: now.status == "COMPLETED")
    await campaigns.assert_nothing_lost_or_repeated(product, api, campaign, 10)


async def until(hour: datetime) -> None:
    """Wait until the clock shows it."""
    while True:
        if datetime.now(UTC) > hour:
            return
        await asyncio.sleep(campaigns.POLL_SECONDS)
