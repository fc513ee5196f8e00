"""Two at the very same moment, each in a transaction of their own."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from django.db import connection

from audit.models import AuditEntry
from core.access import Actor
from core.errors import PortalError
from tenants.groups.models import Membership
from tenants.groups.services import add_to_group, create_group, remove_group, take_from_group
from tenants.invitations import services as invitations
from tenants.members.services import remove_member
from tenants.models import Grant, Invitation, Request, Robot, Token, User
from tenants.requests import services as requests
from tenants.robots.services import create_robot, remove_robot, take_over_robot
from tenants.services import create_token, give_grant, revoke_token
from tests.conftest import Cast, actor_of, person
from tests.tenants.crews import crew

IN_MEMORY = "SQLite in memory is one connection: nothing happens there at once"
pytestmark = [
    pytest.mark.skipif(connection.vendor == "sqlite", reason=IN_MEMORY),
    pytest.mark.django_db(transaction=True),
]


def at_once(*acts: object) -> list[str]:
    """What became of each: "done", or the code of the error."""
    barrier = Barrier(len(acts))

    def run(act: object) -> str:
        barrier.wait(10)
        try:
            act()
        except PortalError as error:
            return error.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(acts)) as threads:
        return sorted(threads.map(run, acts))


def test_of_two_admins_who_remove_each_other_one_wins(cast: Cast) -> None:
    first, second = person("first"), person("second")
    for user in (first, second):
        Grant.objects.create(user=user, role="tenant.admin", tenant=cast.acme)

    def removing(actor: Actor, user: User) -> object:
        return lambda: remove_member(actor, cast.acme, user=user)

    assert at_once(removing(actor_of(first), second), removing(actor_of(second), first)) == ["denied", "done"]
    assert Grant.objects.filter(role="tenant.admin", tenant=cast.acme, ended_at=None).count() == 1


def test_of_two_owners_one_stays(cast: Cast) -> None:
    second = person("second")
    Grant.objects.create(user=second, role="tenant.owner", tenant=cast.acme)
    one, two = cast.actor("owner"), actor_of(second)
    said = at_once(
        lambda: remove_member(one, cast.acme, user=second), lambda: remove_member(two, cast.acme, user=cast.owner)
    )
    assert said == ["denied", "done"]
    assert Grant.objects.filter(role="tenant.owner", tenant=cast.acme, ended_at=None).count() == 1


def leaving(cast: Cast) -> User:
    """A project admin who keeps a robot of shop."""
    found = person("leaver")
    Grant.objects.create(user=found, role="project.admin", tenant=cast.acme, project=cast.shop)
    create_robot(actor_of(found), cast.shop, name="ci", role="project.developer")
    return found


def test_of_two_who_remove_somebody_one_hands_over(cast: Cast) -> None:
    """Each to another member: what was kept is handed over once, and nobody gets a part of it."""
    leaver, second = leaving(cast), person("second")
    Grant.objects.create(user=second, role="tenant.owner", tenant=cast.acme)
    one, two = cast.actor("owner"), actor_of(second)
    said = at_once(
        lambda: remove_member(one, cast.acme, user=leaver, hand_over_to="developer"),
        lambda: remove_member(two, cast.acme, user=leaver, hand_over_to="releaser"),
    )
    assert said == ["done", "done"]
    new = Grant.objects.get(role="project.admin", project=cast.shop, ended_at=None).user
    assert new in (cast.developer, cast.releaser)
    assert Robot.objects.get(name="ci").keeper == new
    assert AuditEntry.objects.filter(action="robot.hand_over").count() == 1


def test_nothing_goes_to_somebody_who_is_removed_at_this_moment(cast: Cast) -> None:
    """Whoever is first: it goes over to a member, or is refused because they are none any more."""
    leaver, second = leaving(cast), person("second")
    Grant.objects.create(user=second, role="tenant.owner", tenant=cast.acme)
    one, two = cast.actor("owner"), actor_of(second)
    said = at_once(
        lambda: remove_member(one, cast.acme, user=leaver, hand_over_to="developer"),
        lambda: remove_member(two, cast.acme, user=cast.developer),
    )
    assert not Grant.objects.filter(user=cast.developer, ended_at=None).exists()
    order = AuditEntry.objects.filter(action="member.remove", result="accepted").order_by("id")
    if said == ["done", "done"]:
        assert [entry.before["person"] for entry in order] == ["leaver", "developer"]
        assert Robot.objects.get(name="ci").keeper == cast.developer
    else:
        assert said == ["done", "invalid"]
        assert Grant.objects.filter(user=leaver, ended_at=None).exists()
        assert Robot.objects.get(name="ci").keeper == leaver


def test_a_robot_taken_over_at_this_moment_has_one_keeper(cast: Cast) -> None:
    leaver = leaving(cast)
    Grant.objects.create(user=cast.releaser, role="project.admin", tenant=cast.acme, project=cast.shop)
    robot = Robot.objects.select_related("keeper", "project__tenant").get(name="ci")
    one, two = cast.actor("owner"), cast.actor("releaser")
    said = at_once(
        lambda: remove_member(one, cast.acme, user=leaver, hand_over_to="owner"), lambda: take_over_robot(two, robot)
    )
    assert said == ["done", "done"]
    assert Robot.objects.get(name="ci").keeper == cast.releaser, "who took it over keeps it, first or second"
    assert not Grant.objects.filter(user=leaver, ended_at=None).exists()


def test_two_robots_are_made_at_once(cast: Cast) -> None:
    one, two = cast.actor("owner"), cast.actor("owner")
    said = at_once(
        lambda: create_robot(one, cast.shop, name="ci", role="project.developer"),
        lambda: create_robot(two, cast.shop, name="mail", role="project.developer"),
    )
    assert said == ["done", "done"]
    assert Robot.objects.filter(keeper=cast.owner).count() == 2


def test_a_robot_removed_at_this_moment_is_nobodys(cast: Cast) -> None:
    leaver = leaving(cast)
    robot = Robot.objects.select_related("user", "keeper", "project__tenant").get(name="ci")
    one, two = cast.actor("owner"), cast.actor("owner")
    said = at_once(
        lambda: remove_member(one, cast.acme, user=leaver, hand_over_to="owner"), lambda: remove_robot(two, robot)
    )
    assert said == ["done", "done"]
    assert not Robot.objects.filter(removed_at=None).exists()
    assert not Grant.objects.filter(user__in=(leaver, robot.user), ended_at=None).exists()


def test_of_two_who_take_each_other_out_of_what_makes_them_admins_one_wins(cast: Cast) -> None:
    first, second = person("first"), person("second")
    for user in (first, second):
        Grant.objects.create(user=user, role="tenant.member", tenant=cast.acme)
    group, _grant = crew(cast, first, second, role="tenant.admin")
    one, two = actor_of(first), actor_of(second)
    said = at_once(lambda: take_from_group(one, group, user=second), lambda: take_from_group(two, group, user=first))
    assert said == ["denied", "done"]
    assert Membership.objects.filter(group=group, ended_at=None).count() == 1


def test_nobody_slips_into_a_group_that_gets_more_at_this_moment(cast: Cast) -> None:
    """An admin adds while the owner gives the group a role that the admin lacks: whoever is second sees the first."""
    admin = person("admin")
    Grant.objects.create(user=admin, role="tenant.admin", tenant=cast.acme)
    group = create_group(cast.actor("owner"), cast.acme, name="crew")
    one, two = actor_of(admin), cast.actor("owner")
    said = at_once(
        lambda: add_to_group(one, group, user=admin),
        lambda: give_grant(two, cast.shop, group=group, role="project.developer"),
    )
    entries = AuditEntry.objects.filter(action__in=("group.add", "grant.give"), result="accepted")
    order = [entry.action for entry in entries.order_by("id")]
    assert (said, order[:1]) in ((["denied", "done"], ["grant.give"]), (["done", "done"], ["group.add"]))


def test_of_two_who_add_the_same_person_one_is_told(cast: Cast) -> None:
    group, _grant = crew(cast)
    one, two = cast.actor("owner"), cast.actor("owner")
    said = at_once(lambda: add_to_group(one, group, user=cast.guest), lambda: add_to_group(two, group, user=cast.guest))
    assert said == ["done", "name_taken"]
    assert Membership.objects.filter(group=group, user=cast.guest).count() == 1


def test_nobody_comes_into_a_group_that_goes(cast: Cast) -> None:
    group, _grant = crew(cast)
    one, two = cast.actor("owner"), cast.actor("owner")
    said = at_once(lambda: remove_group(one, group), lambda: add_to_group(two, group, user=cast.guest))
    assert said in (["done", "done"], ["done", "not_found"])
    assert not Membership.objects.filter(group=group, ended_at=None).exists()


def test_no_token_is_made_with_one_that_ends_at_this_moment(cast: Cast) -> None:
    """Whoever is second: it is refused, or it ends too. Either way nothing is left of it."""
    used, _text = Token.objects.create(cast.owner, name="used")
    by_it = replace(cast.actor("owner"), kind="token", token=used.id)
    said = at_once(
        lambda: create_token(by_it, cast.owner, name="made"),
        lambda: revoke_token(cast.actor("owner"), cast.owner, token=used),
    )
    assert said in (["done", "done"], ["done", "not_signed_in"])
    assert not Token.objects.exists()


def test_a_request_is_decided_once(cast: Cast) -> None:
    Grant.objects.create(user=cast.guest, role="project.admin", tenant=cast.acme, project=cast.shop)
    payload = {"role": "project.console", "hours": 1}
    request = requests.ask(cast.actor("developer"), cast.shop, kind="access", payload=payload)
    one, two = cast.actor("owner"), cast.actor("guest")
    said = at_once(lambda: requests.approve(one, request), lambda: requests.reject(two, request))
    assert said == ["done", "not_open"]
    assert Request.objects.get().state in {"approved", "rejected"}
    assert Grant.objects.filter(request=request).count() == (1 if Request.objects.get().state == "approved" else 0)


def test_an_invitation_is_used_once(cast: Cast) -> None:
    row, _secret = invitations.invite(cast.actor("owner"), cast.acme, person="x", role="tenant.member")
    one, two = cast.actor("outsider"), cast.actor("operator")
    said = at_once(lambda: invitations.accept(one, row), lambda: invitations.accept(two, row))
    assert said == ["done", "not_open"]
    assert Invitation.objects.get().accepted_by is not None
    assert Grant.objects.filter(role="tenant.member", tenant=cast.acme).count() == 1
