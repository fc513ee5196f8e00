"""What a person is told: about what they began, what fails, what ends soon; and nothing of others."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from apps.models import AppEnvironment, ObservedService
from apps.noticing import tell_of_failing
from apps.services import deploy, restart
from apps.specification import from_image
from backends.fake import FakeDriver
from core.clock import from_now
from operations.models import Change, Operation
from operations.services import claim, settle
from tenants import notices
from tenants.models import Grant, Notice
from tenants.tasks import look_after
from tests.conftest import Cast, Wakeups, actor_of

Browse = Callable[[str], Client]


def told(user: Any) -> list[str]:
    return [notices.title_of(row) for row in Notice.objects.filter(user=user).order_by("id")]


def test_who_began_a_change_hears_of_its_end(running: AppEnvironment, cast: Cast, browse: Browse) -> None:
    assert told(cast.developer) == ["Release 1 of hello runs in dev"]
    assert told(cast.owner) == []
    client = browse("developer")
    page = client.get("/").content.decode()
    assert 'aria-label="Notifications, 1 new"' in page
    assert 'href="/t/acme/p/shop/apps/hello/deployments/1/"' in page
    assert Change.objects.filter(kind="notice", person_id=cast.developer.pk).exists(), "the feed rings"
    client.post("/accounts/notices/read/")
    assert 'aria-label="Notifications"' in client.get("/accounts/notices/bell/").content.decode()


def test_a_failure_is_told_with_its_reason(
    cast: Cast, place: AppEnvironment, wakeups: Wakeups, driver: FakeDriver, browse: Browse,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        operation = deploy(cast.actor("developer"), place, spec=from_image("berth/hello:1", name="web"))
    claimed = claim(operation.pk)
    assert claimed is not None
    claimed.failure = {"code": "image_not_found", "params": {"image": "berth/hello:1"}}
    settle(claimed, Operation.State.FAILED)
    assert told(cast.developer) == ["Release 1 of hello could not be deployed to dev"]
    page = browse("developer").get("/accounts/notices/?show=trouble").content.decode()
    assert "berth/hello:1" in page


def test_what_needs_an_operator_is_told_as_that(running: AppEnvironment, cast: Cast) -> None:
    operation = restart(cast.actor("developer"), running)
    claimed = claim(operation.pk)
    assert claimed is not None
    settle(claimed, Operation.State.ATTENTION)
    assert told(cast.developer)[-1] == "The change of hello in dev needs an operator"


def fail(place: AppEnvironment) -> None:
    reason = {"code": "crashing", "params": {"service": "web", "code": 1, "times": 3}}
    ObservedService.objects.filter(place=place).update(phase="failing", running=1, reason=reason)
    Operation.objects.update(ended_at=from_now(timedelta(minutes=-5)))


def test_who_deployed_what_fails_hears_of_it_once(running: AppEnvironment, cast: Cast) -> None:
    tell_of_failing()
    assert len(told(cast.developer)) == 1, "it is well"
    fail(running)
    tell_of_failing()
    tell_of_failing()
    assert told(cast.developer)[1:] == ["hello in dev does not run as it should"]


def test_a_grant_that_ends_is_told_a_day_ahead_once(cast: Cast) -> None:
    Grant.objects.filter(user=cast.guest).update(ends_at=from_now(timedelta(hours=5)), granted_by="olivia")
    Grant.objects.filter(user=cast.releaser).update(ends_at=from_now(timedelta(days=5)))
    look_after()
    look_after()
    assert told(cast.guest) == ["Your role in acme / shop ends soon"]
    assert "olivia" in notices.detail_of(Notice.objects.get(user=cast.guest))
    assert told(cast.releaser) == []


def test_notices_are_ones_own_and_of_places_one_may_see(running: AppEnvironment, cast: Cast, browse: Browse) -> None:
    assert "hello" not in browse("outsider").get("/accounts/notices/").content.decode()
    assert "Release 1 of hello" in browse("developer").get("/accounts/notices/").content.decode()
    Grant.objects.filter(user=cast.developer).update(ended_at=Now())
    assert "hello" not in browse("developer").get("/accounts/notices/").content.decode()


def test_reading_marks_ones_own_only(running: AppEnvironment, cast: Cast, browse: Browse) -> None:
    row = Notice.objects.get(user=cast.developer)
    browse("outsider").post("/accounts/notices/read/", {"notice": str(row.pk)})
    row.refresh_from_db()
    assert row.read_at is None
    browse("developer").post("/accounts/notices/read/", {"notice": str(row.pk)})
    row.refresh_from_db()
    assert row.read_at is not None
    assert browse("developer").post("/accounts/notices/read/", {"notice": "x"}).status_code == 400


def test_what_is_a_month_old_goes_away(running: AppEnvironment) -> None:
    Notice.objects.update(created_at=timezone.now() - timedelta(days=31))
    look_after()
    assert not Notice.objects.exists()


def test_notices_over_http(running: AppEnvironment, api: Callable[[str], APIClient]) -> None:
    client = api("developer")
    (row,) = client.get("/api/v1/me/notices?unread=true").json()["results"]
    assert (row["title"], row["level"], row["project"]) == ("Release 1 of hello runs in dev", "ok", "shop")
    assert client.post("/api/v1/me/notices/read", {}, format="json").json() == {"read": 1}
    assert client.get("/api/v1/me/notices?unread=true").json()["results"] == []
    assert api("guest").get("/api/v1/me/notices").json()["results"] == []


@pytest.mark.usefixtures("running")
def test_the_list_pages_and_says_what_it_is_for(cast: Cast, browse: Browse) -> None:
    for number in range(60):
        notices.tell(cast.guest.pk, "scale.succeeded", level="ok", params={"app": f"a{number}", "environment": "dev"})
    client = browse("guest")
    first = client.get("/accounts/notices/").content.decode()
    older = first.partition('<a href="?show=')[2].partition('"')[0].replace("&amp;", "&")
    second = client.get(f"/accounts/notices/?show={older}").content.decode()
    assert "a59 in dev is scaled" in first.partition("<main")[2]
    assert "a5 in dev is scaled" in second.partition("<main")[2]
    assert "a59 in dev is scaled" not in second.partition("<main")[2].partition("</main")[0]
    assert "No notification yet" in browse("releaser").get("/accounts/notices/").content.decode()


def test_nobody_is_told_who_is_gone(running: AppEnvironment, cast: Cast) -> None:
    cast.developer.is_active = False
    cast.developer.save()
    before = Notice.objects.count()
    notices.tell(cast.developer.pk, "scale.succeeded", level="ok", params={"app": "a", "environment": "dev"})
    assert Notice.objects.count() == before
    assert actor_of(cast.developer).id is not None
