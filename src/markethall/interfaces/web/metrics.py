"""``/metrics`` for Prometheus: requests of all processes, and what the database counts."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from markethall.interfaces.web.verbs import read_only
from markethall.kernel.errors import NotFound

REQUESTS = Counter(
    "markethall_requests", "Requests answered.", ["method", "route", "status"], registry=None
)
SECONDS = Histogram(
    "markethall_request_seconds",
    "Seconds until the answer was ready.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=None,
)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

# name, help, label, query that gives (label, figure). Each finds an index or a small table, and all
# are asked at most once in ``_KEPT`` seconds.
_COUNTS = (
    (
        "markethall_jobs",
        "Jobs that are not done, by state.",
        "state",
        "SELECT status::text, count(*) FROM procrastinate_jobs"
        " WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1",
    ),
    (
        "markethall_job_delay_seconds",
        "For how long the oldest job that is due has waited, by queue.",
        "queue",
        "SELECT j.queue_name, extract(epoch FROM now() - min(coalesce(j.scheduled_at, e.at)))"
        "  FROM procrastinate_jobs j"
        "  JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred'"
        " WHERE j.status = 'todo' AND coalesce(j.scheduled_at, now()) <= now() GROUP BY 1",
    ),
    (
        "markethall_workers",
        "Workers that report.",
        "state",
        "SELECT CASE WHEN last_heartbeat > now() - interval '30 seconds' THEN 'working'"
        " ELSE 'silent' END, count(*) FROM procrastinate_workers GROUP BY 1",
    ),
    (
        "markethall_inbox_events",
        "Webhooks that wait for us or for a person, by state.",
        "state",
        "SELECT status, count(*) FROM payments_inboxevent"
        " WHERE status IN ('received', 'parked', 'dead') GROUP BY 1",
    ),
    (
        "markethall_refunds",
        "Refunds that the gateway has not paid out, by state.",
        "state",
        "SELECT status, count(*) FROM payments_refund"
        " WHERE status IN ('requested', 'failed') GROUP BY 1",
    ),
    (
        "markethall_mails",
        "Mails that have not left, by state.",
        "state",
        "SELECT status, count(*) FROM messaging_mail"
        " WHERE status IN ('queued', 'failed') GROUP BY 1",
    ),
    (
        "markethall_ledger_balance",
        "Sum of all wallets and holds of a unit, in the unit or its minor unit.",
        "account",
        "SELECT split_part(a.code, ':', 1) || ':' || a.unit, sum(a.balance)"
        " FROM ledger_account a WHERE a.balance IS NOT NULL GROUP BY 1",
    ),
    (
        "markethall_books_faults",
        "Faults that the last check of the books found.",
        "check",
        "SELECT 'last', jsonb_array_length(faults) FROM ledger_bookcheck"
        " WHERE finished_at IS NOT NULL ORDER BY id DESC LIMIT 1",
    ),
)
_KEPT = 30  # seconds


class RequestMetrics:
    """Counts and times every request by its route, not its address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        route = match.route if match else "none"
        method = request.method if request.method in _METHODS else "other"
        count_request(method, route, response.status_code, time.perf_counter() - began)
        return response


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request that was answered after ``seconds``."""
    REQUESTS.labels(method, route, status).inc()
    SECONDS.labels(method, route).observe(seconds)


class _DatabaseFigures(Collector):
    def collect(self) -> Iterator[Metric]:
        for name, documentation, label, rows in cache.get_or_set("metrics", _counted, _KEPT):
            family = GaugeMetricFamily(name, documentation, labels=[label])
            for value, figure in rows:
                family.add_metric([value], float(figure))
            yield family


def _counted() -> list[tuple[str, str, str, list[tuple[str, float]]]]:
    counted = []
    with connection.cursor() as cursor:
        for name, documentation, label, query in _COUNTS:
            cursor.execute(query)
            counted.append((name, documentation, label, cursor.fetchall()))
    return counted


@read_only
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures. In production only for who knows ``METRICS_TOKEN``."""
    wanted = settings.ENVIRONMENT.metrics_token or ""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    known = bool(wanted) and hmac.compare_digest(given.encode(), wanted.encode())
    allowed = known or (settings.SANDBOX and not wanted)
    if not allowed:
        raise NotFound("This address leads nowhere.")
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    registry.register(_DatabaseFigures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
