"""What a person who leaves looked after alone is said before, and goes to somebody else in the same moment."""

from collections.abc import Callable

import pytest
from django.test import Client
from rest_framework.test import APIClient

from audit.models import AuditEntry
from core.access import may
from core.errors import Invalid
from tenants.members.handing import orphans
from tenants.members.services import remove_member
from tenants.models import Grant, Request
from tenants.quota.asking import QUOTA
from tenants.quota.models import Quota
from tenants.requests.services import ask
from tenants.robots.models import Robot
from tenants.robots.services import create_robot
from tests.conftest import Cast, actor_of

Api = Callable[[str], APIClient]
M = "/api/v1/tenants/acme/members"


@pytest.fixture
def leaver(cast: Cast) -> Cast:
    """The guest is the only admin of shop, asked for more CPU and for a role, and made a robot."""
    Grant.objects.create(user=cast.guest, role="project.admin", tenant=cast.acme, project=cast.shop)
    Quota.objects.update_or_create(tenant=cast.acme, project=cast.shop, resource="cpu", defaults={"limit": 1000})
    ask(cast.actor("guest"), cast.shop, kind=QUOTA, payload={"resource": "cpu", "limit": 4})
    ask(cast.actor("guest"), cast.shop, kind="join", payload={"role": "project.tester"})
    create_robot(cast.actor("guest"), cast.shop, name="ci", role="project.guest")
    return cast


def test_the_preview_names_what_would_be_nobodys(leaver: Cast, api: Api) -> None:
    told = api("owner").get(f"{M}/{leaver.guest.pk}/removal").json()
    assert [(one["kind"], one["count"]) for one in told["orphans"]] == [("projects", 1), ("quota_requests", 1)]
    assert told["orphans"][0]["words"] == "leave without a project admin: shop"
    assert orphans(leaver.developer.pk, leaver.acme) == []


def test_a_second_admin_leaves_nothing_alone(leaver: Cast) -> None:
    Grant.objects.create(user=leaver.releaser, role="project.admin", tenant=leaver.acme, project=leaver.shop)
    assert [one.kind for one in orphans(leaver.guest.pk, leaver.shop)] == ["quota_requests"]


def test_it_goes_to_the_heir_with_the_removal(leaver: Cast) -> None:
    remove_member(leaver.actor("owner"), leaver.acme, user=leaver.guest, heir=leaver.developer)
    assert not Grant.objects.filter(user=leaver.guest, ended_at=None).exists()
    assert may(actor_of(leaver.developer), "member.manage", leaver.shop)
    states = dict(Request.objects.values_list("kind", "state"))
    assert states == {"quota": "open", "join": "withdrawn"}
    assert Request.objects.get(kind=QUOTA).asked_by == leaver.developer
    assert Robot.objects.get(name="ci").removed_at is None
    entry = AuditEntry.objects.get(action="member.remove", result="accepted")
    assert entry.detail["handed_over"]["heir"] == "developer"
    assert entry.detail["handed_over"]["projects"] == ["shop"]


@pytest.mark.parametrize("heir", ["guest", "outsider"])
def test_the_heir_is_another_of_the_tenant_else_nothing_happens(leaver: Cast, heir: str) -> None:
    with pytest.raises(Invalid) as wrong:
        remove_member(leaver.actor("owner"), leaver.acme, user=leaver.guest, heir=getattr(leaver, heir))
    assert wrong.value.errors[0].field == "heir"
    assert Grant.objects.filter(user=leaver.guest, ended_at=None).count() == 2
    assert Request.objects.filter(state="open").count() == 2


def test_without_an_heir_it_is_as_it_was(leaver: Cast) -> None:
    remove_member(leaver.actor("owner"), leaver.acme, user=leaver.guest)
    assert set(Request.objects.values_list("state", flat=True)) == {"withdrawn"}


def test_by_the_page_and_over_http(leaver: Cast, api: Api, client: Client) -> None:
    client.force_login(leaver.owner)
    address = f"/t/acme/members/{leaver.guest.pk}/"
    page = client.get(address).content.decode()
    assert "Give these to" in page
    assert "leave without a project admin: shop" in page
    assert client.post(f"{address}remove/", {"heir": "nobody"}).status_code == 422
    assert api("developer").delete(f"{M}/{leaver.guest.pk}?heir=developer").status_code == 403
    assert api("owner").delete(f"{M}/{leaver.guest.pk}?heir=outsider").status_code == 422
    assert api("owner").delete(f"{M}/{leaver.guest.pk}?heir=developer").status_code == 204
    assert Grant.objects.filter(user=leaver.developer, role="project.admin", ended_at=None).exists()
