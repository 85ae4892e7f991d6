"""The composition root and the command line: settings in, a running product out.

    python server.py [serve | worker | schema | import customers FILE | import orders FILE]

`serve` answers HTTP, imports and, with SENDERS above 0, sends; `worker` does all but answer; `schema` prints
schema.graphql; `import` takes a file in, beside a server or alone.
"""

import argparse
import asyncio
import gc
import json
import logging
import os
import secrets
import signal
import sys
import threading
import tomllib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

import pymongo
import uvloop
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

import auth
import delivery
import documents
import errors
import listening
import metrics
import mongo
import schema
import settings
import terminal
from ai.gemini import Gemini
from ai.sentences import Sentences
from auth import Viewer
from delivery import audiences, dispatcher, webhook
from delivery.live import Feed
from delivery.vendor import Vendor
from documents import ImportKind
from ingestion import Policy, importer, suppressions
from resolvers.sessions import Sessions
from resolvers.users import Registration
from schema.context import ContextFactory, Services
from schema.endpoint import Endpoint
from schema.rates import Rates
from segmentation.dates import Calendar
from settings import Settings
from web import pages

log = logging.getLogger("server")

DEFAULT_DATABASE = "crm_db"
GRAPHQL = "/graphql"
READY_SECONDS = 2  # whoever asks whether the database answers wants to know it soon
LONGEST_STOP_SECONDS = 14.5
COLLECTED_AT = 20_000  # objects more than before; a batch of messages is made of some thousands
VERSION = tomllib.loads((Path(__file__).parent / "pyproject.toml").read_text())["project"]["version"]


@dataclass(frozen=True, slots=True)
class Product:
    """Everything that a process is made of, ready to work."""

    database: AsyncDatabase[dict[str, object]]
    services: Services
    vendor: Vendor
    importers: int


def main(arguments: list[str]) -> int:
    """Run the command that the arguments name; the exit status."""
    asked = _parser().parse_args(arguments)
    if asked.command == "schema":
        print(schema.schema.as_str())
        return 0
    commands: Mapping[str, Callable[[Settings], Coroutine[None, None, bool]]] = {
        "serve": serve,
        "worker": work,
        "import": lambda configured: take_in(configured, ImportKind(asked.kind.upper()), asked.file),
    }
    try:
        configured = settings.load()
        configure_logging(configured, logging.WARNING if asked.command == "import" else logging.INFO)
        metrics.tell_build(VERSION)
        spare_collections()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            went_well = runner.run(commands[asked.command](configured))
    except (settings.SettingsError, mongo.MongoError, metrics.PortTaken) as error:
        print(error, file=sys.stderr)
        return 1
    except errors.Fault as refused:
        print(*(fault.message for fault in refused.faults), sep="\n", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. What was begun goes on when a server runs.", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0 if went_well else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="server.py", description="A CRM campaign engine as a GraphQL API.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("serve", help="answer HTTP, import and send (what is done without a command)")
    commands.add_parser("worker", help="import and send, and do nothing else")
    commands.add_parser("schema", help="print schema.graphql")
    taking_in = commands.add_parser("import", help="take in a file of customers or orders")
    taking_in.add_argument("kind", choices=[kind.lower() for kind in ImportKind])
    taking_in.add_argument("file", type=Path, help="CSV or NDJSON, also packed with gzip; docs/imports.md")
    parser.set_defaults(command="serve")
    return parser


async def serve(configured: Settings) -> bool:
    """Answer HTTP, import and send until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    async with composed(configured) as product:
        served = schema.schema if configured.introspection else schema.made(introspection=False)
        rates = Rates(configured.rate_per_second, configured.rate_burst)
        endpoint = Endpoint(served, ContextFactory(product.services), page=pages.graphiql, rates=rates)
        app = application(product, endpoint, configured)
        server = listening.Server(app, configured.host, configured.port, configured.trusted_proxies)

        def stop() -> None:
            stopped.set()
            endpoint.close()
            server.stop()

        with on_stop_signal(stop), metrics.served(configured.metrics_port):
            async with at_work(product, stopped):
                spare_the_long_lived()
                await server.serve()
    return True


async def work(configured: Settings) -> bool:
    """Send and carry out imports, and do nothing else, until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    busy = {"senders": max(1, configured.senders), "importers": 1}
    async with composed(configured.model_copy(update=busy)) as product:
        with on_stop_signal(stopped.set), metrics.served(configured.metrics_port):
            async with at_work(product, stopped):
                await stopped.wait()
    return True


async def take_in(configured: Settings, kind: ImportKind, file: Path) -> bool:
    """Import a file, and show how it goes on; whether every row of it was taken."""
    async with composed(configured) as product:
        return await terminal.import_file(kind, file, product.services.policy)


def spare_the_long_lived() -> None:
    """Have the garbage collector pass over what was made to last, which took a fifth of the time of a page."""
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def at_work(product: Product, stopped: asyncio.Event) -> AsyncIterator[None]:
    """Plan, send, import and tell in the background until `stopped`; a loop that dies takes the process with it."""
    services = product.services
    async with asyncio.TaskGroup() as tasks:
        feeds = [
            tasks.create_task(services.feed.run(), name="live feed"),
            tasks.create_task(services.imports.run(), name="feed of imports"),
        ]
        importers = [
            tasks.create_task(importer.run(services.policy), name="importer") for _ in range(product.importers)
        ]
        delivery = tasks.create_task(
            dispatcher.run(services.delivery, product.vendor, services.walk, stopped, Random()),
            name="delivery",
        )
        yield
        stopped.set()
        for task in importers:
            task.cancel()  # at once: another process goes on behind the last step
        await delivery
        for task in feeds:
            task.cancel()


@asynccontextmanager
async def composed(configured: Settings) -> AsyncIterator[Product]:
    """The product on its database: found or started, indexes built; everything closed in reverse."""
    async with database(configured) as connected:
        await documents.prepare(connected)
        lifetimes = timedelta(minutes=configured.access_token_minutes), timedelta(days=configured.refresh_token_days)
        tokens = auth.Tokens(configured.jwt_secret or kept_secret(configured.data_dir / "jwt_secret"), *lifetimes)
        calendar = Calendar(configured.timezone)
        services = Services(
            sessions=Sessions(tokens),
            registration=Registration(configured.registration),
            delivery=delivery_setup(configured),
            walk=audiences.walker(calendar),
            feed=Feed(),
            policy=await policy(configured),
            calendar=calendar,
            reader=sentences(configured),
        )
        async with Vendor(configured.vendor_api_url, configured.vendor_api_key, configured.callback_url) as vendor:
            yield Product(connected, services, vendor, configured.importers)


def sentences(configured: Settings) -> Sentences:
    """What sentences are read by: Gemini when there is a key for it."""
    gemini = None
    if configured.google_api_key:
        gemini = Gemini(configured.google_api_key, configured.gemini_model, configured.gemini_api_endpoint)
    return Sentences(configured.currency, gemini)


def delivery_setup(configured: Settings) -> delivery.Setup:
    """What delivery is told."""
    return delivery.Setup(
        senders=configured.senders,
        vendor_batch_size=configured.vendor_batch_size,
        max_attempts=configured.max_attempts,
        receipt_timeout=timedelta(seconds=configured.receipt_timeout_seconds),
        frequency_cap_per_day=configured.frequency_cap_per_day,
    )


async def policy(configured: Settings) -> Policy:
    """What the operator decided about records. Raises SettingsError for a key that is not that of the suppressions."""
    key = (configured.suppression_key or kept_secret(configured.data_dir / "suppression_key")).encode()
    if not await suppressions.know(key):
        raise settings.SettingsError(
            "SUPPRESSION_KEY is not the one by which people were erased here: they would be taken in again. "
            "Set the former one, or restore the file suppression_key in DATA_DIR."
        )
    return Policy(configured.currency, max_batch=configured.max_batch, suppression_key=key)


@asynccontextmanager
async def database(configured: Settings) -> AsyncIterator[AsyncDatabase[dict[str, object]]]:
    """The configured MongoDB, or the embedded one. Raises MongoError for one that cannot be used."""
    if configured.mongodb_uri:
        async with connection(configured.mongodb_uri) as client:
            await mongo.refuse_standalone(client)
            yield client.get_default_database(DEFAULT_DATABASE)
        return
    async with (
        mongo.embedded(configured.data_dir, binary=configured.mongod_binary) as uri,
        connection(uri) as client,
    ):
        yield client.get_database(DEFAULT_DATABASE)


@asynccontextmanager
async def connection(uri: str) -> AsyncIterator[AsyncMongoClient[dict[str, object]]]:
    """A client whose acknowledged writes survive the loss of a primary."""
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
        uri, tz_aware=True, uuidRepresentation="standard", w="majority", retryWrites=True
    )
    async with client:
        yield client


def application(product: Product, endpoint: Endpoint[Viewer | None], configured: Settings) -> ASGIApp:
    """The ASGI application: every path of the HTTP surface."""
    with_metrics = configured.metrics_port is None  # else they have a port of their own, which the public cannot reach

    async def ready(request: Request) -> Response:
        try:
            with pymongo.timeout(READY_SECONDS):
                await product.database.command("ping")
        except PyMongoError:
            return PlainTextResponse("the database does not answer\n", status_code=503)
        return PlainTextResponse("ready\n")  # indexes were built before the first request was taken

    surface = Starlette(
        routes=[
            Route(GRAPHQL, endpoint),
            WebSocketRoute(GRAPHQL, endpoint),
            Route("/webhooks/delivery-receipts", webhook.endpoint(configured.vendor_webhook_secret), methods=["POST"]),
            Route("/healthz", alive),
            Route("/readyz", ready),
            *([Route("/metrics", figures)] if with_metrics else []),
            *pages.routes(),
        ]
    )

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        # Past Starlette's layers, a thirtieth of a page of customers. The routes above are for a slash at the end.
        await (endpoint if scope["path"] == GRAPHQL else surface)(scope, receive, send)

    return answer


async def alive(request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("alive\n")


async def figures(request: Request) -> Response:
    """What an operator can watch."""
    body, media_type = metrics.page()
    return Response(body, headers={"Content-Type": media_type})


def kept_secret(path: Path) -> str:
    """The secret in this file, made at the first time. Raises SettingsError where there can be none."""
    try:
        if not path.exists():
            _make_secret(path)
        return path.read_text()
    except OSError as error:
        raise settings.SettingsError(f"DATA_DIR cannot be used: {error}") from error


def _make_secret(path: Path) -> None:
    """Two processes that start at once make the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_hex(32))
    try:
        os.link(fresh, path)  # unlike a rename, fails when somebody else was first
    except FileExistsError:
        log.debug("another process made %s first", path)
    fresh.unlink()


def spare_collections() -> None:
    """Have the garbage collector look seldom, and never at what was imported: it took a twentieth of a campaign."""
    gc.freeze()
    gc.set_threshold(COLLECTED_AT)


def configure_logging(configured: Settings, level: int) -> None:
    """One line an event on standard error, as text or as JSON."""
    handler = logging.StreamHandler()
    if configured.log_format == "json":
        handler.setFormatter(_JsonLines())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    for noisy in ("httpx", "httpcore", "pymongo"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


@contextmanager
def on_stop_signal(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at SIGINT or SIGTERM, as often as they come, instead of ending at once."""
    loop = asyncio.get_running_loop()
    last = threading.Timer(LONGEST_STOP_SECONDS, end_unfinished)
    last.daemon = True

    def begin() -> None:
        if last.ident is None:
            last.start()
        stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, begin)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def end_unfinished() -> None:
    """End the process as a crash would: the driver waits long, several times over, for a database that is away."""
    log.warning("not all came to its end within %s s: the rest is taken up when its leases end", LONGEST_STOP_SECONDS)
    os._exit(0)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return json.dumps(event)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
