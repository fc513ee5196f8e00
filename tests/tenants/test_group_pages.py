"""Groups on their pages and over HTTP: what one sees, does, is refused, and what became of it later."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEntry
from tenants.custom.services import create_role
from tenants.groups.models import Group, Membership
from tenants.groups.services import add_to_group, create_group, take_from_group
from tenants.models import Grant, Tenant
from tenants.services import end_grant, give_grant
from tests.conftest import Cast
from tests.tenants.crews import crew

Api = Callable[[str], APIClient]
Browse = Callable[[str], Client]
A = "/api/v1/tenants/acme"
G = f"{A}/groups"
PAGE = "/t/acme/members/groups/"


def test_from_an_empty_page_to_a_group_with_people_and_a_role(cast: Cast, browse: Browse) -> None:
    client = browse("owner")
    empty = client.get(PAGE).content.decode()
    assert "No group yet" in empty
    made = client.post(PAGE, {"name": "crew", "title": "Crew of shop"})
    group = Group.objects.get(name="crew")
    one = f"{PAGE}{group.pk}/"
    assert (made.status_code, made.headers["Location"]) == (302, one)
    assert "Nobody is in it yet" in client.get(one).content.decode()
    assert client.post(one, {"deed": "add", "person": "guest"}).status_code == 302
    given = {"deed": "give", "role": "project.developer", "project": "shop", "hours": "4", "reason": "release 15"}
    assert client.post(one, given).status_code == 302
    assert client.post(one, {"deed": "rename", "name": "sailors", "title": "Sailors"}).status_code == 302
    page = client.get(one).content.decode()
    for said in ("Sailors", "guest", "developer", "release 15"):
        assert said in page
    people = client.get("/t/acme/members/").content.decode()
    assert "by group Sailors" in people
    why = client.get(f"/t/acme/members/{cast.guest.pk}/?permission=app.deploy").content.decode()
    assert "by group Sailors" in why
    grant = Grant.objects.get(group=group)
    ended = client.post(f"/t/acme/members/grants/{grant.pk}/end/")
    assert (ended.status_code, ended.headers["Location"]) == (302, one)


@pytest.mark.parametrize(
    ("sent", "form", "field"),
    [
        ({"deed": "add", "person": "nobody"}, "add_form", "person"),
        ({"deed": "add", "person": "outsider"}, "add_form", "person"),
        ({"deed": "add", "person": ""}, "add_form", "person"),
        ({"deed": "give", "role": "tenant.owner"}, "give_form", "role"),
        ({"deed": "give", "role": "project.guest"}, "give_form", "role"),  # of a project, but on the tenant
        ({"deed": "give", "role": "project.guest", "project": "shop", "hours": "at"}, "give_form", "ends_at"),
        ({"deed": "rename", "name": "Not A Label"}, "rename_form", "name"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    cast: Cast, browse: Browse, sent: dict[str, str], form: str, field: str
) -> None:
    group, _grant = crew(cast)
    answer = browse("owner").post(f"{PAGE}{group.pk}/", sent)
    assert answer.status_code == 422
    assert field in answer.context[form].errors


def test_out_is_asked_before_it_is_done(cast: Cast, browse: Browse) -> None:
    group, _grant = crew(cast, cast.auditor)
    client, one = browse("owner"), f"{PAGE}{group.pk}/"
    asked = client.get(f"{one}?out={cast.auditor.pk}").content.decode()
    assert "Taking auditor out of Crew would" in asked
    assert client.get(f"{one}?out=nonsense").status_code == 200
    assert client.post(f"{one}out/{cast.auditor.pk}/").status_code == 302
    assert client.post(f"{one}out/{cast.auditor.pk}/").status_code == 404
    assert client.post(f"{one}remove/").status_code == 302
    assert client.get(one).status_code == 404


def test_who_only_looks_is_offered_nothing(cast: Cast, browse: Browse) -> None:
    group, _grant = crew(cast, cast.guest)
    client, one = browse("auditor"), f"{PAGE}{group.pk}/"
    for address in (PAGE, one, f"{one}?out={cast.guest.pk}"):
        page = client.get(address)
        assert page.status_code == 200
        assert '<form method="post" action="/t/acme/members/groups' not in page.content.decode()
    assert client.post(PAGE, {"name": "x"}).status_code == 422
    assert client.post(one, {"deed": "add", "person": "releaser"}).status_code == 422
    assert client.post(f"{one}remove/").status_code == 403
    assert client.post(f"{one}out/{cast.guest.pk}/").status_code == 403
    assert AuditEntry.objects.filter(result="denied", actor_name="auditor").count() == 4


def test_strangers_find_nothing(cast: Cast, browse: Browse, api: Api) -> None:
    group, _grant = crew(cast, cast.guest)
    for name, status in (("outsider", 404), ("developer", 403)):
        assert browse(name).get(PAGE).status_code == status
        assert browse(name).get(f"{PAGE}{group.pk}/").status_code == status
        for address in (G, f"{G}/{group.pk}", f"{G}/{group.pk}/members", f"{G}/{group.pk}/removal"):
            assert api(name).get(address).status_code == status
    theirs = f"/api/v1/tenants/globex/groups/{group.pk}"
    assert api("outsider").get(theirs).status_code == 404
    assert api("outsider").delete(theirs).status_code == 404


def test_a_tenant_of_keystone_says_that_groups_stay_here(cast: Cast, browse: Browse) -> None:
    group = create_group(cast.actor("owner"), cast.acme, name="crew")
    said = "Keystone never hears of them"
    assert said not in browse("owner").get(PAGE).content.decode()
    Tenant.objects.filter(pk=cast.acme.pk).update(source="keystone", external_id="p")
    for address in (PAGE, f"{PAGE}{group.pk}/"):
        assert said in browse("owner").get(address).content.decode()


# on a project's page


@pytest.fixture
def admin(cast: Cast) -> Grant:
    """The guest administers shop, and sees nothing of the tenant's members."""
    return Grant.objects.create(user=cast.guest, role="project.admin", tenant=cast.acme, project=cast.shop)


SHOP = "/t/acme/p/shop/members/"


def test_a_project_admin_gives_a_role_to_a_group_and_ends_it(admin: Grant, cast: Cast, browse: Browse) -> None:
    group = create_group(cast.actor("owner"), cast.acme, name="crew", title="Crew of shop")
    add_to_group(cast.actor("owner"), group, user=cast.auditor)
    client = browse("guest")
    sent = {"group": "crew", "role": "project.developer", "project": "shop", "hours": "4", "reason": "release 15"}
    answer = client.post(SHOP, sent)
    assert (answer.status_code, answer.headers["Location"]) == (302, SHOP)
    grant = Grant.objects.get(group=group)
    assert (grant.project, grant.role, grant.granted_by, grant.user) == (cast.shop, "project.developer", "guest", None)
    entry = AuditEntry.objects.get(action="grant.give", actor_name="guest")
    assert (entry.after["group"], entry.after["role"]) == ("crew", "project.developer")
    page = client.get(SHOP)
    shown = page.content.decode()
    for said in ("crew has the role now.", "Roles of groups in this project", "Crew of shop", "release 15"):
        assert said in shown
    assert f"/members/groups/{group.pk}/" not in shown, "that page is not theirs"
    assert [chip.grant.people for chip in page.context["group_chips"]] == [1]
    ended = client.post(f"/t/acme/members/grants/{grant.pk}/end/")
    assert (ended.status_code, ended.headers["Location"]) == (302, SHOP)
    grant.refresh_from_db()
    assert (grant.ended_by, client.get(SHOP).context["group_chips"]) == ("guest", [])


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "subject"),
        ({"subject": "auditor", "group": "crew"}, "subject"),
        ({"group": "nobody"}, "group"),
        ({"group": "theirs"}, "group"),  # of globex
        ({"group": "crew", "role": "tenant.member", "project": ""}, "role"),
        ({"group": "crew", "hours": "at"}, "ends_at"),
        ({"group": "crew", "role": "own.reader"}, "role"),  # more than they hold
    ],
)
def test_what_is_wrong_with_a_group_stands_beside_its_field(
    sent: dict[str, str], field: str, admin: Grant, cast: Cast, browse: Browse
) -> None:
    create_group(cast.actor("owner"), cast.acme, name="crew")
    create_group(cast.actor("outsider"), cast.globex, name="theirs")
    create_role(cast.actor("owner"), cast.acme, name="reader", level="project", permissions=["audit.view"])
    answer = browse("guest").post(SHOP, {"role": "project.guest", "project": "shop", "hours": "4"} | sent)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Grant.objects.exclude(group=None).exists()


def test_groups_are_proposed_as_far_as_one_sees_them(admin: Grant, cast: Cast, browse: Browse) -> None:
    crew(cast, name="here")
    owner = cast.actor("owner")
    create_group(owner, cast.acme, name="elsewhere")
    create_role(owner, cast.acme, name="looker", level="project", permissions=["project.view", "member.view"])
    give_grant(owner, cast.shop, user=cast.releaser, role="own.looker")
    create_group(cast.actor("outsider"), cast.globex, name="theirs")
    for who, names in (("owner", ["elsewhere", "here"]), ("guest", ["here"]), ("releaser", [])):
        page = browse(who).get(SHOP)
        assert [one.name for one in page.context["proposed"]] == names
        assert [chip.grant.group.name for chip in page.context["group_chips"]] == ["here"]
        assert ("End developer of Here now" in page.content.decode()) == (who != "releaser")
    assert "Or a group" not in browse("owner").get("/t/acme/members/").content.decode(), "there it has pages of its own"


# over HTTP


def test_the_whole_of_it_over_http(cast: Cast, api: Api) -> None:
    client = api("owner")
    made = client.post(G, {"name": "crew", "title": "Crew"}, format="json")
    assert made.status_code == 201
    one = made.headers["Location"]
    assert client.post(f"{one}/members", {"person": "guest"}, format="json").json()["name"] == "guest"
    assert client.post(f"{one}/members", {"person": "guest"}, format="json").status_code == 409
    sent = {"group": "crew", "role": "project.developer", "project": "shop"}
    grant = client.post(f"{A}/grants", sent, format="json").json()
    assert (grant["subject"], grant["group"], grant["role"]) == (None, "crew", "project.developer")
    assert [(row["name"], row["people"], row["roles"]) for row in client.get(G).json()["results"]] == [("crew", 1, 1)]
    assert [row["group"] for row in client.get(one).json()["grants"]] == ["crew"]
    paths = client.get(f"{A}/members/{cast.guest.pk}/why").json()["paths"]
    assert {path["grant"]["group"] for path in paths if path["permission"] == "app.deploy"} == {"crew"}
    held = client.get(f"{A}/members?search=guest").json()["results"][0]["grants"]
    assert [row["group"] for row in held] == [None, "crew"]
    told = client.get(f"{one}/removal?person={cast.guest.pk}").json()
    assert (told["people"], told["losing"]) == (1, 1)
    tag = client.get(one).headers["ETag"]
    assert client.patch(one, {"name": "sailors"}, format="json", HTTP_IF_MATCH=tag).status_code == 200
    assert client.patch(one, {"name": "x"}, format="json", HTTP_IF_MATCH=tag).status_code == 412
    assert [row["name"] for row in client.get(f"{one}/members").json()["results"]] == ["guest"]
    assert client.delete(f"{one}/members/{cast.guest.pk}").status_code == 204
    assert client.delete(f"{one}/members/{cast.guest.pk}").status_code == 404
    assert client.delete(f"{A}/grants/{grant['id']}").status_code == 204
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "subject"),
        ({"subject": "guest", "group": "crew"}, "subject"),
        ({"group": "nobody"}, "group"),
        ({"group": "theirs"}, "group"),
    ],
)
def test_a_role_is_for_one_of_person_and_group(cast: Cast, api: Api, sent: dict[str, str], field: str) -> None:
    crew(cast)
    create_group(cast.actor("outsider"), cast.globex, name="theirs")
    answer = api("owner").post(f"{A}/grants", {"role": "tenant.member"} | sent, format="json")
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]


def test_removal_of_a_person_counts_what_comes_by_groups(cast: Cast, api: Api, browse: Browse) -> None:
    crew(cast, cast.guest)
    told = api("owner").get(f"{A}/members/{cast.guest.pk}/removal").json()
    assert [row["group"] for row in told["grants"]] == [None, "crew"]
    assert ("groups", 1) in [(cut["kind"], cut["count"]) for cut in told["cuts"]]
    page = browse("owner").get(f"/t/acme/members/{cast.guest.pk}/").content.decode()
    assert "end 2 roles" in page
    assert "take them out of 1 group" in page
    here = browse("owner").get(f"/t/acme/p/shop/members/{cast.guest.pk}/").content.decode()
    assert "take them out of" not in here
    assert "A role here comes by a group: crew." in here
    assert "Remove guest" not in here
    assert api("owner").delete(f"{A}/members/{cast.guest.pk}?project=shop").json()["code"] == "by_group"
    assert api("owner").delete(f"{A}/members/{cast.guest.pk}").status_code == 204
    assert not Membership.objects.filter(user=cast.guest, ended_at=None).exists()


def test_people_come_by_groups_into_the_list_in_its_order(cast: Cast, api: Api) -> None:
    group, _grant = crew(cast, cast.guest, cast.auditor)
    Grant.objects.filter(user=cast.guest).update(ended_at=timezone.now())
    listed = api("owner").get(f"{A}/members").json()["results"]
    names = [row["name"] for row in listed]
    assert names == sorted(names)
    assert names.count("auditor") == names.count("guest") == 1
    first = api("owner").get(f"{A}/members?limit=2").json()
    second = api("owner").get(first["next"]).json()
    assert [row["name"] for row in first["results"] + second["results"]] == names[:4]
    assert api("owner").get(f"{A}/members/{cast.guest.pk}").status_code == 200
    take_from_group(cast.actor("owner"), group, user=cast.guest)
    assert api("owner").get(f"{A}/members/{cast.guest.pk}").status_code == 404
    roles = {row["key"]: row["held_by"] for row in api("owner").get(f"{A}/roles").json()["results"]}
    assert roles["project.developer"] == 2  # developer by herself, auditor by the group


def ask(client: Any, moment: Any, **more: str) -> list[tuple[str, str | None, bool]]:
    found = client.get(f"{A}/who-could", {"at": moment.isoformat(), "permission": "app.deploy", **more}).json()
    return [(one["person"], one["grant"]["group"], one["now"]) for one in found["results"] if one["grant"]["group"]]


def test_who_could_do_it_then_is_answered_from_memberships(cast: Cast, api: Api, browse: Browse) -> None:
    """guest was in it from nine to five days ago and came again a day ago; the group's grant is ten days old."""
    now, client = timezone.now(), api("auditor")
    group, grant = crew(cast, cast.guest)
    Grant.objects.filter(pk=grant.pk).update(created_at=now - timedelta(days=10), starts_at=now - timedelta(days=10))
    take_from_group(cast.actor("owner"), group, user=cast.guest)
    Membership.objects.filter(user=cast.guest).update(
        created_at=now - timedelta(days=9), ended_at=now - timedelta(days=5)
    )
    again = add_to_group(cast.actor("owner"), group, user=cast.guest)
    Membership.objects.filter(pk=again.pk).update(created_at=now - timedelta(days=1))
    assert ask(client, now - timedelta(days=9, hours=1)) == []
    assert ask(client, now - timedelta(days=7)) == [("guest", "crew", False)]
    assert ask(client, now - timedelta(days=4)) == []
    assert ask(client, now - timedelta(hours=1)) == [("guest", "crew", True)]
    assert ask(client, now - timedelta(days=7), person="guest") == [("guest", "crew", False)]
    assert ask(client, now - timedelta(days=7), person="developer") == []
    end_grant(cast.actor("owner"), cast.shop, grant=grant)
    client.delete(f"{G}/{group.pk}")
    assert ask(client, now - timedelta(hours=1)) == [("guest", "crew", False)]
    at = timezone.localtime(now - timedelta(days=7)).strftime("%Y-%m-%dT%H:%M")
    assert "by group Crew" in browse("auditor").get(f"/t/acme/members/who-could/?at={at}").content.decode()


def test_a_project_admin_gives_a_role_in_the_project_to_a_group(cast: Cast, api: Api) -> None:
    """And sees who comes by it there, although the groups of the tenant are not theirs to see."""
    group, grant = crew(cast, cast.auditor)
    end_grant(cast.actor("owner"), cast.shop, grant=grant)
    give_grant(cast.actor("owner"), cast.shop, user=cast.guest, role="project.admin")
    sent = {"group": "crew", "role": "project.tester", "project": "shop"}
    assert api("guest").post(f"{A}/grants", sent, format="json").status_code == 201
    found = api("guest").get(f"{A}/members?project=shop&search=auditor").json()["results"]
    assert [row["group"] for row in found[0]["grants"]] == ["crew"]
    assert api("guest").get(f"{G}/{group.pk}").status_code == 403
