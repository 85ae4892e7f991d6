"""Serves the pages and their files, under a policy that lets a page load nothing from anywhere else."""

from pathlib import Path

from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER = Path(__file__).parent
ASSETS = FOLDER / "assets"
CDN = "https://unpkg.com"  # only when npm was not there to fetch the assets; under the same hashes

COMMON_POLICY = (
    "default-src 'none'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}


async def graphiql(scope: Scope, receive: Receive, send: Send) -> None:
    """GraphiQL, as an ASGI application."""
    # Its menus write a style element. Scripts are held to our files all the same.
    page = _page("graphiql.html", styles=f"'self' 'unsafe-inline'{_cdn()}")
    await page(scope, receive, send)


def console(request: Request) -> Response:
    """The live console."""
    return _page("console.html", styles="'self'")


def routes() -> list[BaseRoute]:
    """The console at `/`, and the files that both pages load."""
    # Paths of assets carry versions, so they may be kept for ever; the pages' own files change with the server.
    assets = StaticFiles(directory=ASSETS, check_dir=False)
    return [
        Route("/", console),
        Mount("/assets", _Cached(GZipMiddleware(assets), "public, max-age=31536000, immutable")),
        Mount("/static", _Cached(StaticFiles(directory=FOLDER / "static"), "no-cache")),
    ]


def _page(name: str, styles: str) -> Response:
    policy = f"{COMMON_POLICY}; script-src 'self'{_cdn()}; style-src {styles}"
    return FileResponse(FOLDER / name, headers={**PAGE_HEADERS, "Content-Security-Policy": policy})


def _cdn() -> str:
    return "" if ASSETS.is_dir() and any(ASSETS.iterdir()) else f" {CDN}"


class _Cached:
    """The same application, with a Cache-Control on what it answers."""

    def __init__(self, app: ASGIApp, cache_control: str) -> None:
        self._app = app
        self._cache_control = cache_control.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_cached(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                message["headers"] = [*message["headers"], (b"cache-control", self._cache_control)]
            await send(message)

        await self._app(scope, receive, send_cached)
