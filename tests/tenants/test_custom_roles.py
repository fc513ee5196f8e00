"""Roles that a tenant makes for itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEntry
from core.access import may
from core.errors import Changed, Conflict, Denied, Invalid, NotFound
from tenants.custom.models import CustomRole, CustomRoleState
from tenants.custom.services import MOST, create_role, remove_role, update_role
from tenants.invitations.services import accept, invite
from tenants.models import Grant, Invitation, Request
from tenants.presence import doubtful
from tenants.requests import services as requests
from tenants.rights import rights_of
from tenants.robots.selectors import may_take_over
from tenants.robots.services import create_robot
from tenants.services import end_grant, give_grant
from tests.conftest import Cast, actor_of

Api = Callable[[str], APIClient]
Browse = Callable[[str], Client]
ROLES = "/api/v1/tenants/acme/roles"
LOGS = ["app.view", "log.view", "project.view"]


@pytest.fixture
def watch(cast: Cast) -> CustomRole:
    """A role of acme that reads logs, given to nobody yet."""
    made = create_role(
        cast.actor("owner"), cast.acme, name="watch", level="project", permissions=LOGS, title="night watch"
    )
    made.refresh_from_db()
    return made


def give(cast: Cast, who: str = "guest") -> Grant:
    return give_grant(cast.actor("owner"), cast.shop, user=getattr(cast, who), role="own.watch", reason="nights")


def test_it_gives_what_it_is_made_of(cast: Cast, watch: CustomRole) -> None:
    assert not may(cast.actor("guest"), "log.view", cast.shop)
    grant = give(cast)
    assert grant.custom == watch
    assert may(cast.actor("guest"), "log.view", cast.shop)
    assert not may(cast.actor("guest"), "console.open", cast.shop)
    assert not may(cast.actor("guest"), "log.view", cast.acme)
    end_grant(cast.actor("owner"), cast.shop, grant=grant)
    assert not may(cast.actor("guest"), "log.view", cast.shop)


def test_rights_are_still_one_query(cast: Cast, watch: CustomRole) -> None:
    give(cast)
    with CaptureQueriesContext(connection) as queries:
        rights_of(cast.guest)
    assert len(queries) == 1


def test_nobody_makes_or_gives_more_than_they_hold(cast: Cast, watch: CustomRole) -> None:
    Grant.objects.create(user=cast.guest, role="tenant.admin", tenant=cast.acme)
    admin = cast.actor("guest")
    with pytest.raises(Denied) as lacking:
        create_role(admin, cast.acme, name="x", level="project", permissions=["app.view", "console.open"])
    assert lacking.value.extra == {"permission": "console.open"}
    create_role(admin, cast.acme, name="looks", level="project", permissions=["app.view"])
    update_role(cast.actor("owner"), watch, permissions=[*LOGS, "console.open"])
    watch.refresh_from_db()
    for act in (
        lambda: update_role(admin, watch, permissions=LOGS),
        lambda: remove_role(admin, watch),
        lambda: give_grant(admin, cast.shop, user=cast.auditor, role="own.watch"),
        lambda: create_role(cast.actor("developer"), cast.acme, name="y", level="project", permissions=["app.view"]),
    ):
        with pytest.raises(Denied):
            act()
    assert AuditEntry.objects.filter(action="role.update", result="denied").exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"permissions": ["cluster.view"]}, "permissions"),
        ({"permissions": ["account.own"]}, "permissions"),
        ({"permissions": ["nothing.known"]}, "permissions"),
        ({"permissions": ["tenant.manage"]}, "permissions"),
        ({"permissions": []}, "permissions"),
        ({"level": "platform"}, "level"),
        ({"name": "Night Watch"}, "name"),
        ({"name": "x" * 41}, "name"),
    ],
)
def test_what_no_role_can_be(cast: Cast, change: dict[str, Any], field: str) -> None:
    """Not even an operator's or for one who holds it: those rights are no tenant's to give."""
    Grant.objects.create(user=cast.owner, role="platform.operator")
    sent: dict[str, Any] = {"name": "x", "level": "project", "permissions": ["app.view"]} | change
    with pytest.raises(Invalid) as wrong:
        create_role(cast.actor("owner"), cast.acme, **sent)
    assert [one.field for one in wrong.value.errors] == [field]


def test_what_is_smuggled_into_the_table_gives_nothing(cast: Cast, watch: CustomRole) -> None:
    give(cast)
    CustomRole.objects.filter(pk=watch.pk).update(permissions=["cluster.manage", "app.view"])
    assert not may(cast.actor("guest"), "cluster.manage")


def test_a_change_holds_at_once_and_is_on_record(cast: Cast, watch: CustomRole) -> None:
    give(cast)
    open_socket = cast.actor("guest")
    update_role(cast.actor("owner"), watch, permissions=["app.view", "project.view"], version=watch.version)
    assert not may(cast.actor("guest"), "log.view", cast.shop)
    assert 0 in doubtful([(open_socket, None)], seconds=2.0)
    entry = AuditEntry.objects.get(action="role.update", result="accepted")
    assert (entry.before["permissions"], entry.after["permissions"]) == (LOGS, ["app.view", "project.view"])
    assert entry.tenant_id == cast.acme.pk


def test_of_two_who_change_it_the_second_is_told(cast: Cast, watch: CustomRole) -> None:
    update_role(cast.actor("owner"), watch, title="by day", version=1)
    with pytest.raises(Changed):
        update_role(cast.actor("owner"), watch, title="by night", version=1)
    watch.refresh_from_db()
    assert (watch.title, watch.version) == ("by day", 2)


def test_it_is_not_removed_from_under_those_who_hold_it(cast: Cast, watch: CustomRole) -> None:
    give(cast)
    with pytest.raises(Conflict) as held:
        remove_role(cast.actor("owner"), watch)
    assert held.value.code == "still_held"
    assert held.value.extra == {"held_by": ["guest"]}
    assert remove_role(cast.actor("owner"), watch, end_grants=True) == 1
    assert not may(cast.actor("guest"), "log.view", cast.shop)
    assert AuditEntry.objects.filter(action="grant.end", result="accepted").count() == 1
    with pytest.raises(NotFound):
        update_role(cast.actor("owner"), watch, title="x")
    again = create_role(cast.actor("owner"), cast.acme, name="watch", level="project", permissions=["app.view"])
    assert not Grant.objects.filter(custom=again).exists()


def test_who_could_at_a_moment_knows_what_it_was_then(cast: Cast, watch: CustomRole, api: Api) -> None:
    grant, now = give(cast), timezone.now()
    Grant.objects.filter(pk=grant.pk).update(created_at=now - timedelta(days=9), starts_at=now - timedelta(days=9))
    CustomRoleState.objects.filter(role=watch).update(created_at=now - timedelta(days=9))
    update_role(cast.actor("owner"), watch, permissions=["app.view"])
    CustomRoleState.objects.filter(role=watch, version=2).update(created_at=now - timedelta(days=3))

    def asked(days: float) -> list[tuple[str, str]]:
        moment = (now - timedelta(days=days)).isoformat()
        sent = {"at": moment, "permission": "log.view", "person": "guest"}
        found = api("auditor").get("/api/v1/tenants/acme/who-could", sent).json()["results"]
        return [(one["person"], one["grant"]["role"]) for one in found]

    assert asked(5) == [("guest", "own.watch")]
    assert asked(2) == []
    assert asked(10) == []
    remove_role(cast.actor("owner"), watch, end_grants=True)
    assert asked(5) == [("guest", "own.watch")]


def test_why_she_can_do_this_names_it(cast: Cast, watch: CustomRole, api: Api, browse: Browse) -> None:
    grant = give(cast)
    member = f"members/{cast.guest.pk}"
    paths = api("owner").get(f"/api/v1/tenants/acme/{member}/why").json()["paths"]
    assert [path["grant"]["role"] for path in paths if path["permission"] == "log.view"] == ["own.watch"]
    page = browse("owner").get(f"/t/acme/{member}/").content.decode()
    assert "night watch" in page
    assert actor_of(cast.guest).rights.allows("log.view", tenant=None, project=cast.shop.pk)
    removal = api("owner").get(f"/api/v1/tenants/acme/{member}/removal").json()
    assert str(grant.pk) in [one["id"] for one in removal["grants"]]


def test_the_audit_names_the_grant_by_which_it_was_done(cast: Cast) -> None:
    create_role(cast.actor("owner"), cast.acme, name="people", level="tenant", permissions=["member.manage", "app.view",
                "member.view", "project.view"])  # fmt: skip
    grant = give_grant(cast.actor("owner"), cast.acme, user=cast.guest, role="own.people")
    create_role(cast.actor("guest"), cast.acme, name="looks", level="project", permissions=["app.view"])
    assert AuditEntry.objects.get(action="role.create", actor_name="guest").detail["grants"] == [str(grant.pk)]


def test_another_tenant_has_no_such_role(cast: Cast, watch: CustomRole, api: Api) -> None:
    with pytest.raises(Invalid) as unknown:
        give_grant(cast.actor("outsider"), cast.store, user=cast.guest, role="own.watch")
    assert "watch" not in str(unknown.value.errors[0].message)
    create_role(cast.actor("outsider"), cast.globex, name="watch", level="project", permissions=["app.view"])
    own = give_grant(cast.actor("outsider"), cast.store, user=cast.guest, role="own.watch")
    assert own.custom.tenant == cast.globex  # type: ignore[union-attr]  # it has one
    assert not may(cast.actor("guest"), "log.view", cast.store)
    assert "watch" in api("outsider").get("/api/v1/tenants/globex/roles").content.decode()
    answer = api("outsider").get(f"{ROLES}/watch")
    assert (answer.status_code, answer.content) == (404, api("outsider").get(f"{ROLES}/nothing").content)
    with pytest.raises(Invalid) as asked:
        requests.ask(cast.actor("outsider"), cast.acme, kind="join", payload={"role": "own.watch"})
    assert "watch" not in str(asked.value.errors[0].message)


def test_it_is_asked_for_and_invited_to(cast: Cast, watch: CustomRole) -> None:
    asked = requests.ask(
        cast.actor("guest"), cast.shop, kind="access", payload={"role": "own.watch", "hours": 2}, reason="INC-1"
    )
    requests.approve(cast.actor("owner"), asked)
    assert may(cast.actor("guest"), "log.view", cast.shop)
    made, _secret = invite(cast.actor("owner"), cast.shop, person="x", role="own.watch")
    accept(cast.actor("outsider"), made)
    assert may(cast.actor("outsider"), "log.view", cast.shop)


def test_what_waits_for_it_is_over_when_it_is_removed(cast: Cast, watch: CustomRole) -> None:
    asked = requests.ask(cast.actor("guest"), cast.shop, kind="join", payload={"role": "own.watch"})
    made, _secret = invite(cast.actor("owner"), cast.shop, person="x", role="own.watch")
    remove_role(cast.actor("owner"), watch)
    assert Request.objects.get(pk=asked.pk).state == "withdrawn"
    assert Invitation.objects.get(pk=made.pk).revoked_at is not None


def test_those_who_may_decide_by_it_are_told(cast: Cast) -> None:
    rights = ["member.manage", "member.view", "project.view", "app.view"]
    create_role(cast.actor("owner"), cast.acme, name="people", level="project", permissions=rights)
    give_grant(cast.actor("owner"), cast.shop, user=cast.releaser, role="own.people")
    requests.ask(cast.actor("developer"), cast.shop, kind="join", payload={"role": "project.guest"})
    assert cast.releaser.notices.filter(kind="request.asked").exists()


def test_no_more_than_fifty(cast: Cast) -> None:
    CustomRole.objects.bulk_create(
        CustomRole(tenant=cast.acme, name=f"r{number}", level="project", permissions=["app.view"])
        for number in range(MOST)
    )
    with pytest.raises(Conflict) as most:
        create_role(cast.actor("owner"), cast.acme, name="x", level="project", permissions=["app.view"])
    assert most.value.code == "too_many_roles"
    CustomRole.objects.filter(name="r0").update(removed_at=timezone.now())
    with pytest.raises(Conflict) as taken:
        create_role(cast.actor("owner"), cast.acme, name="r1", level="project", permissions=["app.view"])
    assert taken.value.code == "name_taken"


def test_the_same_over_http(cast: Cast, api: Api) -> None:
    client = api("owner")
    sent = {"name": "watch", "level": "project", "title": "night watch", "permissions": LOGS}
    made = client.post(ROLES, sent, format="json")
    assert (made.status_code, made["Location"]) == (201, f"{ROLES}/watch")
    assert (made.json()["key"], made.json()["own"], made.json()["version"]) == ("own.watch", True, 1)
    unchanged = {"If-Match": made["ETag"]}
    given = {"subject": "guest", "role": "own.watch", "project": "shop"}
    assert client.post("/api/v1/tenants/acme/grants", given, format="json").status_code == 201
    listed = {role["key"]: role for role in client.get(ROLES).json()["results"]}
    assert listed["own.watch"]["held_by"] == 1
    assert not listed["tenant.owner"]["own"]
    changed = client.patch(f"{ROLES}/watch", {"permissions": ["app.view"]}, format="json", headers=unchanged)
    assert (changed.status_code, changed.json()["permissions"]) == (200, ["app.view"])
    late = client.patch(f"{ROLES}/watch", {"title": "x"}, format="json", headers=unchanged)
    assert late.status_code == 412
    refused = client.delete(f"{ROLES}/watch")
    assert (refused.status_code, refused.json()["held_by"]) == (409, ["guest"])
    assert client.delete(f"{ROLES}/watch?end_grants=true").status_code == 204
    assert client.get(f"{ROLES}/watch").status_code == 404


def test_only_who_may_sees_and_makes_them(cast: Cast, watch: CustomRole, api: Api, browse: Browse) -> None:
    assert api("auditor").get(f"{ROLES}/watch").status_code == 200
    assert api("auditor").delete(f"{ROLES}/watch").status_code == 403
    assert api("developer").get(f"{ROLES}/watch").status_code == 404
    assert api("developer").get(ROLES).status_code == 403
    for name, status in (("owner", 200), ("auditor", 200), ("developer", 403), ("outsider", 404)):
        assert browse(name).get("/t/acme/members/roles/").status_code == status
        assert browse(name).get("/t/acme/members/roles/watch/").status_code == status


def test_made_changed_and_removed_in_the_page(cast: Cast, browse: Browse) -> None:
    client, home = browse("owner"), "/t/acme/members/"
    assert client.get(f"{home}new-role/").status_code == 200
    sent = {"name": "watch", "level": "project", "title": "night watch", "permissions": LOGS}
    assert client.post(f"{home}new-role/", sent).status_code == 302
    assert client.post(f"{home}new-role/", sent).status_code == 422
    table = client.get(f"{home}roles/").content.decode()
    assert "night watch" in table
    assert "read and download logs" in table
    assert "own.watch" in client.get(home).content.decode()  # offered in the form
    given = {"subject": "guest", "role": "own.watch", "project": "shop", "hours": "4", "reason": "nights"}
    assert client.post(home, given).status_code == 302
    changed = {"title": "by day", "permissions": ["app.view"], "version": "1"}
    assert client.post(f"{home}roles/watch/", changed).status_code == 302
    late = client.post(f"{home}roles/watch/", changed)
    assert late.status_code == 422
    assert "Somebody changed this since you read it" in late.content.decode()
    assert client.post(f"{home}roles/watch/remove/", {}).status_code == 409
    assert client.post(f"{home}roles/watch/remove/", {"end_grants": "on"}).status_code == 302
    assert not Grant.objects.filter(role="own.watch", ended_at=None).exists()


def test_a_robot_with_one_works_and_can_be_taken_over(cast: Cast, watch: CustomRole, api: Api) -> None:
    robot = create_robot(cast.actor("owner"), cast.shop, name="ci", role="own.watch")
    (shown,) = api("owner").get("/api/v1/tenants/acme/projects/shop/robots").json()["results"]
    assert (shown["stopped"], shown["lacks"]) == (None, [])
    assert may_take_over(cast.actor("owner"), cast.shop, robot.role)
    assert not may_take_over(cast.actor("guest"), cast.shop, robot.role)
