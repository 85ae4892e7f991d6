"""What an operator can watch: the figures that /metrics tells. docs/operations.md says which of them to look at.

Each process counts what it does itself. Counting takes about a microsecond, so that what is done a thousand times a
second counts once for a batch or a transaction, and not for a message.
"""

import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    start_http_server,
)

QUICK_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
SLOW_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
MOST_REASONS = 50  # the vendor makes up its codes; each is a time series

# Else as many series again, each of which says when its counter was made.
disable_created_metrics()  # type: ignore[no-untyped-call]  # its authors left it so

BUILD = Gauge("crm_build_info", "Always 1; what is running is in the labels.", ["version", "python"])

MESSAGES = Counter(
    "crm_messages", "Messages that came to a status, by the reason where there is one.", ["status", "reason"]
)
CAMPAIGNS = Counter("crm_campaigns", "Campaigns that came to a status.", ["status"])
ATTEMPTS = Counter("crm_send_attempts", "Messages in calls to the vendor; one that is sent again counts again.")
VENDOR_CALLS = Counter("crm_vendor_calls", "Calls to the vendor by how they ended.", ["result"])
VENDOR_SECONDS = Histogram("crm_vendor_call_seconds", "How long the vendor took to answer.", buckets=QUICK_SECONDS)
BREAKER_OPEN = Gauge("crm_vendor_breaker_open", "1 while this process takes the vendor to be down, and waits.")
TAKEOVERS = Counter("crm_lease_takeovers", "Work taken over from a process whose lease ran out.", ["of"])
RECEIPTS = Counter("crm_receipts", "Receipts by what they did.", ["outcome"])
RECEIPT_LAG = Histogram(
    "crm_receipt_lag_seconds",
    "From an outcome at the vendor to its being stored here: of the oldest receipt of each write.",
    buckets=SLOW_SECONDS,
)
WEBHOOK_CALLS = Counter("crm_webhook_calls", "Calls of the vendor's to the webhook by their answer.", ["code"])
STREAM_LAG = Gauge(
    "crm_change_stream_lag_seconds", "How old the latest change was when it was heard of.", ["collection"]
)
STREAM_HEARD = Gauge(
    "crm_change_stream_heard_timestamp_seconds",
    "When the stream last answered, with a change or without.",
    ["collection"],
)
STREAM_BREAKS = Counter(
    "crm_change_stream_breaks", "Change streams that broke off, and were opened again.", ["collection"]
)
ROWS = Counter("crm_ingested_rows", "Rows taken in by what became of them.", ["kind", "outcome"])
REQUESTS = Counter("crm_graphql_requests", "GraphQL requests by their first error's code, or OK.", ["kind", "code"])
REQUEST_SECONDS = Histogram(
    "crm_graphql_request_seconds", "How long queries and mutations took.", ["kind"], buckets=QUICK_SECONDS
)
SUBSCRIPTIONS = Gauge("crm_subscriptions_open", "Subscriptions that are being answered.")
SOCKETS = Gauge("crm_websockets_open", "WebSockets that are open.")

_reasons: set[str] = set()


class PortTaken(Exception):
    """There can be no metrics at their own port; one line that names the setting."""


def came_to(moves: Mapping[tuple[str, str | None], int]) -> None:
    """Count messages that came to a status, for a reason."""
    for (status, reason), count in moves.items():
        MESSAGES.labels(status, _bounded(reason or "")).inc(count)


def page() -> tuple[bytes, str]:
    """All figures as Prometheus reads them, and their media type."""
    return generate_latest(), CONTENT_TYPE_LATEST


@contextmanager
def served(port: int | None) -> Iterator[None]:
    """Answer at this port of this machine, from a thread of its own; nowhere, without a port."""
    if port is None:
        yield
        return
    try:
        server, thread = start_http_server(port, addr="127.0.0.1")
    except OSError as error:
        raise PortTaken(f"METRICS_PORT: {port} of 127.0.0.1 cannot be listened on: {error.strerror}") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def tell_build(version: str) -> None:
    """Say what is running."""
    BUILD.labels(version, platform.python_version()).set(1)


def _bounded(reason: str) -> str:
    if reason not in _reasons and len(_reasons) < MOST_REASONS:
        _reasons.add(reason)
    return reason if reason in _reasons else "OTHER"
