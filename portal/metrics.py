"""/metrics: numbers of the portal itself, in Prometheus' text format, for who shows METRICS_TOKEN.

Nothing here names a tenant, a person or an app. Each process answers for itself.
"""

import hmac
import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backends.models import Cluster
from core import seats
from observe.models import UsageSeries
from operations.models import Operation
from operations.tasks import SWEPT

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
Answer = Callable[[HttpRequest], HttpResponse]

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)
REQUESTS = Counter("berth_requests", "Requests answered.", ["method", "route", "status"], registry=REGISTRY)
SECONDS = Histogram(
    "berth_request_seconds", "From request to answer; streams: to their beginning.", ["route"],
    buckets=BUCKETS, registry=REGISTRY,
)  # fmt: skip


def measured(get_response: Answer) -> Answer:
    """Middleware: counts each answer by its route as written, so that names in addresses never become labels."""

    def answer(request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = get_response(request)
        route = request.resolver_match.route if request.resolver_match else "none"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, route, str(response.status_code)).inc()
        SECONDS.labels(route).observe(time.perf_counter() - began)
        return response

    return answer


class Rows(Collector):
    """What stands in rows, read at each scrape by four queries."""

    def collect(self) -> Iterator[Metric]:
        yield from _operations()
        yield _clusters()
        yield _streams()
        yield _swept()
        yield GaugeMetricFamily(
            "berth_usage_series", "Instances whose usage is kept.", value=UsageSeries.objects.count()
        )


def _operations() -> Iterator[Metric]:
    active = Operation.objects.filter(state__in=Operation.ACTIVE)
    held = {row["state"]: row for row in active.values("state").annotate(count=Count("pk"), oldest=Min("created_at"))}
    counts = GaugeMetricFamily("berth_operations", "Operations that are not over, by state.", labels=["state"])
    ages = GaugeMetricFamily("berth_oldest_operation_seconds", "Age of the oldest, by state.", labels=["state"])
    for state in Operation.ACTIVE:
        row = held.get(state)
        counts.add_metric([state], row["count"] if row else 0)
        ages.add_metric([state], (timezone.now() - row["oldest"]).total_seconds() if row else 0)
    waiting = active.filter(lease_until=None, not_before=None, state=Operation.State.PENDING).count()
    return iter((counts, ages, GaugeMetricFamily("berth_queue", "Operations no worker has begun.", value=waiting)))


def _clusters() -> Metric:
    """By the cluster's name, which only operators give and see."""
    seen = GaugeMetricFamily("berth_cluster_seen_seconds", "Since the observer saw it last.", labels=["cluster"])
    for name, at in Cluster.objects.exclude(address="").values_list("name", "seen_at"):
        seen.add_metric([name], (timezone.now() - at).total_seconds() if at else float("nan"))
    return seen


def _streams() -> Metric:
    streams = GaugeMetricFamily("berth_streams", "Streams and sockets open in this process.", labels=["kind"])
    for kind, count in seats.open_by_kind().items():
        streams.add_metric([kind], count)
    return streams


def _swept() -> Metric:
    """Grows when no beat sends or no worker works: the one number to be woken by."""
    at = cache.get(SWEPT)
    age = timezone.now().timestamp() - at if at is not None else float("nan")
    return GaugeMetricFamily("berth_swept_seconds", "Since lost operations were last looked for.", value=age)


REGISTRY.register(Rows())


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Without the token it is not there, whoever asks."""
    scheme, _space, shown = request.headers.get("Authorization", "").partition(" ")
    wanted: str = settings.METRICS_TOKEN
    if not wanted or scheme.lower() != "bearer" or not hmac.compare_digest(shown.strip().encode(), wanted.encode()):
        raise Http404
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
