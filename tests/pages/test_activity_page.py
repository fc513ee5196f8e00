"""What is being done and what was done, for those who may see it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from apps.models import AppEnvironment
from apps.services import scale
from audit.models import AuditEntry
from operations.models import Operation
from tests.conftest import Cast, Wakeups
from tests.pages.growing import another_project

ACTIVITY = "/t/acme/p/shop/activity/"
Browse = Callable[[str], Client]


@pytest.fixture
def scaling(cast: Cast, running: AppEnvironment) -> Operation:
    """Somebody's scaling that waits for a worker."""
    return scale(cast.actor("releaser"), running, service="web", instances=4)


def test_running_and_past_operations_are_told_apart(browse: Browse, scaling: Operation) -> None:
    page = browse("developer").get(ACTIVITY).content.decode()
    assert "1 operation is running." in page
    assert page.index("Scale release 1") < page.index("Deploy release 1")
    assert "Accepted, waiting for a worker" in page
    assert f'operation={scaling.pk}" data-sheet' in page


def test_filters_stand_in_the_address(browse: Browse, scaling: Operation) -> None:
    client = browse("developer")

    def main(query: str) -> str:
        """The page without its frame, whose chip names what runs."""
        return client.get(f"{ACTIVITY}?{query}").content.decode().partition("<main")[2].partition("</main")[0]

    assert "Scale release 1" not in main("mine=1")
    assert "Deploy release 1" not in main("show=running")
    failed = main("show=failed")
    assert "No operation like this" in failed
    assert client.get(f"{ACTIVITY}?show=nonsense&cursor=%00&mine=2").status_code == 200


def test_a_failed_operation_says_why(browse: Browse, scaling: Operation) -> None:
    failure = {"code": "image_not_found", "params": {"service": "web", "image": "shop/web:9"}}
    Operation.objects.filter(pk=scaling.pk).update(state="failed", failure=failure)
    page = browse("developer").get(f"{ACTIVITY}?show=failed").content.decode()
    assert "the image `shop/web:9` was not found in the registry" in page


def test_pages_lead_on_and_back(browse: Browse, cast: Cast, running: AppEnvironment) -> None:
    made = [_operation(running, number) for number in range(60)]
    client = browse("developer")
    first = client.get(ACTIVITY)
    assert first.context["page"].previous == ""
    second = client.get(f"{ACTIVITY}?cursor={first.context['page'].next}")
    shown = [one.operation.pk for part in (first, second) for one in part.context["past"]]
    assert len(shown) == len(set(shown)) == 61  # the deployment of the fixture too
    assert shown[0] == made[-1].pk
    back = client.get(f"{ACTIVITY}?cursor={second.context['page'].previous}")
    assert [one.operation.pk for one in back.context["past"]] == shown[:50]


def test_queries_do_not_grow_with_the_rows(browse: Browse, running: AppEnvironment) -> None:
    client = browse("developer")
    client.get(ACTIVITY)  # the first look is noted, so that one finds back
    few = _queries(client)
    for number in range(20):
        _operation(running, number)
    assert _queries(client) == few


def test_strangers_see_nothing(browse: Browse, scaling: Operation) -> None:
    client = browse("outsider")
    assert client.get(ACTIVITY).status_code == 404
    assert client.get("/t/acme/activity/").status_code == 404


def test_a_tenants_activity_holds_only_what_one_may_see(browse: Browse, cast: Cast, scaling: Operation) -> None:
    assert "Scale release 1" in browse("guest").get("/t/acme/activity/").content.decode()
    page = browse("auditor").get("/t/acme/activity/")
    assert page.status_code == 200
    assert "Scale release 1" not in page.content.decode()


def test_home_tells_how_everything_is(browse: Browse, running: AppEnvironment) -> None:
    page = browse("developer").get("/").content.decode()
    assert "Everything that is deployed is well." in page
    assert "3 of 3" in page
    assert "/t/acme/p/shop/" in page
    running.services.update(running=1, phase="failing", reason={"code": "unhealthy", "params": {"service": "web"}})
    page = browse("developer").get("/").content.decode()
    assert "1 place needs a look." in page
    assert "web runs, but its health check fails." in page


def test_home_tells_a_change_that_was_taken_back_from_what_serves(browse: Browse, running: AppEnvironment) -> None:
    failure = {"code": "image_not_found", "params": {"service": "web", "image": "shop/web:9"}}
    Operation.objects.update(state="failed", failure=failure)
    page = browse("developer").get("/").content.decode()
    assert "The last change did not go through:" in page
    assert "What ran before goes on serving." in page


def test_home_shows_the_way_to_a_first_app(browse: Browse, cast: Cast) -> None:
    assert "/t/acme/p/shop/deploy/" in browse("developer").get("/").content.decode()
    assert "/t/acme/p/shop/deploy/" not in browse("guest").get("/").content.decode()


def test_home_of_somebody_without_a_project(browse: Browse, cast: Cast) -> None:
    assert "No project yet" in browse("operator").get("/").content.decode()


def test_home_does_not_show_other_tenants(browse: Browse, running: AppEnvironment) -> None:
    page = browse("outsider").get("/").content.decode()
    assert "hello" not in page
    assert "store" in page


def _operation(place: AppEnvironment, number: int) -> Operation:
    return Operation.objects.create(
        kind="app.scale.run",
        tenant_id=place.tenant_id,
        project_id=place.project_id,
        target=f"elsewhere:{number}",
        target_name=str(place),
        params={"kind": "scale", "release": 1},
        state="succeeded",
        deadline_at="2026-11-21T10:00:00Z",
        started_at="2026-11-21T09:00:00Z",
        ended_at="2026-11-21T09:00:09Z",
        requested_by_name="developer",
    )


def _queries(client: Client, address: str = ACTIVITY) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(address).status_code == 200
    return len(caught)


def test_queries_of_home_do_not_grow_with_the_projects(
    browse: Browse, cast: Cast, running: AppEnvironment, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    client = browse("owner")
    few = _queries(client, "/")
    for number in range(3):
        another_project(cast, f"more-{number}", wakeups, django_capture_on_commit_callbacks)
    assert _queries(client, "/") == few


def opened(client: Client, operation: Operation, query: str = "") -> str:
    """The sheet of an operation, without the list below it."""
    answer = client.get(f"{ACTIVITY}?{query}operation={operation.pk}")
    assert answer.status_code == 200
    return answer.content.decode().partition('id="sheet-place"')[2]


def test_an_operation_opens_beside_the_list_by_its_address(browse: Browse, scaling: Operation) -> None:
    client = browse("developer")
    listed = client.get(f"{ACTIVITY}?show=running").content.decode()
    assert f'href="{ACTIVITY}?show=running&amp;operation={scaling.pk}" data-sheet' in listed
    sheet = opened(client, scaling, "show=running&")
    assert "Scale release 1" in sheet
    assert 'class="step-list"' in sheet
    assert "Leaving is safe; it goes on." in sheet
    assert "/t/acme/p/shop/apps/hello/deployments/2/" in sheet
    assert "/t/acme/p/shop/apps/hello/deployments/2/cancel/" in sheet
    assert f'href="{ACTIVITY}?show=running"' in sheet, "closing leads back to the list as it was"
    part = client.get(f"{ACTIVITY}?operation={scaling.pk}&part=operation", headers={"HX-Request": "true"})
    assert part.content.decode().count('class="live"') == 2
    assert "<html" not in part.content.decode()


def test_an_opened_operation_leads_to_its_neighbours_and_to_the_audit(browse: Browse, running: AppEnvironment) -> None:
    first = Operation.objects.get()
    browse("developer").post("/t/acme/p/shop/apps/hello/restart/?environment=dev")
    restart = Operation.objects.exclude(pk=first.pk).get()
    assert f"operation={restart.pk}" in opened(browse("developer"), first)
    assert f"operation={first.pk}" in opened(browse("developer"), restart)
    assert "operation=" not in opened(browse("developer"), restart, "show=running&").partition('class="inside"')[0]
    audited = AuditEntry.objects.get(action="app.restart")
    assert f"/t/acme/audit/{audited.seq}/" in opened(browse("owner"), restart)
    assert "/t/acme/audit/" not in opened(browse("guest"), restart)


@pytest.mark.parametrize("name", ["outsider", "operator"])
def test_a_foreign_operation_is_not_there(browse: Browse, scaling: Operation, name: str) -> None:
    assert browse(name).get(f"{ACTIVITY}?operation={scaling.pk}").status_code == 404


@pytest.mark.parametrize("wrong", ["x", "%00", "00000000-0000-0000-0000-000000000000"])
def test_an_operation_that_is_none_is_a_404(browse: Browse, running: AppEnvironment, wrong: str) -> None:
    assert browse("developer").get(f"{ACTIVITY}?operation={wrong}").status_code == 404


def test_an_operation_that_is_no_deployment_opens_too(browse: Browse, running: AppEnvironment) -> None:
    sheet = opened(browse("developer"), _operation(running, 1))
    assert "Asked for by" in sheet
    assert "step-list" not in sheet


def test_what_nobody_asked_for_is_told_as_done_by_itself(browse: Browse, running: AppEnvironment) -> None:
    """A scan of what was pushed waits for its turn: neither a person nor work that is being done."""
    scan = _waiting_scan(running, 1)
    client = browse("developer")
    page = client.get(ACTIVITY).content.decode().partition("<main")[2]
    row = page.partition("Scan the image")[2].partition("</tr>")[0]
    assert "by itself" in row
    assert "waiting" in row
    assert "being done" not in row
    sheet = client.get(f"{ACTIVITY}?operation={scan.pk}").content.decode()
    assert "Berth, by itself" in sheet


@pytest.mark.parametrize("waiting", [2, 12])
def test_what_waits_for_its_turn_is_not_counted_as_running(
    browse: Browse, scaling: Operation, running: AppEnvironment, waiting: int
) -> None:
    """Also where more are active than the menu of the chip lists."""
    scans = [_waiting_scan(running, number) for number in range(waiting)]
    page = browse("developer").get(ACTIVITY).content.decode()
    assert "1 operation is running." in page
    assert f"{waiting} wait for their turn." in page
    assert _chip(browse("developer")) == f"1 running · {waiting} wait"
    Operation.objects.filter(pk=scaling.pk).update(state="succeeded")
    assert _chip(browse("developer")) == f"{waiting} waiting"
    assert "Nothing is running." not in browse("developer").get(ACTIVITY).content.decode()
    scans[0].events.create(seq=2, level="info", code="scan_reading", params={})
    Operation.objects.filter(pk=scans[1].pk).update(cancel_requested=True)
    assert "2 operations are running." in browse("developer").get(ACTIVITY).content.decode()
    assert _chip(browse("developer")).startswith("2 running")


def _waiting_scan(place: AppEnvironment, number: int) -> Operation:
    project = place.project
    scan = Operation.objects.create(
        kind="image.scan.run", tenant_id=project.tenant_id, project_id=project.pk, target=f"image:{number}",
        state="running", target_name=f"shop/web:{number}", deadline_at=timezone.now() + timedelta(hours=1),
        requested_by_name="berth",
    )  # fmt: skip
    scan.events.create(seq=1, level="info", code="scan_waits", params={})
    return scan


def _chip(client: Client) -> str:
    """The words of the chip at the top of every page."""
    button = client.get("/running/").content.decode().partition("<button")[2].partition("</button>")[0]
    return " ".join(strip_tags(button.partition(">")[2]).split())
