"""A right taken at once: by owners only, for hours, told to all who watch, and looked at by another."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from audit.models import AuditEntry
from core.errors import Denied, Invalid
from tenants.breakglass.services import break_glass
from tenants.models import Grant, Notice, Request
from tenants.requests import selectors, services
from tests.conftest import Cast, person

TAKE: dict[str, Any] = {"role": "project.console", "hours": 1, "reason": "the shop is down"}


def taken(cast: Cast, name: str = "owner", **change: Any) -> Grant:
    return break_glass(cast.actor(name), cast.shop, **(TAKE | change))


def test_all_owners_and_auditors_are_told_and_a_review_is_open(cast: Cast) -> None:
    second = person("second")
    Grant.objects.create(user=second, role="tenant.owner", tenant=cast.acme)
    grant = taken(cast)
    assert grant.source == "break-glass"
    assert grant.ends_at is not None
    told = Notice.objects.filter(kind="request.asked").values_list("user__username", flat=True)
    assert set(told) == {"second", "auditor"}
    (review,) = selectors.decidable(cast.actor("auditor"))
    assert review.kind == "review"
    assert selectors.needs_count(cast.actor("auditor")) == 1
    assert not selectors.decidable(cast.actor("owner")).exists()
    entry = AuditEntry.objects.get(action="grant.break_glass")
    assert entry.detail["grant"] == str(grant.pk)


def test_the_review_is_not_withdrawn_and_confirmed_by_another_only(cast: Cast) -> None:
    taken(cast)
    review = Request.objects.get()
    with pytest.raises(Denied):
        services.withdraw(cast.actor("owner"), review)
    with pytest.raises(Denied):
        services.approve(cast.actor("owner"), review)
    services.approve(cast.actor("auditor"), review, reason="incident 7")
    assert selectors.needs_count(cast.actor("auditor")) == 0
    assert Grant.objects.get(request=review).ended_at is None


def test_what_is_found_wrong_ends_at_once(cast: Cast) -> None:
    taken(cast)
    services.reject(cast.actor("auditor"), Request.objects.get(), reason="no incident")
    grant = Grant.objects.get(source="break-glass")
    assert grant.ended_by == "auditor"
    assert grant.ended_at is not None


@pytest.mark.parametrize("name", ["developer", "releaser", "guest", "auditor", "outsider", "operator"])
def test_only_owners_take(cast: Cast, name: str) -> None:
    with pytest.raises(Denied):
        taken(cast, name)
    assert not Grant.objects.filter(source="break-glass").exists()


def test_a_project_admin_is_no_owner(cast: Cast) -> None:
    Grant.objects.create(user=cast.guest, role="project.admin", tenant=cast.acme, project=cast.shop)
    with pytest.raises(Denied):
        taken(cast, "guest")


@pytest.mark.parametrize("change", [{"hours": 9}, {"hours": 0}, {"reason": " "}, {"role": "tenant.owner"}])
def test_not_for_long_and_not_without_a_reason(cast: Cast, change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        taken(cast, **change)


def test_by_the_page(cast: Cast, browse: Callable[[str], Client]) -> None:
    address = "/t/acme/p/shop/ask/?permission=console.protected"
    client = browse("owner")
    assert "Take it at once" in client.get(address).content.decode()
    sent = {"role": "project.console", "hours": "2", "reason": "down", "deed": "take"}
    assert client.post(address, sent).status_code == 302
    assert Grant.objects.filter(source="break-glass", user=cast.owner).exists()
    client = browse("auditor")
    assert "took the role" in client.get("/requests/").content.decode()
    assert "Take it at once" not in browse("developer").get(address).content.decode()


def test_nobody_asks_for_a_review(cast: Cast) -> None:
    with pytest.raises(Invalid):
        services.ask(cast.actor("developer"), cast.shop, kind="review", payload={})


def test_by_the_api(cast: Cast, api: Callable[[str], APIClient]) -> None:
    address, sent = "/api/v1/tenants/acme/break-glass", {**TAKE, "project": "shop"}
    assert api("developer").post(address, sent, format="json").status_code == 403
    made = api("owner").post(address, sent, format="json")
    assert (made.status_code, made.json()["role"]) == (201, "project.console")
    needs = api("auditor").get("/api/v1/me/needs").json()
    assert (needs["count"], needs["requests"][0]["kind"]) == (1, "review")
    review = f"/api/v1/tenants/acme/requests/{needs['requests'][0]['id']}"
    assert api("auditor").post(f"{review}/approve", {"reason": "seen"}, format="json").json()["state"] == "approved"
