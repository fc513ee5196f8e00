"""Who could do what at a moment, from the grants' history."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from tenants.models import Grant
from tests.conftest import Cast

Api = Callable[[str], APIClient]
ADDRESS = "/api/v1/tenants/acme/who-could"


def console_last_week(cast: Cast) -> Grant:
    """Held from ten to five days ago, ended early by owner eight days ago."""
    now = timezone.now()
    grant = Grant.objects.create(
        user=cast.developer, role="project.console", tenant=cast.acme, project=cast.shop, reason="INC-1",
        starts_at=now - timedelta(days=10), ends_at=now - timedelta(days=5), granted_by="owner",
        ended_at=now - timedelta(days=8), ended_by="owner",
    )  # fmt: skip
    Grant.objects.filter(pk=grant.pk).update(created_at=now - timedelta(days=10))
    return grant


def ask(client: Any, *, days: float, **more: str) -> list[dict[str, Any]]:
    moment = (timezone.now() - timedelta(days=days)).isoformat()
    found: list[dict[str, Any]] = client.get(ADDRESS, {"at": moment, **more}).json()["results"]
    return found


def test_for_a_permission_at_a_moment(cast: Cast, api: Api) -> None:
    console_last_week(cast)
    client, asked = api("auditor"), {"permission": "console.protected"}
    assert [(one["person"], one["now"]) for one in ask(client, days=9, **asked)] == [("developer", False)]
    assert ask(client, days=11, **asked) == []  # before it began
    assert ask(client, days=7, **asked) == []  # after it was ended, although its time had not run out
    assert ask(client, days=9, permission="app.release") == []
    assert ask(client, days=9, **asked)[0]["permissions"] == ["console.protected"]


def test_for_a_person_and_a_project_now(cast: Cast, api: Api) -> None:
    client = api("auditor")
    assert ask(client, days=1, person="developer") == []
    now = client.get(ADDRESS, {"person": "developer", "project": "shop"}).json()["results"]
    assert [one["grant"]["role"] for one in now] == ["project.developer"]
    everybody = {one["person"] for one in client.get(ADDRESS, {"project": "shop"}).json()["results"]}
    assert everybody == {"owner", "auditor", "developer", "releaser", "guest"}
    assert client.get(ADDRESS, {"project": "store"}).status_code == 422


def test_a_beginning_set_back_opens_no_past(cast: Cast, api: Api) -> None:
    Grant.objects.create(
        user=cast.guest, role="project.console", tenant=cast.acme, project=cast.shop,
        starts_at=timezone.now() - timedelta(days=30),
    )  # fmt: skip
    assert ask(api("auditor"), days=9, permission="console.protected") == []


def test_only_auditors_and_owners_ask(cast: Cast, api: Api, browse: Callable[[str], Client]) -> None:
    for name, status in (("auditor", 200), ("owner", 200), ("developer", 403), ("outsider", 404)):
        assert api(name).get(ADDRESS).status_code == status
        assert browse(name).get("/t/acme/members/who-could/").status_code == status


def test_the_page_answers(cast: Cast, browse: Callable[[str], Client]) -> None:
    console_last_week(cast)
    moment = timezone.localtime(timezone.now() - timedelta(days=9))
    page = browse("auditor").get(
        "/t/acme/members/who-could/", {"at": f"{moment:%Y-%m-%dT%H:%M}", "permission": "console.protected"}
    )
    said = page.content.decode()
    assert "INC-1" in said
    assert "open a console in a protected environment" in said
