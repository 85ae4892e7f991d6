"""A page as a person meets it: what it shows is waited for, what it offers is clicked and typed into."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import JsonValue

from tests.browser.chromium import Chromium, Message

PATIENCE_SECONDS = 15
WIDTH, HEIGHT = 1280, 860

# The visible element that matches a selector and, if given, whose text holds that text; innermost and last in order.
FIND = """(selector, text) => [...document.querySelectorAll(selector)].filter(element =>
  element.checkVisibility() && element.innerText.includes(text ?? "")).at(-1)"""
# The middle of an element, once it can be clicked: enabled, uncovered, and where it was a frame ago.
CLICKABLE = """(find) => {
  let before = {};
  return () => {
    const element = find();
    if (!element || element.disabled) return null;
    element.scrollIntoView({ block: "center", behavior: "instant" });
    const box = element.getBoundingClientRect();
    const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    const still = middle.x === before.x && middle.y === before.y;
    before = middle;
    return still && element.contains(document.elementFromPoint(middle.x, middle.y)) && middle;
  };
}"""
UNTIL = """(condition, seconds) => new Promise((resolve, reject) => {
  const end = performance.now() + seconds * 1000;
  const look = () => {
    const value = condition();
    if (value) resolve(value);
    else if (performance.now() > end) reject(new Error("waited in vain; the page says: " + document.body.innerText));
    else requestAnimationFrame(look);
  };
  look();
})"""


@dataclass(slots=True)
class Page:
    """One tab, in a browser context that shares nothing with any other."""

    chromium: Chromium
    session: str
    hosts: set[str] = field(default_factory=set)
    """Every host that the page asked for anything."""
    faults: list[str] = field(default_factory=list)
    """What the browser complained of: script errors, policy violations, failed requests."""

    async def open(self, url: str) -> None:
        """Goes to an address, also when only its fragment differs."""
        await self._command("Page.navigate", url="about:blank")
        await self._command("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> JsonValue:
        """The value of a JavaScript expression, awaited; fails with what it throws."""
        reply = await self._command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        match reply:
            case {"exceptionDetails": {"exception": {"description": str(text)}}}:
                raise AssertionError(text)
            case {"result": {"value": value}}:
                return value
        return None

    async def until(self, condition: str) -> JsonValue:
        """Waits until a JavaScript expression holds, and gives its value."""
        return await self.evaluate(f"({UNTIL})(() => {condition}, {PATIENCE_SECONDS})")

    async def see(self, text: str, within: str = "body") -> None:
        """Waits until an element shows this text."""
        await self.until(f"({FIND})({json.dumps(within)}, {json.dumps(text)}) !== undefined")

    async def text(self, selector: str) -> str:
        """What an element shows, once it is there."""
        return str(await self.until(f"({FIND})({json.dumps(selector)}, null)?.innerText"))

    async def click(self, selector: str, text: str | None = None) -> None:
        """Clicks the middle of an element, with the mouse, once it can be clicked."""
        where = await self.evaluate(
            f"({UNTIL})(({CLICKABLE})(() => ({FIND})({json.dumps(selector)}, {json.dumps(text)})), {PATIENCE_SECONDS})"
        )
        assert isinstance(where, dict)
        await self._command("Input.dispatchMouseEvent", type="mouseMoved", **where)
        for kind in ("mousePressed", "mouseReleased"):
            await self._command("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **where)

    async def type(self, selector: str, text: str) -> None:
        """Types text into a field, over what it held."""
        await self.click(selector)
        await self.evaluate("document.activeElement.select()")
        await self._command("Input.insertText", text=text)

    async def press_enter(self) -> None:
        """Presses Enter in whatever has the focus."""
        for kind in ("keyDown", "keyUp"):
            await self._command("Input.dispatchKeyEvent", type=kind, key="Enter", windowsVirtualKeyCode=13, text="\r")

    async def resize(self, width: int, height: int) -> None:
        """Makes the window another size."""
        await self._command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    async def answer_requests(self, answer: Callable[[str], bytes | None], *patterns: str) -> None:
        """Answers requests to these URL patterns itself, None being "not found"; lifts the page's policy."""
        await self._command("Page.setBypassCSP", enabled=True)
        await self._command("Fetch.enable", patterns=[{"urlPattern": pattern} for pattern in patterns])
        tasks = set()

        def take(method: str, parameters: Message) -> None:
            match method, parameters:
                case "Fetch.requestPaused", {"requestId": str(request), "request": {"url": str(url)}}:
                    task = asyncio.create_task(self._fulfil(request, answer(url)))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)

        self.chromium.listen(self.session, take)

    def note(self, method: str, parameters: Message) -> None:
        """Takes note of an event of the browser's."""
        match method, parameters:
            case "Network.requestWillBeSent", {"request": {"url": str(url)}}:
                self._note_host(url)
            case "Network.webSocketCreated", {"url": str(url)}:
                self._note_host(url)
            case "Runtime.exceptionThrown", {"exceptionDetails": details}:
                self.faults.append(json.dumps(details))
            case "Log.entryAdded", {"entry": {"level": "error", "text": text}}:
                self.faults.append(str(text))

    def _note_host(self, url: str) -> None:
        if host := urlsplit(url).hostname:  # about: and data: have none
            self.hosts.add(host)

    async def _fulfil(self, request: str, body: bytes | None) -> None:
        anyone: JsonValue = {"name": "Access-Control-Allow-Origin", "value": "*"}
        await self._command(
            "Fetch.fulfillRequest",
            requestId=request,
            responseCode=404 if body is None else 200,
            responseHeaders=[anyone],
            body=base64.b64encode(body or b"").decode(),
        )

    async def _command(self, method: str, **parameters: JsonValue) -> Message:
        return await self.chromium.command(method, self.session, **parameters)


@asynccontextmanager
async def opened(chromium: Chromium) -> AsyncIterator[Page]:
    """A new tab, empty, with nothing remembered."""
    context = (await chromium.command("Target.createBrowserContext"))["browserContextId"]
    target = await chromium.command("Target.createTarget", url="about:blank", browserContextId=context)
    attached = await chromium.command("Target.attachToTarget", targetId=target["targetId"], flatten=True)
    page = Page(chromium, str(attached["sessionId"]))
    chromium.listen(page.session, page.note)
    for domain in ("Page", "Network", "Runtime", "Log"):
        await chromium.command(f"{domain}.enable", page.session)
    await page.resize(WIDTH, HEIGHT)
    try:
        yield page
    finally:
        await chromium.command("Target.disposeBrowserContext", browserContextId=context)
