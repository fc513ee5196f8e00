"""Links that let somebody in once: new people and known ones, used, over, taken back, made up."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEntry
from core.errors import Conflict, Denied, NotFound
from tenants.invitations import services
from tenants.invitations.links import invitation_of
from tenants.models import Grant, Invitation, User
from tests.conftest import Cast

Browse = Callable[[str], Client]
NEW = {"name": "nina", "password": "a long enough password"}


def link(cast: Cast, role: str = "project.developer") -> str:
    target = cast.shop if role.startswith("project") else cast.acme
    _row, secret = services.invite(cast.actor("owner"), target, person="Nina", role=role, reason="new here")
    return f"/invitations/{secret.reveal()}/"


def test_a_new_person_makes_an_account_and_has_the_role(cast: Cast, client: Client) -> None:
    address = link(cast)
    page = client.get(address)
    assert page.status_code == 200
    assert "owner invites you to acme / shop" in page.content.decode()
    assert client.post(address, NEW).status_code == 302
    grant = Grant.objects.get(user__username="nina")
    assert (grant.role, grant.granted_by, grant.reason) == ("project.developer", "owner", "new here")
    assert client.login(username="nina", password=NEW["password"])
    actions = set(AuditEntry.objects.filter(actor_name="nina").values_list("action", flat=True))
    assert {"account.create", "invitation.accept"} <= actions


def test_a_known_person_accepts(cast: Cast, browse: Browse) -> None:
    address = link(cast)
    assert "signed in as" in browse("outsider").get(address).content.decode()
    assert browse("outsider").post(address).status_code == 302
    assert Grant.objects.filter(user=cast.outsider, role="project.developer", project=cast.shop).exists()


def test_a_link_works_once(cast: Cast, browse: Browse, client: Client) -> None:
    address = link(cast)
    browse("outsider").post(address)
    client.logout()
    answer = client.post(address, NEW)
    assert answer.status_code == 422
    assert not User.objects.filter(username="nina").exists()


def test_what_is_over_or_taken_back_opens_nothing(cast: Cast) -> None:
    for change in ({"expires_at": timezone.now() - timedelta(seconds=1)}, {"revoked_at": timezone.now()}):
        row, _secret = services.invite(cast.actor("owner"), cast.acme, person="x", role="tenant.member")
        Invitation.objects.filter(pk=row.pk).update(**change)
        with pytest.raises(Conflict):
            services.accept(cast.actor("outsider"), row)
    assert not Grant.objects.filter(user=cast.outsider, tenant=cast.acme).exists()


def test_a_made_up_link_is_not_there_and_costs_no_query(
    cast: Cast, client: Client, django_assert_num_queries: Callable[[int], object]
) -> None:
    with django_assert_num_queries(0), pytest.raises(NotFound):
        invitation_of("made-up:link:here")
    assert client.get("/invitations/made-up/").status_code == 404
    assert Invitation.objects.count() == 0


def test_only_a_digest_is_kept(cast: Cast) -> None:
    address = link(cast)
    text = address.split("/")[2]
    assert not Invitation.objects.filter(digest=text).exists()
    kept = [f"{entry.detail}{entry.after}{entry.before}" for entry in AuditEntry.objects.all()]
    assert text not in "".join(kept)


def test_who_lost_the_right_since_lets_nobody_in(cast: Cast) -> None:
    Grant.objects.create(user=cast.guest, role="tenant.admin", tenant=cast.acme)
    row, _secret = services.invite(cast.actor("guest"), cast.acme, person="x", role="tenant.member")
    Grant.objects.filter(user=cast.guest, role="tenant.admin").update(ended_at=timezone.now())
    with pytest.raises(Denied):
        services.accept(cast.actor("outsider"), row)
    row.refresh_from_db()
    assert row.accepted_at is None


def test_nobody_invites_to_more_than_they_hold(cast: Cast) -> None:
    Grant.objects.create(user=cast.guest, role="tenant.admin", tenant=cast.acme)
    with pytest.raises(Denied):
        services.invite(cast.actor("guest"), cast.acme, person="x", role="tenant.owner")
    with pytest.raises(Denied):
        services.invite(cast.actor("developer"), cast.shop, person="x", role="project.guest")


@pytest.mark.parametrize("name", ["Admin", "berth", "root", "nina\u202e", "n\u0456na", "x", "a" * 41, "owner", "../x"])
def test_names_that_look_like_others_are_refused(cast: Cast, client: Client, name: str) -> None:
    address = link(cast)
    before = User.objects.count()
    assert client.post(address, {**NEW, "name": name, "is_staff": "1", "is_superuser": "1"}).status_code == 422
    assert User.objects.count() == before


def test_registering_makes_nobody_more_than_invited(cast: Cast, client: Client) -> None:
    client.post(link(cast, "tenant.member"), {**NEW, "is_staff": "1", "is_superuser": "1", "role": "tenant.owner"})
    nina = User.objects.get(username="nina")
    assert (nina.is_staff, nina.is_superuser) == (False, False)
    assert [grant.role for grant in nina.grants.all()] == ["tenant.member"]


def test_a_weak_password_makes_no_account(cast: Cast, client: Client) -> None:
    assert client.post(link(cast), {**NEW, "password": "short"}).status_code == 422
    assert not User.objects.filter(username="nina").exists()


def test_by_the_page_and_the_api(cast: Cast, browse: Browse, api: Callable[[str], APIClient]) -> None:
    client = browse("owner")
    page = client.post("/t/acme/members/invitations/", {"subject": "Nina", "role": "tenant.member", "hours": "24"})
    assert page.status_code == 200
    assert "/invitations/" in page.context["link"]
    assert page.context["link"] not in client.get("/t/acme/members/invitations/").content.decode()
    row = Invitation.objects.get()
    assert client.post(f"/t/acme/members/invitations/{row.pk}/revoke/").status_code == 302
    address = "/api/v1/tenants/acme/invitations"
    made = api("owner").post(address, {"person": "Nina", "role": "tenant.member"}, format="json")
    assert made.status_code == 201
    text = made.json()["link"].rstrip("/").rpartition("/")[2]
    taken = api("outsider").post("/api/v1/me/invitations", {"link": text}, format="json")
    assert (taken.status_code, taken.json()["role"]) == (201, "tenant.member")
    assert api("owner").get(address).json()["results"] == []
    assert api("developer").get(address).status_code == 403
    assert api("outsider").get("/api/v1/tenants/acme/invitations").status_code == 403
