"""The page of a deployment."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.models import AppEnvironment, Deployment
from apps.selectors.progress import Progress
from apps.selectors.steps import steps_of
from apps.services import deploy
from apps.specification import from_image
from backends.fake import FakeDriver, Mood
from core.status import Status
from operations.models import Operation, OperationEvent
from tests.conftest import Cast, Wakeups

ADDRESS = "/t/acme/p/shop/apps/hello/deployments/"
Browse = Callable[[str], Client]


def text_of(page: Any) -> str:
    return str(page.content.decode())


@pytest.fixture
def under_way(
    cast: Cast, running: AppEnvironment, wakeups: Wakeups, driver: FakeDriver, django_capture_on_commit_callbacks: Any
) -> Deployment:
    """Release 2 of hello, two steps in, with a slow engine."""
    driver.mood = Mood.SLOW
    with django_capture_on_commit_callbacks(execute=True):
        deploy(cast.actor("developer"), running, spec=from_image("berth/hello:2", name="web", instances=3))
    return Deployment.objects.get(number=2)


@pytest.fixture
def failed(
    cast: Cast, running: AppEnvironment, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> Deployment:
    """Release 2 of hello, which crashes; release 1 serves again."""
    with django_capture_on_commit_callbacks(execute=True):
        deploy(cast.actor("developer"), running, spec=from_image("berth/hello:crash", name="web", instances=3))
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    return Deployment.objects.get(number=2)


def test_done(browse: Browse, running: AppEnvironment) -> None:
    text = text_of(browse("developer").get(f"{ADDRESS}1/"))
    assert "Release 1 of hello" in text
    assert "3 of 3 instances run release 1 in dev." in text
    assert text.count('class="cell is-ok"') == 3
    for step in ("Accepted", "Prepare images and network", "Bring up web"):
        assert step in text
    assert "nothing, it is the first" in text
    assert "data-live-socket" not in text
    assert "Roll back" not in text


def test_under_way(browse: Browse, under_way: Deployment) -> None:
    text = text_of(browse("developer").get(f"{ADDRESS}2/"))
    assert f'data-live-kinds="operation:{under_way.operation.pk} place:{under_way.place_id}"' in text
    assert "Cancel the deployment" in text
    assert "Release 1 keeps serving until they do." in text
    assert "<noscript>" in text


def test_fragment_alone(browse: Browse, under_way: Deployment) -> None:
    text = text_of(browse("developer").get(f"{ADDRESS}2/", headers={"HX-Request": "true"}))
    assert text.lstrip().startswith('<div class="live" id="progress"')
    assert "<html" not in text


def test_failed_tells_why_with_the_log_open(browse: Browse, failed: Deployment) -> None:
    text = text_of(browse("developer").get(f"{ADDRESS}2/"))
    assert "It failed." in text
    assert "Release 1 serves in dev." in text
    assert re.search(r"web keeps ending|web ended by itself", text)
    assert "fatal: cannot go on" in text
    assert "Go back to release 1" in text
    assert "Change it and deploy again" in text


def test_log_is_only_for_who_may_read_logs(browse: Browse, failed: Deployment) -> None:
    text = text_of(browse("guest").get(f"{ADDRESS}2/"))
    assert "fatal: cannot go on" not in text
    assert "you need the permission “log.view”" in text


def test_cancel(
    browse: Browse, under_way: Deployment, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    client = browse("developer")
    page = client.post(f"{ADDRESS}2/cancel/")
    assert page["Location"] == f"{ADDRESS}2/"
    assert "Being cancelled." in text_of(client.get(f"{ADDRESS}2/"))
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    text = text_of(client.get(f"{ADDRESS}2/"))
    assert "Cancelled." in text
    assert "Release 1 serves in dev." in text
    assert AppEnvironment.objects.get(pk=under_way.place_id).release == under_way.replaced


def test_cancel_too_late_is_told(browse: Browse, running: AppEnvironment) -> None:
    page = browse("developer").post(f"{ADDRESS}1/cancel/", follow=True)
    assert page.status_code == 200
    assert "It has ended already" in text_of(page)


def test_guest_may_look_but_not_cancel(browse: Browse, under_way: Deployment) -> None:
    client = browse("guest")
    text = text_of(client.get(f"{ADDRESS}2/"))
    assert "Cancel the deployment" not in text
    assert 'aria-disabled="true"' in text
    assert client.post(f"{ADDRESS}2/cancel/").status_code == 403
    assert not Operation.objects.filter(cancel_requested=True).exists()


def test_roll_back(
    browse: Browse, under_way: Deployment, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    client = browse("developer")
    assert "Roll back dev to release 1" in text_of(client.get(f"{ADDRESS}2/"))
    page = client.post(f"{ADDRESS}2/rollback/")
    assert page["Location"] == f"{ADDRESS}3/"
    assert "hello back to release 1" in text_of(client.get(f"{ADDRESS}3/"))
    page = client.post(f"{ADDRESS}2/rollback/", follow=True)
    assert "Another operation on this is still running" in text_of(page)


def test_nothing_to_go_back_to(browse: Browse, running: AppEnvironment) -> None:
    page = browse("developer").post(f"{ADDRESS}1/rollback/", follow=True)
    assert "no earlier release" in text_of(page)
    assert Deployment.objects.count() == 1


@pytest.mark.parametrize("name", ["outsider", "operator"])
@pytest.mark.parametrize("what", ["", "cancel/", "rollback/"])
def test_foreign_is_not_there(browse: Browse, running: AppEnvironment, name: str, what: str) -> None:
    client = browse(name)
    page = client.post(f"{ADDRESS}1/{what}") if what else client.get(f"{ADDRESS}1/")
    assert page.status_code == 404


def test_later_deployment_takes_the_instances_along(
    browse: Browse, under_way: Deployment, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    text = text_of(browse("developer").get(f"{ADDRESS}1/"))
    assert "Deployment 2 came after this one" in text
    assert 'class="cell' not in text


def event(
    deployment: Deployment, seq: int, code: str, *, step: str, second: int, level: str = "info", **params: Any
) -> OperationEvent:
    at = deployment.operation.created_at + timedelta(seconds=second)
    return OperationEvent(
        operation=deployment.operation, seq=seq, at=at, step=step, level=level, code=code, params=params
    )


def test_time_of_each_step(cast: Cast, running: AppEnvironment) -> None:
    deployment = Deployment.objects.select_related("operation", "release").get(number=1)
    told = [
        event(deployment, 1, "accepted", step="", second=0),
        event(deployment, 2, "preparing", step="prepare", second=2),
        event(deployment, 3, "instances_ready", step="service:web", second=5, ready=0, wanted=3),
        event(deployment, 4, "instances_ready", step="service:web", second=9, ready=2, wanted=3),
        event(deployment, 5, "succeeded", step="service:web", second=12, level="ok"),
    ]
    steps = steps_of(deployment, told)
    assert [(step.status, step.took_seconds) for step in steps] == [
        (Status.DONE, 2.0), (Status.DONE, 3.0), (Status.DONE, 7.0),
    ]  # fmt: skip
    assert steps[2].detail == "3 of 3 ready"


def test_steps_of_a_failure(failed: Deployment, cast: Cast) -> None:
    found = Deployment.objects.select_related("operation", "release", "replaced").get(pk=failed.pk)
    steps = Progress(found, cast.actor("developer")).steps
    assert [step.status for step in steps] == [Status.DONE, Status.DONE, Status.FAILED, Status.DONE]
    assert steps[-1].title == "Go back to release 1"


def test_query_count_is_bounded(browse: Browse, failed: Deployment, django_assert_max_num_queries: Any) -> None:
    client = browse("developer")
    with django_assert_max_num_queries(30):
        client.get(f"{ADDRESS}2/")
    assert timezone.now() > failed.created_at
