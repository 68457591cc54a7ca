"""``/metrics`` for Prometheus: requests of all processes, and what the database counts."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

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

# name, help, label, query that gives (label, figure)
_COUNTS = (
    (
        "markethall_jobs",
        "Jobs by state.",
        "state",
        "SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY 1",
    ),
    (
        "markethall_inbox_events",
        "Webhooks by state.",
        "state",
        "SELECT status, count(*) FROM payments_inboxevent GROUP BY 1",
    ),
    (
        "markethall_mails",
        "Mails by state.",
        "state",
        "SELECT status, count(*) FROM messaging_mail GROUP BY 1",
    ),
    (
        "markethall_ledger_balance",
        "Sum of all accounts of a kind and unit, in the unit or its minor unit.",
        "account",
        "SELECT split_part(a.code, ':', 1) || ':' || a.unit, sum(a.balance)"
        " FROM ledger_account a WHERE a.balance IS NOT NULL GROUP BY 1",
    ),
)


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
        REQUESTS.labels(method, route, response.status_code).inc()
        SECONDS.labels(method, route).observe(time.perf_counter() - began)
        return response


class _DatabaseFigures(Collector):
    def collect(self) -> Iterator[Metric]:
        for name, documentation, label, query in _COUNTS:
            family = GaugeMetricFamily(name, documentation, labels=[label])
            with connection.cursor() as cursor:
                cursor.execute(query)
                for value, figure in cursor.fetchall():
                    family.add_metric([value], float(figure))
            yield family


@require_safe
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
