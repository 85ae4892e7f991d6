"""The main job, end to end: a purchase history comes in, a sentence says who is meant, a campaign reaches them."""

import asyncio
import json
import secrets
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from demo import history, processes
from demo.api import Api, ApiError, JsonObject

CDNOW = Path(processes.SETTINGS.get("CDNOW_FILE", ".venv/demo/lifetimes/datasets/CDNOW_master.txt"))
SIGN_IN_FILE = processes.DATA_DIR / "demo.json"
SENTENCE = "customers who spent more than 100 and ordered at least twice"
BODY = 'Hi {{ customer.firstName | default: "there" }}, you spent {{ customer.totalSpend }} with us. Thank you!'
OUTCOMES = ("delivered", "failed", "skipped", "heldOut", "cancelled")
BATCH = 1000
BATCHES_AT_ONCE = 2
TIMEOUT_SECONDS = 60

OPENING_QUERY = """query MyCampaigns {
  overview { customers orders revenue }
  campaigns(first: 5) { nodes { name status stats { audience delivered failed deliveryRate } } }
}"""
INGEST = """mutation Ingest($rows: [%sInput!]!) {
  ingest%ss(input: $rows) { created updated unchanged failed userErrors { message } }
}"""
UNDERSTAND = """mutation Understand($prompt: String!) {
  generateSegmentRules(prompt: $prompt) { query audienceSize userErrors { message } }
}"""
CREATE_SEGMENT = """mutation Segment($input: CreateSegmentInput!) {
  createSegment(input: $input) { segment { id audienceSize } userErrors { message } }
}"""
CREATE_CAMPAIGN = """mutation Campaign($input: CreateCampaignInput!) {
  createCampaign(input: $input) { campaign { id } userErrors { message } }
}"""
FLIGHT_PLAN = """query Plan($id: ID!) {
  flightPlan(campaignId: $id) {
    audience toSend heldOut skipped { reason count } samples { body recipient } userErrors { message }
  }
}"""
LAUNCH = """mutation Launch($id: ID!) { launchCampaign(id: $id) { campaign { status } userErrors { message } } }"""
PROGRESS = """subscription Progress($id: ID!) {
  campaignProgress(campaignId: $id) {
    status messagesPerSecond
    stats { audience pending sending sent delivered failed skipped heldOut cancelled deliveryRate }
  }
}"""
VERIFY = """query Verify($id: ID!) {
  verifyCampaign(id: $id) { consistent duplicateMessages recount { audience delivered failed } }
}"""

console = Console()
T = TypeVar("T")


async def tell() -> int:
    """Tell the whole story; the exit status."""
    started = time.monotonic()
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as http:
            api = await _product(http)
            await _import(api)
            segment = await _segment(api)
            await _campaign(api, segment)
    except (ApiError, TimeoutError, httpx.HTTPError) as error:
        console.print(
            f"[red]The demo stopped: {str(error) or repr(error)}[/red]  (the server's log: {processes.LOG_FILE})"
        )
        return 1
    _farewell(time.monotonic() - started)
    return 0


async def _product(http: httpx.AsyncClient) -> Api:
    if not await processes.answers():
        console.print("Starting MongoDB, the simulated vendor and the server …")
        await processes.until_ready(processes.start_in_background())
    return Api(processes.URL, await _sign_in(Api(processes.URL, None, http)), http)


async def _sign_in(api: Api) -> str:
    sign_in: JsonObject
    if SIGN_IN_FILE.exists():
        sign_in = json.loads(SIGN_IN_FILE.read_text())
        operation, extra = "login", {}
    else:
        sign_in = {"email": "demo@example.com", "password": secrets.token_urlsafe(12)}
        operation, extra = "register", {"name": "Demo"}
    document = (
        f"mutation SignIn($input: {operation.capitalize()}Input!) "
        f"{{ {operation}(input: $input) {{ accessToken userErrors {{ message }} }} }}"
    )
    answer = await api.ask(document, input={**sign_in, **extra})
    if operation == "register":
        SIGN_IN_FILE.touch(mode=0o600)
        SIGN_IN_FILE.write_text(json.dumps(sign_in))
    return str(answer["accessToken"])


async def _import(api: Api) -> None:
    purchases = history.read(CDNOW)
    people = history.customers(purchases)
    with _bars() as bars:
        await _ingest(api, bars, "Customer", people)
        await _ingest(api, bars, "Order", [purchase.order() for purchase in purchases])
    total = sum((purchase.amount for purchase in purchases), Decimal(0))
    overview = await api.ask("{ overview { customers orders revenue } }")
    console.print(
        f"The file says {len(people):,} customers, {len(purchases):,} orders, ${total:,}; "
        f"the API says {overview['customers']:,}, {overview['orders']:,}, ${Decimal(str(overview['revenue'])):,}."
    )


async def _ingest(api: Api, bars: Progress, noun: str, rows: Sequence[JsonObject]) -> None:
    bar = bars.add_task(f"{noun}s", total=len(rows))
    at_once = asyncio.Semaphore(BATCHES_AT_ONCE)
    failed = 0

    async def batch(chunk: Sequence[JsonObject]) -> None:
        nonlocal failed
        async with at_once:
            report = await api.ask(INGEST % (noun, noun), rows=chunk)
        failed += int(str(report["failed"]))
        bars.advance(bar, len(chunk))

    async with asyncio.TaskGroup() as tasks:
        for chunk in _chunks(rows, BATCH):
            tasks.create_task(batch(chunk))
    if failed:
        raise ApiError(f"{failed} {noun.lower()}s were not taken")


async def _segment(api: Api) -> str:
    read = await api.ask(UNDERSTAND, prompt=SENTENCE)
    console.print(f"\n[bold]“{SENTENCE}”[/bold]")
    console.print(f"  means  {read['query']}  → {read['audienceSize']:,} customers")
    definition = {"name": "Good customers", "definition": {"prompt": SENTENCE}}
    answer = await api.ask(CREATE_SEGMENT, input=definition)
    return _id(answer, "segment")


async def _campaign(api: Api, segment: str) -> None:
    answer = await api.ask(CREATE_CAMPAIGN, input={"name": "Thank you", "segmentId": segment, "body": BODY})
    campaign = _id(answer, "campaign")
    plan = await api.ask(FLIGHT_PLAN, id=campaign)
    console.print(f"\nFlight plan: {plan['audience']:,} in the audience, {plan['toSend']:,} to send. For example:")
    for sample in _list(plan["samples"])[:2]:
        console.print(f"  {sample['recipient']}  {sample['body']}")
    await api.ask(LAUNCH, id=campaign)
    await _watch(api, campaign)
    check = await api.ask(VERIFY, id=campaign)
    console.print(f"The counters agree with a recount of the ledger: {'yes' if check['consistent'] else 'NO'}.")


async def _watch(api: Api, campaign: str) -> None:
    stats: JsonObject = {}
    status = ""
    with _bars() as bars:
        bar = bars.add_task("Messages", total=None)
        async for event in api.watch(PROGRESS, id=campaign):
            status, stats = str(event["status"]), _object(event["stats"])
            counts = {name: int(str(count)) for name, count in stats.items() if name != "deliveryRate"}
            bars.update(bar, total=counts["audience"], completed=sum(counts[name] for name in OUTCOMES))
    table = Table("", "", title=f"The campaign is {status}", show_header=False)  # a row each: the names need the width
    for name, value in stats.items():
        table.add_row(name, Text(f"{value:.4f}" if isinstance(value, float) else f"{value:,}", justify="right"))
    console.print(table)
    if status != "COMPLETED":
        raise ApiError(f"the campaign ended as {status}")


def _farewell(seconds: float) -> None:
    sign_in = json.loads(SIGN_IN_FILE.read_text())
    link = f"{processes.URL}/graphql#query={quote(OPENING_QUERY)}"
    console.print(f"\nDone in {seconds:.0f} s. The server is still up; [bold]make stop[/bold] ends it.\n")
    console.print(f"  GraphiQL  {link}", soft_wrap=True)
    console.print(f"  Console   {processes.URL}/")
    console.print(f"  Sign in   {sign_in['email']}  {sign_in['password']}\n")


def _bars() -> Progress:
    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(SpinnerColumn(), *columns, console=console)


def _chunks(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (rows[at : at + size] for at in range(0, len(rows), size))


def _id(answer: JsonObject, name: str) -> str:
    return str(_object(answer[name])["id"])


def _object(value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise ApiError(f"not an object: {value}")
    return value


def _list(value: object) -> list[JsonObject]:
    return [_object(item) for item in value] if isinstance(value, list) else []
