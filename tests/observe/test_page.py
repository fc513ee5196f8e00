"""The page and the API over kept numbers."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.models import AppEnvironment, Deployment, InstanceEnd, ObservedInstance
from apps.observing import observe
from apps.trends import trends
from backends.models import Cluster
from observe import selectors
from observe.keeping import Book
from observe.models import UsageSeries
from tests.conftest import Cast
from tests.observe.conftest import Meter

PAGE = "/t/acme/p/shop/apps/hello/metrics/"
API = "/api/v1/tenants/acme/projects/shop/apps/hello/environments/dev/metrics"
Browse = Callable[[str], Client]
Api = Callable[[str], APIClient]


def words(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_the_page_says_it_first(lately: Meter, browse: Browse) -> None:
    shown = words(browse("guest").get(PAGE))
    assert "web uses 0.75 cores. It holds 192 MB of memory." in shown
    assert "It used the most at" in shown
    assert "2.7 cores." in shown


def test_limits_are_in_the_sentence(lately: Meter, browse: Browse, running: AppEnvironment, monkeypatch: Any) -> None:
    monkeypatch.setattr(selectors, "limits_of", lambda _place: {"web": selectors.Limits(500, 128 << 20)})
    shown = words(browse("guest").get(PAGE))
    assert "web uses 0.75 of 1.5 cores. It holds 192 MB of memory, 50 % of its limit." in shown


def test_the_table_has_every_instance(lately: Meter, browse: Browse) -> None:
    shown = words(browse("guest").get(f"{PAGE}?range=15m&table=cpu"))
    assert "web, all together" in shown
    for number in (1, 2, 3):
        assert f'<span class="key s{number}"></span> web {number}' in shown
    assert "0.25 cores" in shown
    assert "0.9 cores" in shown
    assert "1,000 B/s" in words(browse("guest").get(f"{PAGE}?range=15m&table=received"))


def test_what_happened_is_listed(lately: Meter, browse: Browse) -> None:
    Deployment.objects.update(created_at=datetime.now(UTC) - timedelta(minutes=3))
    UsageSeries.objects.filter(number=2).update(
        failed=True, ended_at=datetime.now(UTC) - timedelta(minutes=1), exit_code=137, reason=None
    )
    shown = words(browse("guest").get(PAGE))
    assert "developer deployed release 1" in shown
    assert "web 2: It ended by itself with code 137." in shown


def test_an_end_that_was_kept_is_told_once(lately: Meter, browse: Browse, running: AppEnvironment, api: Api) -> None:
    at = datetime.now(UTC) - timedelta(minutes=1)
    InstanceEnd.objects.create(
        tenant=running.tenant, project=running.project, place=running, service="web", number=3, engine_id="x",
        exit_code=1, ended_at=at,
    )  # fmt: skip
    told = [m["text"] for m in api("developer").get(API).json()["marks"] if m["kind"] == "end"]
    assert told == ["web 3: It ended by itself with code 1."]


def test_old_numbers_are_said_to_be_old(lately: Meter, browse: Browse) -> None:
    Cluster.objects.update(state=Cluster.State.AWAY)
    shown = words(browse("guest").get(PAGE))
    assert "local does not tell numbers at present." in shown
    assert '<p class="said is-old-number">' in shown
    assert '<span class="is-old-number">0.25 cores</span>' in shown


def test_a_reader_s_part_is_only_the_parts(lately: Meter, browse: Browse) -> None:
    part = browse("guest").get(PAGE, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert 'id="metrics-said"' in part
    assert 'id="metrics-numbers"' in part


def test_an_app_that_never_ran_says_what_this_is_for(place: AppEnvironment, browse: Browse) -> None:
    assert "Nothing runs here, so nothing is used" in words(browse("guest").get(PAGE))


def test_nonsense_in_the_address_is_the_usual_hour(lately: Meter, browse: Browse) -> None:
    assert browse("guest").get(f"{PAGE}?range=99y&table=%00&service=%3Cb%3E").status_code == 200


def test_a_stranger_finds_nothing(lately: Meter, browse: Browse, api: Api) -> None:
    assert browse("outsider").get(PAGE).status_code == 404
    assert api("outsider").get(API).status_code == 404


def test_the_api_gives_a_number_for_each_step(lately: Meter, api: Api) -> None:
    told = api("guest").get(API).json()
    assert told["step_seconds"] == 10
    assert told["stale"] is False
    assert [one["number"] for one in told["series"]] == [1, 2, 3]
    (first, *_others) = told["series"]
    assert first["instance"] == str(ObservedInstance.objects.get(number=1).pk)
    count = (datetime.fromisoformat(told["to"]) - datetime.fromisoformat(told["from"])).total_seconds() / 10
    for name in ("cpu_millicores", "memory_bytes", "network_in_bytes_per_second", "network_out_bytes_per_second"):
        assert len(first[name]) == count
    known = [value for value in first["cpu_millicores"] if value is not None]
    assert len(known) == 59
    assert first["cpu_millicores"][0] is None
    assert max(known) == 900
    assert {value for value in first["network_out_bytes_per_second"] if value is not None} == {2000}


def test_steps_are_averaged_and_peaks_kept(lately: Meter, api: Api) -> None:
    told = api("guest").get(API, {"step_seconds": 300}).json()
    assert told["step_seconds"] == 300
    first = told["series"][0]
    assert max(value for value in first["cpu_peak_millicores"] if value is not None) == 900
    assert max(value for value in first["cpu_millicores"] if value is not None) < 400


def test_two_days_are_minutes(lately: Meter, api: Api) -> None:
    asked = {"from": (datetime.now(UTC) - timedelta(days=2)).isoformat()}
    told = api("guest").get(API, asked).json()
    assert told["step_seconds"] == 60
    assert 2880 <= len(told["series"][0]["cpu_millicores"]) <= 2882


@pytest.mark.parametrize(
    "asked",
    [
        {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"},
        {"step_seconds": "0"},
        {"step_seconds": "1e9"},
        {"from": "noon"},
        {"rate": "5"},
    ],
)
def test_what_cannot_be_asked_is_refused(lately: Meter, api: Api, asked: dict[str, str]) -> None:
    assert api("guest").get(API, asked).status_code == 400


def test_it_costs_few_queries(lately: Meter, browse: Browse, django_assert_max_num_queries: Any) -> None:
    client = browse("guest")
    client.get(PAGE)
    with django_assert_max_num_queries(24):
        client.get(PAGE)


def test_a_card_of_the_overview_has_the_trend_of_all_its_instances(
    cast: Cast, running: AppEnvironment, browse: Browse
) -> None:
    observe(cast.cluster)
    board = "/t/acme/p/shop/"
    assert "spark" not in words(browse("guest").get(board))
    meter = Meter(Book(cast.cluster), int(time.time()) // 60 * 60 - 300)
    meter.tick(cpu=100, steps=18)
    meter.tick(cpu=500, steps=12)
    found = trends([running.pk])[running.pk]
    assert found.cpu[-1] == 1500, "three instances together"
    assert found.memory[-1] == 3 * (64 << 20)
    assert found.network[-1] == 3 * 3000
    assert len(found.cpu) == 5
    shown = words(browse("guest").get(board))
    assert 'class="spark"' in shown
    assert "CPU in the last half hour, at the end 1.5 cores" in shown


def test_a_trend_is_one_query_and_leaves_out_what_is_long_ago(
    cast: Cast, running: AppEnvironment, django_assert_num_queries: Any
) -> None:
    observe(cast.cluster)
    Meter(Book(cast.cluster), int(time.time()) // 60 * 60 - 7200).tick(steps=60)
    with django_assert_num_queries(1):
        assert trends([running.pk]) == {}


def test_an_app_s_page_begins_with_what_all_of_it_uses(lately: Meter, running: AppEnvironment, browse: Browse) -> None:
    page = words(browse("guest").get("/t/acme/p/shop/apps/hello/"))
    figures = page.partition('<dl class="figures">')[2].partition("</dl>")[0]
    assert "3 <small>of 3 run</small>" in figures
    assert "0.75 cores" in figures
    assert "192 MB" in figures
    assert figures.count('class="spark"') == 3
    ObservedInstance.objects.update(usage_at=datetime.now(UTC) - timedelta(minutes=5))
    page = words(browse("guest").get("/t/acme/p/shop/apps/hello/"))
    figures = page.partition('<dl class="figures">')[2].partition("</dl>")[0]
    assert figures.count('class="spark is-stale"') == 3, "nobody has measured for minutes"
