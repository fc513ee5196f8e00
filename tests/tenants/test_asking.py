"""Access for a while: asked in two clicks, used under its grant's id, over by itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.models import AppEnvironment
from apps.services import restart
from audit.models import AuditEntry
from core.access import may
from operations import registry
from tenants.models import Grant, Request
from tenants.presence import doubtful
from tenants.requests import services
from tests.conftest import Cast, Wakeups

Browse = Callable[[str], Client]
ASK = "/t/acme/p/shop/ask/"


def test_the_console_page_leads_to_asking_and_the_form_knows_what_for(
    place: AppEnvironment, cast: Cast, browse: Browse
) -> None:
    client = browse("developer")
    page = client.get("/t/acme/p/shop/apps/hello/console/?environment=prod").content.decode()
    link = f"{ASK}?permission=console.protected"
    assert link in page
    form = client.get(link).context["form"]
    assert form["role"].initial is None
    assert form.fields["role"].choices[0][0] == "project.console"
    assert client.post(link, {"role": "project.console", "hours": "2"}).status_code == 302
    request = Request.objects.get()
    assert (request.kind, request.payload) == ("access", {"role": "project.console", "hours": 2})


def test_the_deploy_panel_and_a_refused_page_lead_there_too(place: AppEnvironment, cast: Cast, browse: Browse) -> None:
    client = browse("developer")
    panel = client.get("/t/acme/p/shop/deploy/?app=hello&environment=prod").content.decode()
    assert f"{ASK}?permission=app.release" in panel
    refused = browse("guest").get("/t/acme/p/shop/apps/hello/logs/?environment=dev")
    assert refused.status_code == 403
    assert f"{ASK}?permission=log.view" in refused.content.decode()


def test_by_the_pages_from_asking_to_the_right(cast: Cast, browse: Browse) -> None:
    browse("developer").post(ASK, {"role": "project.console", "hours": "2", "reason": "INC-9"})
    request = Request.objects.get()
    client = browse("owner")
    for address in ("/requests/", f"/requests/{request.pk}/"):
        assert "INC-9" in client.get(address).content.decode()
    assert "1 thing needs you" in client.get("/requests/count/").content.decode()
    assert client.post(f"/requests/{request.pk}/decide/", {"deed": "approve", "reason": "go"}).status_code == 302
    assert may(cast.actor("developer"), "console.protected", cast.shop)
    assert "1 thing needs you" not in client.get("/requests/count/").content.decode()
    assert "go" in browse("developer").get("/requests/").content.decode()


def test_wrong_answers(cast: Cast, browse: Browse) -> None:
    client = browse("developer")
    assert client.post(ASK, {"role": "tenant.owner", "hours": "2"}).status_code == 422
    assert client.post(ASK, {"role": "project.console", "hours": "99999"}).status_code == 422
    client.post(ASK, {"role": "project.console", "hours": "2"})
    again = client.post(ASK, {"role": "project.console", "hours": "2"})
    assert again.status_code == 422
    assert "waits for an answer" in again.content.decode()
    request = Request.objects.get()
    assert client.post(f"/requests/{request.pk}/decide/", {"deed": "approve"}).status_code == 403
    assert browse("owner").post(f"/requests/{request.pk}/decide/", {"deed": "burn"}).status_code == 400
    assert browse("outsider").get(f"/requests/{request.pk}/").status_code == 404
    assert browse("outsider").get(ASK).status_code == 404


def test_what_is_done_under_a_grant_carries_its_id(running: AppEnvironment, cast: Cast) -> None:
    request = services.ask(
        cast.actor("guest"), cast.shop, kind="access", payload={"role": "project.developer", "hours": 1}
    )
    services.approve(cast.actor("owner"), request)
    restart(cast.actor("guest"), running)
    entry = AuditEntry.objects.get(action="app.restart", actor_name="guest")
    assert entry.detail["grants"] == [str(Grant.objects.get(request=request).pk)]


def test_when_it_ends_what_waits_is_cancelled_and_what_is_open_is_looked_at(
    running: AppEnvironment, cast: Cast, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    request = services.ask(
        cast.actor("guest"), cast.shop, kind="access", payload={"role": "project.developer", "hours": 1}
    )
    services.approve(cast.actor("owner"), request)
    actor = cast.actor("guest")
    with django_capture_on_commit_callbacks(execute=True):
        operation = restart(actor, running)
    Grant.objects.filter(request=request).update(ends_at=timezone.now() - timedelta(milliseconds=200))
    assert doubtful([(actor, None)], seconds=2.0) == [0]
    wakeups.drain()
    operation.refresh_from_db()
    assert operation.failure == {"code": registry.LOST_RIGHT, "params": {"person": "guest"}}
    assert operation.state == "cancelled"


@pytest.mark.parametrize("name", ["acme", "nowhere"])
def test_asking_to_join_tells_nothing_of_what_there_is(cast: Cast, browse: Browse, name: str) -> None:
    client = browse("outsider")
    for _time in range(2):
        answer = client.post("/join/", {"tenant": name, "reason": "returns project"}, follow=True)
        assert answer.status_code == 200
        assert "If there is a tenant of that name" in answer.content.decode()
    assert Request.objects.filter(kind="join", asked_by=cast.outsider).count() == (1 if name == "acme" else 0)
