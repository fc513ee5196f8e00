"""What somebody kept for others goes to another member in the step that removes them, or stays and says why."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEntry
from core.errors import Conflict, Denied, Invalid, PortalError
from tenants import notices
from tenants.custom.services import create_role
from tenants.handing.kept import Kept, kept
from tenants.handing.leaving import removal
from tenants.members.services import remove_member
from tenants.models import Grant, Notice, Project, Robot, Token, User
from tenants.requests.services import ask
from tenants.reviews.services import start as start_review
from tenants.robots.services import create_robot, create_robot_token, hand_over_robot
from tenants.services import create_project, give_grant
from tests.conftest import Cast, actor_of, person
from tests.tenants.crews import crew

Api = Callable[[str], APIClient]
Browse = Callable[[str], Client]
M = "/api/v1/tenants/acme/members"


@pytest.fixture
def leaver(cast: Cast) -> User:
    """The only admin of billing, who keeps a robot there and one in shop, and decides about shop's requests."""
    found = person("leaver")
    billing = create_project(cast.actor("owner"), cast.acme, name="billing")
    for project in (billing, cast.shop):
        give_grant(cast.actor("owner"), project, user=found, role="project.admin", reason="leads it")
    give_grant(cast.actor("owner"), cast.shop, user=cast.releaser, role="project.admin", reason="beside the leaver")
    create_robot(actor_of(found), cast.shop, name="ci", role="project.developer")
    create_robot(actor_of(found), billing, name="mail", role="project.admin")
    ask(cast.actor("guest"), cast.shop, kind="access", payload={"role": "project.tester", "hours": 2})
    Token.objects.create(found, name="laptop", tenant=cast.acme, project=cast.shop)
    return found


def by_kind(found: list[Kept]) -> dict[str, str]:
    """“kind name” -> why it does not go over."""
    return {f"{one.kind} {one.name}" if one.kind != "request" else "request": one.why_not for one in found}


def test_what_they_keep_is_told_before(leaver: User, cast: Cast) -> None:
    found = by_kind(kept(cast.actor("owner"), cast.acme, leaver))
    assert [name for name, why_not in found.items() if not why_not] == [
        "role project.admin", "robot mail", "robot ci", "request",
    ]  # fmt: skip
    assert "ends" in found["token laptop"]
    billing = Project.objects.get(name="billing")
    assert set(by_kind(kept(cast.actor("owner"), billing, leaver))) == {"role project.admin", "robot mail"}


def test_all_of_it_goes_over_at_once(leaver: User, cast: Cast) -> None:
    """The developer could not keep a robot that administers; the role that comes with it makes it possible."""
    owner, billing = cast.actor("owner"), Project.objects.get(name="billing")
    found = removal(owner, cast.acme, leaver, "developer")
    assert by_kind(found.stays).keys() == {"request", "token laptop"}
    assert "robots" not in {cut.kind for cut in found.cuts}
    assert remove_member(owner, cast.acme, user=leaver, hand_over_to="developer") == 2
    assert not Grant.objects.filter(user=leaver, ended_at=None).exists()
    given = Grant.objects.get(user=cast.developer, project=billing)
    assert (given.role, given.granted_by, given.ends_at) == ("project.admin", "owner", None)
    assert "leaver" in given.reason
    assert set(Robot.objects.values_list("keeper__username", flat=True)) == {"developer"}


def test_the_record_says_what_went_and_what_did_not(leaver: User, cast: Cast) -> None:
    remove_member(cast.actor("owner"), cast.acme, user=leaver, hand_over_to="developer")
    entry = AuditEntry.objects.get(action="member.remove", result="accepted")
    assert entry.after["handed_over"] == ["role billing/project.admin", "robot billing/mail", "robot shop/ci"]
    assert entry.after["handed_over_to"] == "developer"
    request, token = entry.after["not_handed_over"]
    assert (request.partition("/")[0], token) == ("request shop", "token shop/laptop")
    assert len(entry.before["keeps"]) == 5
    robots = AuditEntry.objects.filter(action="robot.hand_over", result="accepted")
    assert [(one.before, one.after) for one in robots] == [({"keeper": "leaver"}, {"keeper": "developer"})] * 2
    assert AuditEntry.objects.filter(action="grant.give", after__person="developer").exists()


def test_the_successor_is_told_once_and_who_did_it_not_at_all(leaver: User, cast: Cast) -> None:
    Grant.objects.create(user=cast.guest, role="tenant.owner", tenant=cast.acme)
    remove_member(cast.actor("owner"), cast.acme, user=leaver, hand_over_to="releaser")
    (notice,) = Notice.objects.filter(kind="member.handed_over")
    assert notice.user == cast.releaser
    said = f"{notices.title_of(notice)} {notices.detail_of(notice)}"
    for word in ("owner", "leaver", "acme", "billing", "mail (billing)", "ci (shop)", "needs you"):
        assert word in said
    assert notice.link == "/requests/"
    told = Notice.objects.filter(kind="robot.taken_over", user__robot=None).values_list("user__username", flat=True)
    assert sorted(set(told)) == ["guest", "leaver"], "who manages there and who kept them; neither of the two who know"


def test_the_notice_leads_to_where_the_successor_may_look(leaver: User, cast: Cast) -> None:
    """Who keeps a robot need not manage members; who got a role by which they do sees them."""
    remove_member(cast.actor("owner"), cast.shop, user=leaver, hand_over_to="developer")
    remove_member(cast.actor("owner"), cast.acme, user=leaver, hand_over_to="developer")
    links = list(Notice.objects.filter(kind="member.handed_over").order_by("id").values_list("link", flat=True))
    assert links == ["/t/acme/p/shop/", "/t/acme/p/billing/members/"]
    client = Client()
    client.force_login(cast.developer)
    assert [client.get(link).status_code for link in links] == [200, 200]


def test_to_oneself_without_a_notice(leaver: User, cast: Cast) -> None:
    remove_member(cast.actor("owner"), cast.acme, user=leaver, hand_over_to="owner")
    assert set(Robot.objects.values_list("keeper__username", flat=True)) == {"owner"}
    assert not Notice.objects.filter(kind="member.handed_over").exists()


def test_a_role_lasts_as_long_as_it_was_given(leaver: User, cast: Cast) -> None:
    ends = timezone.now() + timedelta(days=3)
    Grant.objects.filter(user=leaver, project__name="billing").update(ends_at=ends)
    remove_member(cast.actor("owner"), cast.acme, user=leaver, hand_over_to="guest")
    assert Grant.objects.get(user=cast.guest, project__name="billing").ends_at == ends


def test_without_a_successor_it_is_as_before(leaver: User, cast: Cast) -> None:
    remove_member(cast.actor("owner"), cast.acme, user=leaver)
    assert set(Robot.objects.values_list("keeper__username", flat=True)) == {"leaver"}
    entry = AuditEntry.objects.get(action="member.remove", result="accepted")
    assert (entry.after, set(entry.before)) == (None, {"person", "roles"})


@pytest.mark.parametrize("name", ["outsider", "nobody", "leaver", "robot:acme/shop/ci", "operator"])
@pytest.mark.parametrize("by_page", [False, True])
def test_only_another_member_takes_over(
    name: str, by_page: bool, leaver: User, cast: Cast, api: Api, browse: Browse
) -> None:
    if by_page:
        sent = browse("owner").post(f"/t/acme/members/{leaver.pk}/remove/", {"hand_over_to": name})
        assert sent.status_code == 422
        assert "hand_over_to" in sent.context["form"].errors
    else:
        client = api("owner")
        for answer in (
            client.get(f"{M}/{leaver.pk}/removal?hand_over_to={name}"),
            client.delete(f"{M}/{leaver.pk}?hand_over_to={name}"),
        ):
            (error,) = answer.json()["errors"]
            assert (answer.status_code, error["field"], error["code"]) == (422, "hand_over_to", "no_member")
    assert Grant.objects.filter(user=leaver, ended_at=None).count() == 2
    assert AuditEntry.objects.filter(action="member.remove", result="refused").count() == 1


def test_a_disabled_member_takes_over_nothing(leaver: User, cast: Cast) -> None:
    User.objects.filter(pk=cast.developer.pk).update(is_active=False)
    with pytest.raises(Invalid):
        remove_member(cast.actor("owner"), cast.acme, user=leaver, hand_over_to="developer")
    assert Grant.objects.filter(user=leaver, ended_at=None).count() == 2


def test_nobody_hands_over_more_than_they_hold(leaver: User, cast: Cast) -> None:
    """A tenant admin ends roles no wider than their own; what the robot may can be more all the same."""
    admin = person("admin")
    for user in (admin, leaver):
        Grant.objects.create(user=user, role="tenant.admin", tenant=cast.acme)
    Grant.objects.filter(user=leaver, role="project.admin").update(ended_at=Now())
    found = by_kind(kept(actor_of(admin), cast.acme, leaver, cast.owner))
    assert "You lack there: delete apps" in found["robot mail"]
    assert "You lack there: " in found["robot ci"]
    remove_member(actor_of(admin), cast.acme, user=leaver, hand_over_to="owner")
    assert set(Robot.objects.values_list("keeper__username", flat=True)) == {"leaver"}
    with pytest.raises(Denied):
        hand_over_robot(actor_of(admin), Robot.objects.get(name="ci"), to=cast.owner)


def test_a_successor_who_holds_less_keeps_no_robot(leaver: User, cast: Cast) -> None:
    found = by_kind(kept(cast.actor("owner"), cast.acme, leaver, cast.auditor))
    assert "auditor lacks there: " in found["robot ci"]
    assert found["robot mail"] == "", "by the role of an admin that they get"
    remove_member(cast.actor("owner"), cast.acme, user=leaver, hand_over_to="auditor")
    assert Robot.objects.get(name="ci").keeper == leaver
    assert Robot.objects.get(name="mail").keeper == cast.auditor
    with pytest.raises(Denied):
        hand_over_robot(cast.actor("owner"), Robot.objects.get(name="ci"), to=cast.auditor)


@pytest.mark.parametrize("who", ["developer", "guest", "releaser", "auditor", "outsider"])
def test_who_may_not_remove_hands_over_nothing(who: str, leaver: User, cast: Cast, api: Api) -> None:
    answer = api(who).delete(f"{M}/{leaver.pk}?hand_over_to={who}")
    assert answer.status_code in (403, 404)
    assert not Robot.objects.exclude(keeper=leaver).exists()
    assert not Grant.objects.filter(project__name="billing").exclude(user=leaver).filter(user__robot=None).exists()
    looked = api(who).get(f"{M}/{leaver.pk}/removal")
    assert looked.status_code in (403, 404) or looked.json()["keeps"] == []


def test_a_project_admin_hands_over_in_their_project_only(leaver: User, cast: Cast, api: Api) -> None:
    """They see the members of the project: nobody of elsewhere can be named, and nothing of elsewhere moves."""
    client = api("releaser")
    assert client.get(f"{M}/{leaver.pk}/removal?project=shop&hand_over_to=auditor").status_code == 422
    seen = client.get(f"{M}/{leaver.pk}/removal?project=shop&hand_over_to=releaser").json()
    assert {(one["kind"], one["goes_over"]) for one in seen["keeps"]} == {
        ("robot", True), ("request", True), ("token", False),
    }  # fmt: skip
    assert client.delete(f"{M}/{leaver.pk}?project=shop&hand_over_to=releaser").status_code == 204
    assert Robot.objects.get(name="ci").keeper == cast.releaser
    assert Robot.objects.get(name="mail").keeper == leaver
    assert Grant.objects.get(user=leaver, ended_at=None).project == Project.objects.get(name="billing")


def test_the_last_owner_stays_and_nothing_is_handed_over(leaver: User, cast: Cast) -> None:
    robot = create_robot(cast.actor("owner"), cast.shop, name="own", role="project.developer")
    found = by_kind(kept(cast.actor("owner"), cast.acme, cast.owner, leaver))
    assert "somebody else an owner first" in found["owner tenant.owner"]
    with pytest.raises(Conflict) as last:
        remove_member(cast.actor("owner"), cast.acme, user=cast.owner, hand_over_to="leaver")
    assert last.value.code == "last_owner"
    robot.refresh_from_db()
    assert robot.keeper == cast.owner
    assert not Notice.objects.filter(kind__in=("member.handed_over", "robot.taken_over")).exists()
    assert not AuditEntry.objects.filter(action="robot.hand_over").exists(), "undone with all the rest"


def test_of_two_owners_one_hands_over_and_goes(leaver: User, cast: Cast) -> None:
    Grant.objects.create(user=leaver, role="tenant.owner", tenant=cast.acme)
    create_robot(cast.actor("owner"), cast.shop, name="own", role="project.developer")
    remove_member(cast.actor("owner"), cast.acme, user=cast.owner, hand_over_to="leaver")
    assert set(Robot.objects.values_list("keeper__username", flat=True)) == {"leaver"}


@pytest.mark.parametrize("state", ["suspended", "archived"])
def test_what_is_closed_stays_as_it_is(state: str, leaver: User, cast: Cast) -> None:
    Project.objects.filter(name="billing").update(state=state)
    found = by_kind(kept(cast.actor("owner"), cast.acme, leaver, cast.developer))
    assert state in found["robot mail"]
    assert state in found["role project.admin"]
    remove_member(cast.actor("owner"), cast.acme, user=leaver, hand_over_to="developer")
    assert Robot.objects.get(name="mail").keeper == leaver
    assert Robot.objects.get(name="ci").keeper == cast.developer


def test_by_a_group_and_by_a_role_of_the_tenants_own_one_is_an_admin_too(cast: Cast) -> None:
    create_role(cast.actor("owner"), cast.acme, name="lead", level="project",
                permissions=["project.view", "member.view", "member.manage"])  # fmt: skip
    _group, grant = crew(cast, cast.developer, role="own.lead")
    (found,) = kept(cast.actor("owner"), cast.acme, cast.developer)
    assert (found.kind, found.name, found.project) == ("role", "own.lead", "shop")
    create_robot(cast.actor("owner"), cast.shop, name="boss", role="project.admin")
    assert len(kept(cast.actor("owner"), cast.acme, cast.developer)) == 1, "a robot looks after nobody"
    remove_member(cast.actor("owner"), cast.acme, user=cast.developer, hand_over_to="guest")
    given = Grant.objects.get(user=cast.guest, role="own.lead", ended_at=None)
    assert given.custom_id == grant.custom_id
    give_grant(cast.actor("owner"), cast.shop, user=cast.releaser, role="project.admin")
    assert kept(cast.actor("owner"), cast.acme, cast.guest) == []


def test_a_role_that_is_to_come_stands_in_the_way(leaver: User, cast: Cast) -> None:
    later = timezone.now() + timedelta(days=1)
    give_grant(cast.actor("owner"), Project.objects.get(name="billing"), user=cast.guest, role="project.admin",
               starts_at=later)  # fmt: skip
    found = by_kind(kept(cast.actor("owner"), cast.acme, leaver, cast.guest))
    assert "already" in found["role project.admin"]
    remove_member(cast.actor("owner"), cast.acme, user=leaver, hand_over_to="guest")
    assert Grant.objects.filter(user=cast.guest, role="project.admin").count() == 1


def test_what_waits_for_an_answer(leaver: User, cast: Cast) -> None:
    """Requests go to who may decide them and did not ask; roles of a review to who may answer for them."""
    owner = cast.actor("owner")
    start_review(owner, cast.acme, name="autumn", ends_at=timezone.now() + timedelta(days=7))
    by_who = {who: by_kind(kept(owner, cast.acme, leaver, getattr(cast, who))) for who in ("owner", "guest", "auditor")}
    assert by_who["owner"]["request"] == by_who["owner"]["review autumn"] == ""
    assert "Nobody decides what they asked for" in by_who["guest"]["request"]
    assert "auditor may not decide it" in by_who["auditor"]["request"]
    lines = [one for one in kept(owner, cast.acme, leaver, cast.guest) if one.kind == "review"]
    assert {bool(one.why_not) for one in lines} == {True, False}, "in billing by the role that they get, in shop not"


def test_who_takes_a_robot_over_meanwhile_keeps_it(leaver: User, cast: Cast) -> None:
    robot = Robot.objects.select_related("keeper", "project__tenant").get(name="ci")
    Robot.objects.filter(pk=robot.pk).update(keeper=cast.releaser)
    with pytest.raises(PortalError) as meanwhile:
        hand_over_robot(cast.actor("owner"), robot, to=cast.owner)
    assert meanwhile.value.code == "changed_meanwhile"
    assert Robot.objects.get(name="ci").keeper == cast.releaser


def test_its_programs_go_on(leaver: User, cast: Cast, api: Api) -> None:
    robot = Robot.objects.select_related("user", "project__tenant").get(name="ci")
    _token, secret = create_robot_token(cast.actor("owner"), robot, name="pipeline")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret.reveal()}")
    assert api("owner").delete(f"{M}/{leaver.pk}?hand_over_to=developer").status_code == 204
    assert client.get("/api/v1/tenants/acme/projects/shop").status_code == 200
    assert api("owner").get(f"{M}/{leaver.pk}").status_code == 404


def test_over_http(leaver: User, cast: Cast, api: Api) -> None:
    client = api("owner")
    unnamed: dict[str, Any] = client.get(f"{M}/{leaver.pk}/removal").json()
    assert {one["goes_over"] for one in unnamed["keeps"]} == {None, False}
    named = client.get(f"{M}/{leaver.pk}/removal?hand_over_to=releaser").json()
    assert {one["name"] for one in named["keeps"] if one["goes_over"] is False} == {"laptop"}
    assert "robots" in {cut["kind"] for cut in unnamed["cuts"]}
    assert "robots" not in {cut["kind"] for cut in named["cuts"]}
    assert client.get(f"{M}/{leaver.pk}/removal?to=releaser").status_code == 400


def test_on_the_page(leaver: User, cast: Cast, browse: Browse) -> None:
    client, page = browse("owner"), f"/t/acme/members/{leaver.pk}/"
    shown = client.get(page).content.decode()
    for said in (
        "the robot ci in shop",
        "in billing, with which nobody else gives roles there",
        "Hand over to",
        '<option value="releaser"',
    ):
        assert said in shown
    asked = client.get(f"{page}?hand_over_to=auditor").content.decode()
    for said in ("auditor takes over", "Remove leaver, hand over to auditor", "auditor lacks there"):
        assert said in asked
    wrong = client.get(f"{page}?hand_over_to=outsider")
    assert "hand_over_to" in wrong.context["form"].errors
    assert client.post(f"{page}remove/", {"hand_over_to": "releaser"}).status_code == 302
    assert set(Robot.objects.values_list("keeper__username", flat=True)) == {"releaser"}
    assert "Hand over to" not in client.get(f"/t/acme/members/{cast.guest.pk}/").content.decode(), "they keep nothing"
