"""The page of an app: how it runs, what may be done, its releases, timeline and settings."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.models import AppEnvironment, Deployment, Release
from apps.services import create_app, deploy
from apps.specification import from_image
from backends.contract import Reason, ReasonCode
from backends.models import Cluster
from operations.models import Operation
from tests.conftest import Cast, Wakeups

APP = "/t/acme/p/shop/apps/hello/"
Browse = Callable[[str], Client]


@pytest.fixture
def second(
    cast: Cast, running: AppEnvironment, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> AppEnvironment:
    """Release 2 of hello runs in dev."""
    spec = from_image("berth/hello:2", name="web", instances=2, ports=[8080])
    with django_capture_on_commit_callbacks(execute=True):
        deploy(cast.actor("developer"), running, spec=spec, note="faster")
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    running.refresh_from_db()
    return running


def test_says_how_it_runs_and_lists_every_instance(browse: Browse, running: AppEnvironment) -> None:
    page = browse("developer").get(APP).content.decode()
    assert "3 of 3 instances of release 1 run." in page
    for number in (1, 2, 3):
        assert f"web {number}" in page
    assert "berth/hello:1" in page
    assert "Deploy to dev" in page


def test_an_environment_without_a_release_offers_the_first_deployment(browse: Browse, running: AppEnvironment) -> None:
    page = browse("developer").get(f"{APP}?environment=test").content.decode()
    assert "hello does not run in test" in page
    assert "environment=test" in page


def test_a_live_part_gets_only_itself(browse: Browse, running: AppEnvironment) -> None:
    part = browse("developer").get(APP, headers={"HX-Request": "true"}).content.decode()
    assert 'id="app-now"' in part
    assert "<html" not in part


@pytest.mark.parametrize("page", [APP, f"{APP}deployments/1/"])
def test_instances_nobody_can_see_keep_no_green(browse: Browse, cast: Cast, running: AppEnvironment, page: str) -> None:
    ok = 'marks.svg#ok"'

    def instances() -> str:
        return browse("developer").get(page).content.decode().partition("<caption>Instances of hello in dev")[2]

    table = instances().partition("</table>")[0]
    assert table.count(ok) == 3
    assert "when last seen" not in table
    Cluster.objects.filter(pk=cast.cluster.pk).update(state=Cluster.State.AWAY, away_since=timezone.now())
    table = instances().partition("</table>")[0]
    assert ok not in table
    assert table.count("running when last seen") == 3


@pytest.mark.parametrize("tail", ["", "releases/", "logs/", "timeline/", "settings/", "releases/1/"])
@pytest.mark.parametrize("name", ["outsider", "auditor"])
def test_foreign_and_missing_are_the_same_404(browse: Browse, running: AppEnvironment, name: str, tail: str) -> None:
    client = browse(name)
    foreign, missing = client.get(f"{APP}{tail}"), client.get(f"/t/acme/p/shop/apps/nothing/{tail}")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert "hello" not in foreign.content.decode().replace("/hello/", "")


def test_an_unknown_environment_is_a_404(browse: Browse, running: AppEnvironment) -> None:
    assert browse("developer").get(f"{APP}?environment=moon").status_code == 404


def test_scaling_leads_to_its_deployment(browse: Browse, running: AppEnvironment) -> None:
    answer = browse("developer").post(f"{APP}scale/?environment=dev", {"service": "web", "instances": "5"})
    deployment = Deployment.objects.get(place=running, kind="scale")
    assert answer.status_code == 302
    assert answer["Location"] == f"/t/acme/p/shop/apps/hello/deployments/{deployment.number}/"
    running.refresh_from_db()
    assert running.instances == {"web": 5}


@pytest.mark.parametrize(
    "sent",
    [
        {"service": "web", "instances": "-1"},
        {"service": "web", "instances": "many"},
        {"service": "db", "instances": "1"},
        {},
    ],
)
def test_a_wrong_number_changes_nothing(browse: Browse, running: AppEnvironment, sent: dict[str, str]) -> None:
    answer = browse("developer").post(f"{APP}scale/?environment=dev", sent)
    assert answer.status_code == 422
    assert not Deployment.objects.filter(place=running, kind="scale").exists()


@pytest.mark.parametrize("deed", ["restart", "stop", "withdraw"])
def test_deeds_start_their_operation(browse: Browse, running: AppEnvironment, deed: str) -> None:
    answer = browse("developer").post(f"{APP}{deed}/?environment=dev")
    assert answer.status_code == 302
    kind = {"withdraw": "delete"}.get(deed, deed)
    assert Operation.objects.filter(kind=f"app.{kind}.run", state="pending").count() == 1


@pytest.mark.parametrize("deed", ["restart", "stop", "start", "withdraw", "scale"])
def test_looking_at_the_address_of_a_deed_does_nothing(browse: Browse, running: AppEnvironment, deed: str) -> None:
    before = Operation.objects.count()
    assert browse("developer").get(f"{APP}{deed}/?environment=dev").status_code == 405
    assert Operation.objects.count() == before


def test_a_guest_may_look_and_is_told_who_can_help(browse: Browse, running: AppEnvironment) -> None:
    client = browse("guest")
    page = client.get(APP).content.decode()
    assert 'aria-disabled="true"' in page
    assert "an owner or admin of the tenant can give it" in page
    assert client.post(f"{APP}restart/?environment=dev").status_code == 403
    assert client.get(f"{APP}logs/").status_code == 403


def test_production_is_named_and_asks_first(
    browse: Browse, cast: Cast, running: AppEnvironment, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    release = Release.objects.get(app=running.app)
    prod = running.app.places.select_related("app", "environment__cluster", "project").get(environment__name="prod")
    with django_capture_on_commit_callbacks(execute=True):
        deploy(cast.actor("releaser"), prod, release=release)
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    page = browse("releaser").get(f"{APP}?environment=prod").content.decode()
    assert "Deploy to prod" in page
    assert "Stop hello in prod?" in page
    assert "Take hello out of prod?" in page
    assert browse("developer").post(f"{APP}stop/?environment=prod").status_code == 403


def test_what_is_wrong_is_said_with_what_to_do(browse: Browse, running: AppEnvironment) -> None:
    reason = Reason(ReasonCode.OUT_OF_MEMORY, {"service": "web"}).as_json()
    running.services.update(reason=reason, phase="failing", running=2)
    page = browse("developer").get(APP).content.decode()
    assert "web was ended because it used more memory than it may." in page
    assert "Give it more memory" in page


def test_the_number_of_queries_does_not_grow_with_the_instances(
    browse: Browse, cast: Cast, running: AppEnvironment
) -> None:
    client = browse("developer")
    client.get(APP)  # the first visit is noted among the places one was at
    few = _queries(client, APP)
    row = running.observed_instances.first()
    for number in range(4, 34):
        row.pk, row.engine_id, row.number, row._state.adding = None, f"more-{number}", number, True
        row.id = type(row)._meta.pk.get_default()
        row.save(force_insert=True)
    assert _queries(client, APP) == few


def _queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(address).status_code == 200
    return len(caught)


def test_releases_are_listed_with_where_they_serve(browse: Browse, second: AppEnvironment) -> None:
    page = browse("developer").get(f"{APP}releases/?environment=dev").content.decode()
    assert "release 2" in page
    assert "faster" in page
    assert "Roll back to 1" in page
    assert "serves here" in page
    assert "Roll back dev to 1?" in page


def test_two_releases_are_compared_line_by_line(browse: Browse, second: AppEnvironment) -> None:
    page = browse("developer").get(f"{APP}releases/?environment=dev&compare=2&compare=1").content.decode()
    assert "From release 1 to 2" in page
    assert "is-gone" in page
    assert "replicas: 2" in page


@pytest.mark.parametrize("query", ["compare=1", "compare=x&compare=1", "compare=1&compare=2&compare=3"])
def test_anything_but_two_compares_nothing(browse: Browse, second: AppEnvironment, query: str) -> None:
    answer = browse("developer").get(f"{APP}releases/?{query}")
    assert answer.status_code == 200
    assert "From release" not in answer.content.decode()


def test_a_release_that_is_not_there_is_a_404(browse: Browse, second: AppEnvironment) -> None:
    client = browse("developer")
    assert client.get(f"{APP}releases/9/").status_code == 404
    assert client.get(f"{APP}releases/?compare=1&compare=9").status_code == 404


def test_a_release_page_shows_its_specification(browse: Browse, second: AppEnvironment) -> None:
    page = browse("developer").get(f"{APP}releases/1/?environment=dev").content.decode()
    assert "image: berth/hello:1" in page
    assert "Roll back dev to 1" in page


def test_rolling_back_serves_the_release_again(browse: Browse, second: AppEnvironment) -> None:
    answer = browse("developer").post(f"{APP}releases/1/serve/?environment=dev")
    assert answer.status_code == 302
    second.refresh_from_db()
    assert second.release is not None
    assert second.release.number == 1
    assert Deployment.objects.latest("number").kind == "rollback"


def test_a_newer_release_is_deployed_not_rolled_back_to(browse: Browse, cast: Cast, second: AppEnvironment) -> None:
    answer = browse("developer").post(f"{APP}releases/2/serve/?environment=test")
    assert answer.status_code == 302
    assert Deployment.objects.latest("number").kind == "deploy"


def test_the_timeline_tells_who_did_what(browse: Browse, second: AppEnvironment) -> None:
    page = browse("developer").get(f"{APP}timeline/?environment=dev").content.decode()
    assert "developer deployed release 1" in page
    assert "developer deployed release 2" in page
    assert page.index("release 2") < page.index("release 1")


def test_settings_show_what_runs_and_change_the_title(browse: Browse, running: AppEnvironment) -> None:
    client = browse("owner")
    page = client.get(f"{APP}settings/?environment=dev").content.decode()
    assert "image: berth/hello:1" in page
    assert "hello still runs in dev; take it out there first." in page
    assert client.post(f"{APP}rename/", {"title": "Hello, world"}).status_code == 302
    running.app.refresh_from_db()
    assert running.app.title == "Hello, world"


def test_an_app_is_deleted_only_by_its_name_and_only_when_it_runs_nowhere(
    browse: Browse, cast: Cast, running: AppEnvironment
) -> None:
    client = browse("owner")
    assert client.post(f"{APP}delete/", {"typed_name": "hello"}).status_code == 409
    create_app(cast.actor("developer"), cast.shop, name="empty")
    address = "/t/acme/p/shop/apps/empty/"
    assert client.post(f"{address}delete/", {"typed_name": "emptyy"}).status_code == 422
    assert client.get(address).status_code == 200
    assert client.post(f"{address}delete/", {"typed_name": "empty"}).status_code == 302
    assert client.get(address).status_code == 404


def test_without_scripts_a_dialog_is_opened_by_the_address(browse: Browse, running: AppEnvironment) -> None:
    page = browse("developer").get(f"{APP}?environment=dev&ask=scale").content.decode()
    assert '<dialog class="dialog" id="scale" aria-labelledby="scale-title" open' in page
