"""GraphQL over HTTP: what is taken, what is refused and how, and the streams and files beside it."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.types import Message, Scope

from schema import http, limits
from schema.endpoint import MAX_JSON_BYTES, Endpoint
from schema.http import Media
from schema.rates import Rates
from tests.api.small import SCHEMA, Caller, Callers, endless, served

RESPONSE, EVENTS = "application/graphql-response+json", "text/event-stream"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    endpoint = Endpoint(SCHEMA, Callers(), page=HTMLResponse("<h1>Look</h1>"))
    app = Starlette(routes=[Route("/", endpoint)])
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://engine") as client:
        yield client


def codes(response: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in response.json()["errors"]]


async def test_a_query_is_answered_over_post_and_over_get(client: httpx.AsyncClient) -> None:
    posted = await client.post("", json={"query": "query ($v: JSON!) { echo(value: $v) }", "variables": {"v": [1]}})
    asked = await client.get("", params={"query": "query ($v: JSON!) { echo(value: $v) }", "variables": '{"v": [1]}'})
    for response in (posted, asked):
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json; charset=utf-8"
        assert response.json()["data"] == {"echo": [1]}


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", Media.JSON),
        ("*/*", Media.JSON),
        ("application/*", Media.JSON),
        ("application/graphql-response+json, application/json;q=0.9", Media.RESPONSE),
        ("application/graphql-response+json;q=0.5, application/json", Media.JSON),
        ("text/html, application/graphql-response+json; charset=utf-8", Media.RESPONSE),
        ("text/event-stream", Media.EVENTS),
        ("text/html, */*;q=0.1", Media.JSON),
    ],
)
def test_the_answer_is_in_the_media_type_that_is_accepted(accept: str, media: Media) -> None:
    assert http.negotiate(accept) is media


@pytest.mark.parametrize("accept", ["text/html", "image/png;q=1", "application/json;q=0", "application/json;q=x"])
def test_what_nobody_can_answer_in_is_refused(accept: str) -> None:
    with pytest.raises(http.HTTPFault) as refused:
        http.negotiate(accept)
    assert refused.value.status == 406


# Whatever is sent, the fault is the sender's: none of these may answer 500.
ODD_BODIES = [
    b"",
    b"null",
    b"5",
    b'"text"',
    b"[]",
    b'[{"query": "{ who }"}]',
    b"{",
    b"\xff\xfe",
    b'{"query": "\\ud800"}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"{}",
    b'{"query": null}',
    b'{"query": 5}',
    b'{"query": "{ who }", "variables": []}',
    b'{"query": "{ who }", "variables": "{}"}',
    b'{"query": "{ who }", "operationName": 5}',
    b'{"query": "{ who }", "extensions": 5}',
]


@pytest.mark.parametrize("body", ODD_BODIES, ids=range(len(ODD_BODIES)))
async def test_an_odd_body_is_a_bad_request(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post("", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert codes(response) == ["BAD_REQUEST"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
parameters = st.fixed_dictionaries(
    {},
    optional={
        "query": json_values | st.sampled_from(["{ who }", "query A($v: JSON!) { echo(value: $v) }", "{ nothing }"]),
        "variables": json_values | st.dictionaries(st.sampled_from(["v", "w"]), json_values),
        "operationName": json_values | st.just("A"),
        "extensions": json_values,
    },
)


@settings(max_examples=300, deadline=None)
@given(st.binary() | json_values.map(json.dumps) | parameters.map(json.dumps))
def test_no_body_however_odd_is_our_fault(body: bytes | str) -> None:
    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(Endpoint(SCHEMA, Callers()))
        async with httpx.AsyncClient(transport=transport, base_url="http://engine") as client:
            return await client.post("", content=body, headers={"content-type": "application/json"})

    response = asyncio.run(post())
    assert response.status_code in (200, 400)
    assert "INTERNAL" not in response.text


async def test_null_stands_for_what_is_not_given(client: httpx.AsyncClient) -> None:
    given_null = {"query": "{ who }", "variables": None, "operationName": None, "extensions": None}
    assert (await client.post("", json=given_null)).json()["data"] == {"who": None}


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json; charset=utf-8", 200),
        ('application/JSON; charset="UTF-8"', 200),
        ("application/json; charset=latin-1", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
async def test_only_json_in_utf_8_is_read(client: httpx.AsyncClient, content_type: str, status: int) -> None:
    response = await client.post("", content=b'{"query": "{ who }"}', headers={"content-type": content_type})
    assert response.status_code == status


async def test_a_packed_body_is_refused_as_such(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    response = await client.post("", content=gzip.compress(b'{"query": "{ who }"}'), headers=headers)
    assert (response.status_code, response.headers["accept-encoding"]) == (415, "identity")
    assert "Content-Encoding" in response.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "OPTIONS"])
async def test_other_methods_are_told_which_are_allowed(client: httpx.AsyncClient, method: str) -> None:
    response = await client.request(method, "")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


async def test_a_mutation_is_not_taken_from_an_address(client: httpx.AsyncClient) -> None:
    response = await client.get("", params={"query": "mutation { act }"})
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("query", "code"),
    [("{", "GRAPHQL_PARSE_FAILED"), ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"), ("query ($v: Int!) { echo }", None)],
)
@pytest.mark.parametrize(("accept", "status"), [("application/json", 200), (RESPONSE, 400)])
async def test_what_cannot_be_executed_has_errors_and_no_data(
    client: httpx.AsyncClient, query: str, code: str | None, accept: str, status: int
) -> None:
    response = await client.post("", json={"query": query}, headers={"accept": accept})
    assert response.status_code == status
    assert "data" not in response.json()
    assert code is None or codes(response) == [code]


async def test_one_of_several_operations_must_be_named(client: httpx.AsyncClient) -> None:
    response = await client.post("", json={"query": "query A { who } query B { who }"})
    assert codes(response) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("field", ["breaks", "unwritable"])
async def test_our_bugs_are_masked(client: httpx.AsyncClient, field: str) -> None:
    response = await client.post("", json={"query": f"{{ {field} }}"}, headers={"X-Request-Id": "mine-1"})
    assert response.status_code == 200
    assert response.json()["data"] is None
    [error] = response.json()["errors"]
    assert error["message"] == "Something went wrong on our side."
    assert error["extensions"]["requestId"] == response.headers["x-request-id"] == "mine-1"


async def test_a_bug_before_the_execution_is_masked_too(client: httpx.AsyncClient) -> None:
    response = await client.post("", json={"query": "{ who }"}, headers={"Authorization": "Bearer broken"})
    assert response.status_code == 500
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    assert "hunter2" not in response.text


async def test_a_client_that_leaves_before_it_has_asked_is_no_bug(caplog: pytest.LogCaptureFixture) -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b'{"query": ', "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        pytest.fail(f"nobody hears {message}")

    headers = [(b"content-type", b"application/json")]
    await Endpoint(SCHEMA, Callers())({"type": "http", "method": "POST", "headers": headers}, receive, send)
    assert caplog.records == []


async def test_an_unfit_request_id_is_replaced(client: httpx.AsyncClient) -> None:
    response = await client.post("", json={"query": "{ who }"}, headers={"X-Request-Id": "a b\tc"})
    assert len(response.headers["x-request-id"]) == 16


async def test_the_caller_is_known_by_the_token(client: httpx.AsyncClient) -> None:
    response = await client.post("", json={"query": "{ who }"}, headers={"Authorization": "Bearer ann"})
    assert response.json()["data"] == {"who": "ann"}


@pytest.mark.parametrize(("accept", "status"), [("application/json", 200), (RESPONSE, 401)])
async def test_a_token_that_is_no_good_is_refused(client: httpx.AsyncClient, accept: str, status: int) -> None:
    headers = {"Authorization": "Bearer bad", "accept": accept}
    response = await client.post("", json={"query": "{ who }"}, headers=headers)
    assert response.status_code == status
    assert codes(response) == ["UNAUTHENTICATED"]


async def test_who_is_refused_is_told_how_to_say_who_it_is(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "", json={"query": "{ who }"}, headers={"Authorization": "Bearer bad", "accept": RESPONSE}
    )
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("accept", ["application/json", RESPONSE, EVENTS])
async def test_while_nobody_can_tell_who_is_asking_they_are_told_to_try_again(
    client: httpx.AsyncClient, accept: str
) -> None:
    headers = {"Authorization": "Bearer lost", "accept": accept}
    response = await client.post("", json={"query": "{ who }"}, headers=headers)
    assert response.status_code == (503 if accept == RESPONSE else 200)
    assert '"code":"UNAVAILABLE"' in response.text


@pytest.mark.parametrize(
    ("query", "token", "code"),
    [("{ nothing }", "ann", "GRAPHQL_VALIDATION_FAILED"), ("{ who }", "bad", "UNAUTHENTICATED")],
)
async def test_what_is_refused_is_paid_for_too(query: str, token: str, code: str) -> None:
    endpoint = Endpoint(SCHEMA, Callers(), rates=Rates(burst=2 * limits.REFUSED_COST, clock=lambda: 0.0))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(endpoint), base_url="http://engine") as client:
        headers = {"Authorization": f"Bearer {token}"}
        answers = [await client.post("", json={"query": query}, headers=headers) for _ in range(3)]
    assert [codes(answer) for answer in answers] == [[code], [code], ["LIMIT_EXCEEDED"]]


@pytest.mark.parametrize(("accept", "status"), [("application/json", 200), (RESPONSE, 429)])
async def test_who_asks_for_too_much_is_told_when_to_try_again(accept: str, status: int) -> None:
    rates = Rates(cost_per_second=0.5, burst=1, clock=lambda: 0.0)
    endpoint = Endpoint(SCHEMA, Callers(), rates=rates)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(endpoint), base_url="http://engine") as client:
        headers = {"accept": accept, "authorization": "Bearer ann"}
        answered, refused = [await client.post("", json={"query": "{ who }"}, headers=headers) for _ in range(2)]
    assert answered.json()["data"] == {"who": "ann"}
    assert refused.status_code == status
    assert refused.headers["retry-after"] == "2"
    assert codes(refused) == ["LIMIT_EXCEEDED"]
    assert refused.json()["errors"][0]["extensions"]["retryAfterSeconds"] == 2


async def test_a_browser_that_comes_to_look_gets_the_page(client: httpx.AsyncClient) -> None:
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    assert (await client.get("", headers=browser)).text == "<h1>Look</h1>"
    assert (await client.get("", params={"query": "{ who }"}, headers=browser)).json()["data"] == {"who": None}


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(client: httpx.AsyncClient) -> None:
    read = 0

    async def endless_body() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 2**20
            yield b" " * 2**20

    json_type = {"content-type": "application/json"}
    streamed = await client.post("", content=endless_body(), headers=json_type)
    announced = await client.post("", content=b"", headers={**json_type, "content-length": str(MAX_JSON_BYTES + 1)})
    for response in (streamed, announced):
        assert response.status_code == 413
        assert codes(response) == ["TOO_LARGE"]
    assert read <= MAX_JSON_BYTES + 2 * 2**20


@pytest.mark.parametrize(("value", "times"), [(b"1", 2_000_001), (b"[]", 1_000_001), (b"{}", 222_223)])
async def test_a_body_of_very_many_values_is_refused_unread(
    client: httpx.AsyncClient, value: bytes, times: int
) -> None:
    body = b'{"query": "{ who }", "variables": {"v": [%s]}}' % b",".join([value] * times)
    response = await client.post("", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert codes(response) == ["TOO_LARGE"]


# Event streams


def told(stream: str) -> list[tuple[str, object]]:
    """The events of a stream, each with its data."""
    events = [dict(line.split(":", 1) for line in event.splitlines()) for event in stream.split("\n\n") if event]
    return [(event["event"].strip(), json.loads(event["data"] or "null")) for event in events if "event" in event]


async def test_a_subscription_is_an_event_stream(client: httpx.AsyncClient) -> None:
    response = await client.post("", json={"query": "subscription { count(to: 2) }"}, headers={"accept": EVENTS})
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert told(response.text) == [
        ("next", {"data": {"count": "0"}}),
        ("next", {"data": {"count": "1"}}),
        ("complete", None),
    ]


async def test_an_event_source_asks_by_get(client: httpx.AsyncClient) -> None:
    asked = {"query": "subscription { contexts { context } }"}
    response = await client.get("", params=asked, headers={"accept": EVENTS})
    contexts = [data["data"]["contexts"]["context"] for _, data in told(response.text)[:-1]]  # type: ignore[index]
    assert len(set(contexts)) == 2


@pytest.mark.parametrize("query", ["{", "{ who }", "subscription { fails }"])
async def test_everything_else_is_told_as_events_too(client: httpx.AsyncClient, query: str) -> None:
    response = await client.post("", json={"query": query}, headers={"accept": EVENTS})
    assert response.status_code == 200
    *answers, (last, _) = told(response.text)
    assert last == "complete"
    assert {event for event, _ in answers} == {"next"}
    assert "hunter2" not in response.text


async def test_a_subscription_without_a_stream_is_told_what_to_accept(client: httpx.AsyncClient) -> None:
    response = await client.post("", json={"query": "subscription { endless }"})
    assert response.status_code == 406
    assert "text/event-stream" in response.json()["errors"][0]["message"]


Sent = list[Message]


async def streaming(endpoint: Endpoint[Caller], until: Callable[[Sent], bool], gone: asyncio.Event, token: str) -> Sent:
    """What an endpoint sends on an endless subscription; `until` is asked after each message, and then it is done."""
    sent: Sent = []
    requests = iter([{"type": "http.request", "body": b'{"query": "subscription { endless }"}', "more_body": False}])

    async def receive() -> Message:
        for request in requests:
            return request
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if until(sent):
            gone.set()

    headers = {"content-type": "application/json", "accept": EVENTS, "authorization": f"Bearer {token}"}
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    endless.closed.clear()
    async with asyncio.timeout(10):
        await endpoint(scope, receive, send)
        await endless.closed.wait()
    assert endless.open == 0
    return sent


def has_an_event(sent: Sent) -> bool:
    return any(b"event: next" in message.get("body", b"") for message in sent)


async def test_a_stream_ends_when_its_client_leaves() -> None:
    await streaming(Endpoint(SCHEMA, Callers()), has_an_event, asyncio.Event(), "ann")


async def test_a_stream_ends_when_the_token_does_and_is_not_called_complete() -> None:
    sent = await streaming(Endpoint(SCHEMA, Callers()), lambda _: False, asyncio.Event(), "brief")
    assert sent[-1] == {"type": "http.response.body", "body": b""}


async def test_a_stream_ends_when_its_token_is_revoked() -> None:
    callers = Callers()

    def revoke_after_an_event(sent: Sent) -> bool:
        if has_an_event(sent):
            callers.revoked.add("ann")
        return False

    sent = await streaming(Endpoint(SCHEMA, callers, recheck_seconds=0), revoke_after_an_event, asyncio.Event(), "ann")
    assert sent[-1] == {"type": "http.response.body", "body": b""}


async def test_open_streams_do_not_hold_up_a_shutdown() -> None:
    endpoint = Endpoint(SCHEMA, Callers())

    def close_after_an_event(sent: Sent) -> bool:
        if has_an_event(sent):
            endpoint.close()
        return False

    sent = await streaming(endpoint, close_after_an_event, asyncio.Event(), "ann")
    assert sent[-1] == {"type": "http.response.body", "body": b""}


async def test_a_server_stops_while_a_stream_is_open() -> None:
    asked = {"query": "subscription { endless }"}
    async with httpx.AsyncClient(params=asked, headers={"accept": EVENTS}) as client, AsyncExitStack() as left_open:
        async with served(Endpoint(SCHEMA, Callers())) as host:
            response = await left_open.enter_async_context(client.stream("GET", f"http://{host}/graphql"))
            lines = response.aiter_lines()
            assert await anext(lines) == "event: next"
        assert "event: complete" not in [line async for line in lines], "there would have been more"


async def test_a_stream_without_events_shows_that_it_is_alive() -> None:
    pinging = Endpoint(SCHEMA, Callers(), ping_seconds=0.01)
    sent = await streaming(pinging, lambda sent: sent[-1].get("body") == b":\n\n", asyncio.Event(), "ann")
    assert has_an_event(sent)


# Files

PREFLIGHT = {"GraphQL-Require-Preflight": "1", "Authorization": "Bearer ann"}


def upload(variables: object, map_: object) -> dict[str, str]:
    operations = {"query": "mutation ($files: [Upload!]!) { sizes(files: $files) }", "variables": variables}
    return {"operations": json.dumps(operations), "map": json.dumps(map_)}


async def test_files_are_put_where_the_map_says(client: httpx.AsyncClient) -> None:
    fields = upload({"files": [None, None]}, {"a": ["variables.files.1"], "b": ["variables.files.0"]})
    files = {"a": ("a.csv", b"1,2"), "b": ("b.csv", b"x" * 3_000_000)}
    response = await client.post("", data=fields, files=files, headers=PREFLIGHT)
    assert response.json()["data"] == {"sizes": ["b.csv: 3000000", "a.csv: 3"]}


@pytest.mark.parametrize(
    ("variables", "map_"),
    [
        ({"files": [None]}, {"a": ["variables.files.7"]}),
        ({"files": [None]}, {"a": ["variables.files.x"]}),
        ({"files": [None]}, {"a": ["variables.files." + "9" * 5_000]}),
        ({"files": [None]}, {"a": ["variables.other"]}),
        ({"files": ["text"]}, {"a": ["variables.files.0"]}),
        ({"files": [None]}, {"b": ["variables.files.0"]}),
        ({"files": [None]}, {"a": "variables.files.0"}),
        ({"files": [None]}, ["a"]),
    ],
)
async def test_a_map_that_does_not_fit_is_a_bad_request(
    client: httpx.AsyncClient, variables: object, map_: object
) -> None:
    response = await client.post("", data=upload(variables, map_), files={"a": b"1"}, headers=PREFLIGHT)
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "multipart/form-data"),
        (b"nonsense", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n', "multipart/form-data; boundary=x"),
    ],
)
async def test_a_form_that_is_none_is_a_bad_request(client: httpx.AsyncClient, body: bytes, content_type: str) -> None:
    response = await client.post("", content=body, headers={**PREFLIGHT, "content-type": content_type})
    assert response.status_code == 400


async def test_a_form_of_another_site_is_refused(client: httpx.AsyncClient) -> None:
    fields = upload({"files": [None]}, {"a": ["variables.files.0"]})
    response = await client.post("", data=fields, files={"a": b"1"}, headers={"Authorization": "Bearer ann"})
    assert response.status_code == 400
    assert "graphql-require-preflight" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize("authorization", ["", "Bearer bad"])
async def test_nobodys_file_is_not_even_received(authorization: str) -> None:
    async def receive() -> Message:
        raise AssertionError("the body was asked for")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = {"content-type": "multipart/form-data; boundary=x", **PREFLIGHT, "Authorization": authorization}
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items() if value]
    scope: Scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": encoded}
    await Endpoint(SCHEMA, Callers())(scope, receive, send)
    assert json.loads(sent[1]["body"])["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
