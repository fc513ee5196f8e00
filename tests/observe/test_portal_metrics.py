"""/metrics: closed without its token, free of tenants' names, right about what happened."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.test import APIClient

from apps.models import AppEnvironment
from core import seats
from operations.models import Operation
from operations.tasks import sweep
from tests.conftest import Cast

TOKEN = "a token for the scraper"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


def numbers(client: Client) -> dict[tuple[str, ...], float]:
    """{(name, label values ...): value}"""
    text = client.get("/metrics", headers=AUTHORIZED).content.decode()
    return {
        (sample.name, *(value for _label, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer wrong", f"Token {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"])
def test_without_the_token_it_is_not_there(cast: Cast, client: Client, settings: Any, shown: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics", headers={"Authorization": shown} if shown else {}).status_code == 404


@pytest.mark.parametrize("shown", ["Bearer ", f"Bearer {TOKEN}"])
def test_without_a_setting_nobody_gets_it(cast: Cast, client: Client, settings: Any, shown: str) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": shown}).status_code == 404


def test_an_operator_s_own_token_opens_nothing(cast: Cast, api: Callable[[str], APIClient], settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert api("operator").get("/metrics").status_code == 404


def test_requests_are_counted_by_their_route_as_written(running: AppEnvironment, client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    before = numbers(client)
    client.get("/t/acme/p/shop/apps/hello/logs/")
    client.get("/nowhere/at/all")
    client.generic("BREW", "/healthz")
    after = numbers(client)
    route = "t/<slug:tenant>/p/<slug:project>/apps/<slug:app>/logs/"
    for key in (("GET", route, "302"), ("GET", "none", "404"), ("other", "healthz", "200")):
        name = ("berth_requests_total", *key)
        assert after[name] == before.get(name, 0) + 1
    assert after["berth_request_seconds_count", route] == before.get(("berth_request_seconds_count", route), 0) + 1


def test_no_name_of_a_tenant_or_an_app_is_told(running: AppEnvironment, client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    client.get("/t/acme/p/shop/apps/hello/")
    text = client.get("/metrics", headers=AUTHORIZED).content.decode()
    assert not [name for name in ("acme", "globex", "shop", "hello", "developer") if name in text]


def test_operations_clusters_and_streams_are_told(running: AppEnvironment, client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    Operation.objects.update(state=Operation.State.PENDING, lease_until=None, not_before=None)
    with seats.taken(None, None, kind="metrics"):
        told = numbers(client)
    assert told["berth_operations", "pending"] == Operation.objects.count() == told["berth_queue",]
    assert told["berth_operations", "running"] == 0
    assert 0 <= told["berth_oldest_operation_seconds", "pending"] < 600
    assert told["berth_streams", "metrics"] == 1
    sweep()
    assert 0 <= numbers(client)["berth_swept_seconds",] < 600
    assert ("berth_cluster_seen_seconds", "local") in told
    assert told["process_resident_memory_bytes",] > 0


def test_it_costs_few_queries(
    running: AppEnvironment, client: Client, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.METRICS_TOKEN = TOKEN
    with django_assert_num_queries(4):
        client.get("/metrics", headers=AUTHORIZED)
