"""Who belongs here and why they may do what; giving, ending and removing, and what that cuts."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from apps.models import AppEnvironment
from audit.models import AuditEntry
from console.models import ConsoleSession
from core.errors import Conflict, Denied
from tenants.members.services import remove_member
from tenants.models import Grant, Project, Token
from tenants.requests.services import ask
from tenants.services import end_grant, give_grant
from tests.conftest import Cast, actor_of, person

Api = Callable[[str], APIClient]
Browse = Callable[[str], Client]
M = "/api/v1/tenants/acme/members"


def test_the_page_says_who_may_do_what(cast: Cast, browse: Browse) -> None:
    give_grant(cast.actor("owner"), cast.shop, user=cast.guest, role="project.tester", reason="release 15",
               ends_at=timezone.now() + timedelta(hours=4))  # fmt: skip
    page = browse("owner").get("/t/acme/members/").content.decode()
    for said in ("developer", "release manager", "auditor", "release 15", "until"):
        assert said in page
    assert "outsider" not in page


def test_the_list_is_narrowed(cast: Cast, browse: Browse, api: Api) -> None:
    client = browse("owner")

    def found(query: str) -> list[str]:
        page = client.get(f"/t/acme/members/?{query}")
        return [one.user.get_username() for one, _url, _chips in page.context["people"]]

    assert found("role=project.developer") == ["developer"]
    assert found("on=shop&q=e") == ["developer", "guest", "releaser"]
    assert found("on=shop&role=tenant.owner") == []
    assert found("role=nothing&on=%00") == []
    page = client.get("/t/acme/members/?role=project.developer").content.decode()
    assert "Remove the filter Role" in page
    assert [one["name"] for one in api("owner").get(f"{M}?role=tenant.auditor").json()["results"]] == ["auditor"]


def test_the_head_says_what_ends_soon_and_who_asks(cast: Cast, browse: Browse) -> None:
    give_grant(cast.actor("owner"), cast.shop, user=cast.guest, role="project.tester",
               ends_at=timezone.now() + timedelta(hours=4))  # fmt: skip
    ask(cast.actor("developer"), cast.shop, kind="join", payload={"role": "project.tester"})
    page = browse("owner").get("/t/acme/members/").content.decode()
    assert "1 role ends within a week." in page
    assert "1 request waits for you." in page


def test_a_project_admin_sees_the_members_of_the_project_only(cast: Cast, browse: Browse) -> None:
    Grant.objects.create(user=cast.guest, role="project.admin", tenant=cast.acme, project=cast.shop)
    client = browse("guest")
    assert client.get("/t/acme/members/").status_code == 403
    page = client.get("/t/acme/p/shop/members/")
    assert page.status_code == 200
    assert "developer" in page.content.decode()
    assert [one.user.get_username() for one, _url, _chips in page.context["people"]] == [
        "developer",
        "guest",
        "releaser",
    ]


def test_giving_by_the_page(cast: Cast, browse: Browse) -> None:
    sent = {"subject": "outsider", "role": "project.guest", "project": "shop", "hours": "4", "reason": "a look"}
    answer = browse("owner").post("/t/acme/members/", sent)
    assert answer.status_code == 302
    grant = Grant.objects.get(user=cast.outsider, tenant=cast.acme)
    assert (grant.role, grant.reason, grant.granted_by) == ("project.guest", "a look", "owner")
    assert grant.ends_at is not None
    assert grant.ends_at < timezone.now() + timedelta(hours=5)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": "nobody"}, "subject"),
        ({"subject": ""}, "subject"),
        ({"role": "platform.operator"}, "role"),
        ({"role": "tenant.owner"}, "role"),
        ({"project": "store"}, "project"),
        ({"hours": "at"}, "ends_at"),
        ({"hours": "at", "ends_at": "2001-01-01T00:00"}, "ends_at"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(cast: Cast, browse: Browse, change: dict[str, str], field: str) -> None:
    sent = {"subject": "outsider", "role": "project.guest", "project": "shop", "hours": "4"} | change
    answer = browse("owner").post("/t/acme/members/", sent)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Grant.objects.filter(user=cast.outsider, tenant=cast.acme).exists()


def test_a_project_admin_gives_no_owner(cast: Cast, browse: Browse) -> None:
    Grant.objects.create(user=cast.guest, role="project.admin", tenant=cast.acme, project=cast.shop)
    with pytest.raises(Denied):
        give_grant(cast.actor("guest"), cast.acme, user=cast.guest, role="tenant.owner")
    with pytest.raises(Denied):
        end_grant(cast.actor("guest"), cast.acme, grant=Grant.objects.get(role="tenant.owner", tenant=cast.acme))
    answer = browse("guest").post("/t/acme/p/shop/members/", {"subject": "guest", "role": "tenant.owner"})
    assert answer.status_code == 422
    assert not Grant.objects.filter(user=cast.guest, role="tenant.owner").exists()


def test_of_two_who_remove_each_other_one_wins(cast: Cast) -> None:
    """Both had the right when they began; the second one finds it gone."""
    other = person("other")
    for user in (cast.guest, other):
        Grant.objects.create(user=user, role="tenant.admin", tenant=cast.acme)
    first, second = cast.actor("guest"), actor_of(other)
    remove_member(first, cast.acme, user=other)
    with pytest.raises(Denied):
        remove_member(second, cast.acme, user=cast.guest)
    assert Grant.objects.filter(user=cast.guest, role="tenant.admin", ended_at=None).exists()
    assert AuditEntry.objects.filter(action="member.remove", result="denied").exists()


def test_two_owners_cannot_both_go(cast: Cast) -> None:
    Grant.objects.create(user=cast.guest, role="tenant.owner", tenant=cast.acme)
    first, second = cast.actor("owner"), cast.actor("guest")
    remove_member(first, cast.acme, user=cast.guest)
    with pytest.raises(Denied):
        remove_member(second, cast.acme, user=cast.owner)
    with pytest.raises(Conflict) as last:
        remove_member(first, cast.acme, user=cast.owner)
    assert last.value.code == "last_owner"


def test_what_the_identity_service_keeps_is_not_ended_here(cast: Cast, settings: Any) -> None:
    settings.KEYSTONE = settings.KEYSTONE | {"url": "http://127.0.0.1:1/v3"}
    grant = Grant.objects.get(user=cast.developer)
    Grant.objects.filter(pk=grant.pk).update(source="keystone")
    grant.refresh_from_db()
    for act in (
        lambda: end_grant(cast.actor("owner"), cast.shop, grant=grant),
        lambda: remove_member(cast.actor("owner"), cast.shop, user=cast.developer),
    ):
        with pytest.raises(Conflict) as kept:
            act()
        assert kept.value.code == "kept_elsewhere"


def test_removing_says_before_what_it_cuts_and_then_does(place: AppEnvironment, cast: Cast, api: Api) -> None:
    Token.objects.create(cast.developer, name="ci", tenant=cast.acme, project=cast.shop)
    ConsoleSession.objects.create(  # noqa: S604  `shell` is a column
        tenant=cast.acme, project=cast.shop, place=place, instance_id=place.pk, engine_id="x", service="web",
        number=1, shell="sh", person_id=cast.developer.pk, person_name="developer", state="open",
    )  # fmt: skip
    one = f"{M}/{cast.developer.pk}"
    told = api("owner").get(f"{one}/removal").json()
    assert [(cut["kind"], cut["count"]) for cut in told["cuts"]] == [("tokens", 1), ("consoles", 1)]
    assert api("auditor").delete(one).status_code == 403
    assert api("owner").delete(one).status_code == 204
    assert api("owner").get(one).status_code == 404
    assert not Token.objects.filter(user=cast.developer, tenant=cast.acme).exists()
    assert not Grant.objects.filter(user=cast.developer, ended_at=None).exists()
    entry = AuditEntry.objects.get(action="member.remove", result="accepted")
    assert entry.before == {"person": "developer", "roles": ["project.developer"]}


def test_why_names_every_way(cast: Cast, api: Api) -> None:
    give_grant(cast.actor("owner"), cast.shop, user=cast.developer, role="project.console", reason="INC-1")
    paths = api("auditor").get(f"{M}/{cast.developer.pk}/why").json()["paths"]
    consoles = [path["grant"]["role"] for path in paths if path["permission"] == "console.open"]
    assert consoles == ["project.developer", "project.console"]
    (protected,) = [path["grant"] for path in paths if path["permission"] == "console.protected"]
    assert (protected["granted_by"], protected["reason"]) == ("owner", "INC-1")
    assert not [path for path in paths if path["permission"] == "app.release"]


def test_members_page_by_page(cast: Cast, api: Api) -> None:
    first = api("owner").get(f"{M}?limit=2").json()
    assert [one["name"] for one in first["results"]] == ["auditor", "developer"]
    client = api("owner")
    first = client.get(f"{M}?limit=2").json()
    second = client.get(first["next"]).json()
    assert [one["name"] for one in second["results"]] == ["guest", "owner"]
    assert [one["name"] for one in client.get(second["previous"]).json()["results"]] == ["auditor", "developer"]
    assert [one["name"] for one in client.get(f"{M}?project=shop&search=rel").json()["results"]] == ["releaser"]
    assert client.get(f"{M}?project=store").status_code == 422


def test_a_list_costs_the_same_however_long(cast: Cast, api: Api) -> None:
    client = api("owner")
    with CaptureQueriesContext(connection) as few:
        client.get(M)
    for number in range(30):
        project = Project.objects.create(tenant=cast.acme, name=f"p{number}")
        Grant.objects.create(user=cast.developer, role="project.guest", tenant=cast.acme, project=project)
    with CaptureQueriesContext(connection) as many:
        client.get(M)
    assert len(many) <= len(few)


@pytest.mark.parametrize("path", ["", "/roles", "/who-could", "/members", "/requests"])
def test_strangers_learn_nothing(cast: Cast, api: Api, path: str) -> None:
    assert api("outsider").get(f"/api/v1/tenants/acme{path}").status_code == 404


def test_roles_say_what_they_may(cast: Cast, api: Api) -> None:
    found = {role["key"]: role for role in api("owner").get("/api/v1/tenants/acme/roles").json()["results"]}
    assert "console.protected" in found["project.console"]["permissions"]
    assert found["tenant.owner"]["may_give"]
    assert found["project.developer"]["held_by"] == 1
    assert "platform.operator" not in found
