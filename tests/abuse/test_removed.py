"""Somebody was removed: what they had open, what they had sent and what was waiting for its turn."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps import services as apps
from apps.models import AppEnvironment
from audit.models import AuditEntry
from backends.fake import FakeDriver
from core.access import SYSTEM
from operations import registry, services
from operations.models import Operation
from tenants.models import Grant, Token, User
from tests.conftest import Cast, Wakeups

P = "/api/v1/tenants/acme/projects/shop"
PAGE = "/t/acme/p/shop/apps/hello/"


@pytest.fixture
def queued(cast: Cast, running: AppEnvironment) -> Operation:
    """The developer's second deployment, accepted and not begun."""
    return apps.deploy(cast.actor("developer"), running, image="berth/hello:2")


def remove(user: User) -> None:
    Grant.objects.filter(user=user).delete()


def work_off(operation: Operation, wakeups: Wakeups) -> Operation:
    wakeups.ids[:] = [str(operation.pk)]
    wakeups.drain()
    operation.refresh_from_db()
    return operation


def test_what_waited_is_not_done_and_says_why(
    queued: Operation, cast: Cast, running: AppEnvironment, wakeups: Wakeups, driver: FakeDriver
) -> None:
    before = driver.services(running.engine_name)
    release = AppEnvironment.objects.get(pk=running.pk).release
    assert release is not None
    assert release.number == 2
    remove(cast.developer)
    ended = work_off(queued, wakeups)
    assert ended.state == Operation.State.CANCELLED
    assert ended.failure == {"code": registry.LOST_RIGHT, "params": {"person": "developer"}}
    assert driver.services(running.engine_name) == before
    running.refresh_from_db()
    assert running.release is not None
    assert running.release.number == 1
    said = [registry.words(event.code, event.params) for event in ended.events.order_by("seq")]
    assert any("developer asked for this, but had lost the right" in text for text in said)
    assert said[-1] == "Cancelled by Berth"


def test_the_audit_has_it_as_denied(queued: Operation, cast: Cast, wakeups: Wakeups) -> None:
    remove(cast.developer)
    work_off(queued, wakeups)
    entry = AuditEntry.objects.filter(operation_id=queued.pk).latest("seq")
    assert (entry.result, entry.actor_name) == (AuditEntry.Result.DENIED, "developer")
    assert entry.detail["failure"]["code"] == registry.LOST_RIGHT


def test_the_page_of_the_deployment_says_why(
    queued: Operation, cast: Cast, wakeups: Wakeups, browse: Callable[[str], Client]
) -> None:
    remove(cast.developer)
    work_off(queued, wakeups)
    page = browse("owner").get(f"{PAGE}deployments/2/")
    assert "had lost the right to it when its turn came" in page.content.decode()


def test_a_disabled_person_counts_as_removed(queued: Operation, cast: Cast, wakeups: Wakeups) -> None:
    User.objects.filter(pk=cast.developer.pk).update(is_active=False)
    assert work_off(queued, wakeups).state == Operation.State.CANCELLED


def test_a_place_that_was_protected_meanwhile_is_still_what_was_accepted(
    queued: Operation, cast: Cast, running: AppEnvironment, wakeups: Wakeups
) -> None:
    """The right is asked of the person, as it was needed when it was accepted."""
    assert work_off(queued, wakeups).state == Operation.State.SUCCEEDED


def test_what_had_begun_goes_on(queued: Operation, cast: Cast, wakeups: Wakeups) -> None:
    """Half a change would be worse for everybody else than the whole one."""
    mine = services.claim(queued.pk)
    assert mine is not None
    services.begin(mine, "prepare", "preparing", {"release": 2})
    Operation.objects.filter(pk=queued.pk).update(lease_until=None, state=Operation.State.PENDING)
    remove(cast.developer)
    assert work_off(queued, wakeups).state == Operation.State.SUCCEEDED


def test_what_berth_itself_does_needs_nobody(running: AppEnvironment) -> None:
    assert registry.may_still(Operation(requested_by=SYSTEM.id, params={"needs": ["app.deploy"]}))


@pytest.mark.parametrize("path", [P, f"{P}/apps", f"{P}/apps/hello", f"{P}/apps/hello/environments/dev"])
def test_the_next_request_of_a_token_finds_nothing(
    path: str, running: AppEnvironment, cast: Cast, api: Callable[[str], APIClient]
) -> None:
    client = api("developer")
    assert client.get(path).status_code == 200
    remove(cast.developer)
    assert client.get(path).status_code == 404


def test_a_revoked_token_is_nobody(running: AppEnvironment, cast: Cast, api: Callable[[str], APIClient]) -> None:
    client = api("developer")
    assert client.get(P).status_code == 200
    Token.objects.filter(user=cast.developer).delete()
    assert client.get(P).status_code == 401


def test_the_next_click_in_an_open_tab_finds_nothing(
    running: AppEnvironment, cast: Cast, browse: Callable[[str], Client]
) -> None:
    tab: Any = browse("developer")
    assert tab.get(PAGE).status_code == 200
    remove(cast.developer)
    assert tab.get(PAGE).status_code == 404
    before = Operation.objects.count()
    for path in ("restart/", "stop/", "scale/"):
        assert tab.post(PAGE + path, {"service": "web", "instances": "1"}).status_code in (403, 404, 405)
    assert Operation.objects.count() == before
    assert "hello" not in tab.get("/").content.decode().partition("<main")[2]
