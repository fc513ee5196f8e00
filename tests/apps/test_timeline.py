"""One timeline of what people did and of what became of instances, page by page."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.models import AppEnvironment, InstanceEnd, PlaceEvent
from apps.selectors import timeline as selector
from tests.conftest import Cast

APP = "/t/acme/p/shop/apps/hello/"
LINE = f"{APP}timeline/?environment=dev"
Browse = Callable[[str], Client]


def crash(place: AppEnvironment, number: int = 4, *, ago: timedelta = timedelta(), count: int = 1) -> PlaceEvent:
    at = timezone.now() - ago
    return PlaceEvent.objects.create(
        tenant=place.tenant, project=place.project, place=place, code="crashed", service="web", number=number,
        exit_code=1, count=count, first_at=at, last_at=at, instances=["one"], key=uuid.uuid4().hex,
    )  # fmt: skip


def kept(place: AppEnvironment, event: PlaceEvent) -> InstanceEnd:
    end = InstanceEnd.objects.create(
        tenant=place.tenant, project=place.project, place=place, service="web", number=4, engine_id="one", exit_code=1,
        reason={"code": "exited", "params": {"service": "web", "exit_code": 1}},
        last_lines=[{"at_ns": 1, "stream": "stderr", "text": "fatal: no database"}], ended_at=timezone.now(),
    )  # fmt: skip
    PlaceEvent.objects.filter(pk=event.pk).update(end=end)
    return end


def test_changes_and_instances_stand_in_one_order(browse: Browse, running: AppEnvironment) -> None:
    crash(running)
    page = browse("developer").get(LINE).content.decode()
    order = ["web 4 ended by itself with exit code 1.", "3 instances of web run.", "developer deployed release 1"]
    assert [page.index(text) for text in order] == sorted(page.index(text) for text in order)


@pytest.mark.parametrize(
    ("show", "there", "not_there"),
    [
        ("changes", "developer deployed release 1", "web 4 ended"),
        ("instances", "3 instances of web run.", "developer deployed"),
        ("trouble", "web 4 ended", "3 instances of web run."),
        ("nonsense", "developer deployed release 1", "\0"),
    ],
)
def test_filters_stand_in_the_address(
    browse: Browse, running: AppEnvironment, show: str, there: str, not_there: str
) -> None:
    crash(running)
    part = browse("developer").get(f"{LINE}&show={show}", headers={"HX-Request": "true"}).content.decode()
    assert there in part
    assert not_there not in part


def test_pages_lead_through_everything_once(cast: Cast, running: AppEnvironment) -> None:
    moments = [timedelta(hours=hour // 2) for hour in range(30)]  # two at each moment
    made = {str(crash(running, number + 1, ago=ago).pk) for number, ago in enumerate(moments)}
    seen: list[str] = []
    cursor = ""
    for _page in range(10):
        found = selector.timeline(cast.actor("developer"), running, show="trouble", cursor=cursor, size=7)
        seen += [entry.key for day in found.days for entry in day.entries]
        cursor = found.next
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 30
    assert set(seen) == made


@pytest.mark.parametrize("cursor", ["x", "|", "2026-11-21|a", "\0", "2026-13-41T00:00:00+00:00|"])
def test_a_damaged_cursor_is_the_first_page(browse: Browse, running: AppEnvironment, cursor: str) -> None:
    answer = browse("developer").get(LINE, {"environment": "dev", "cursor": cursor})
    assert answer.status_code == 200
    assert "developer deployed release 1" in answer.content.decode()


def test_the_number_of_queries_does_not_grow(browse: Browse, running: AppEnvironment) -> None:
    client = browse("developer")
    client.get(LINE)
    few = _queries(client)
    for number in range(1, 40):
        crash(running, number)
    assert _queries(client) == few


def _queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(LINE).status_code == 200
    return len(caught)


def test_the_last_lines_are_one_click_away(browse: Browse, running: AppEnvironment) -> None:
    end = kept(running, crash(running))
    address = f"{APP}timeline/ends/{end.pk}/?environment=dev"
    client = browse("developer")
    assert f'href="{address}"' in client.get(LINE).content.decode()
    sheet = client.get(address).content.decode()
    assert "How web 4 ended" in sheet
    assert "fatal: no database" in sheet


def test_lines_are_for_those_who_may_read_logs(browse: Browse, cast: Cast, running: AppEnvironment) -> None:
    end = kept(running, crash(running))
    address = f"{APP}timeline/ends/{end.pk}/?environment=dev"
    client = browse("guest")
    page = client.get(LINE).content.decode()
    assert "web 4 ended by itself" in page
    assert "last lines kept" not in page
    assert client.get(address).status_code == 404
    assert browse("outsider").get(address).status_code == 404


def test_what_a_full_count_hides_is_said(browse: Browse, running: AppEnvironment) -> None:
    crash(running, 3, count=3)
    page = browse("developer").get(APP).content.decode()
    assert "3 of 3 instances of release 1 run." in page
    assert "web 3 is younger than the others: it restarted 3 times today." in page
    assert "running, crashed today" in page


def test_yesterday_is_not_today(browse: Browse, running: AppEnvironment) -> None:
    crash(running, 3, ago=timedelta(days=1))
    assert "younger than the others" not in browse("developer").get(APP).content.decode()


def test_several_are_said_together(browse: Browse, running: AppEnvironment) -> None:
    crash(running, 1, count=2)
    crash(running, 3, count=3)
    assert "2 instances of web restarted today, 5 times in all." in browse("developer").get(APP).content.decode()
