"""Groups: a role given to one is held by everybody in it, as long as they are in it, and by nobody else."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.models import AppEnvironment
from apps.services import deploy
from apps.specification import from_image
from audit.models import AuditEntry
from core.access import Actor, grants_behind
from core.errors import Changed, Conflict, Denied, Invalid, NotFound
from operations.models import Change, Operation
from tenants.ending import tell_of_ending_grants
from tenants.groups.losing import losing
from tenants.groups.models import Group, Membership
from tenants.groups.services import add_to_group, create_group, remove_group, take_from_group, update_group
from tenants.identity import outgoing
from tenants.identity.settling import settle
from tenants.members.services import remove_member
from tenants.models import Grant, KeystoneWrite, Notice, RoleMapping, Tenant, User
from tenants.presence import Comer, actors_again
from tenants.requests import services as requests
from tenants.requests.telling import holders
from tenants.rights import rights_of
from tenants.services import end_grant, give_grant
from tests.conftest import Cast, Wakeups, actor_of, person
from tests.tenants.crews import crew


def codes(user: User, cast: Cast) -> frozenset[str]:
    return rights_of(user).projects.get(cast.shop.pk, frozenset())


def test_everybody_in_it_holds_its_roles_and_nobody_else(cast: Cast) -> None:
    group, grant = crew(cast, cast.guest, cast.auditor)
    for user in (cast.guest, cast.auditor):
        assert "app.deploy" in codes(user, cast)
    assert "app.deploy" not in codes(cast.releaser, cast) - codes(cast.guest, cast)
    assert not codes(cast.outsider, cast)
    take_from_group(cast.actor("owner"), group, user=cast.guest)
    assert "app.deploy" not in codes(cast.guest, cast)
    assert "app.deploy" in codes(cast.auditor, cast)
    end_grant(cast.actor("owner"), cast.shop, grant=grant)
    assert not codes(cast.auditor, cast)


def test_rights_are_one_query_however_many_groups(cast: Cast) -> None:
    for name in ("one", "two", "three"):
        crew(cast, cast.guest, name=name)
    with CaptureQueriesContext(connection) as queries:
        rights = rights_of(cast.guest)
    assert len(queries) == 1
    assert "app.deploy" in rights.projects[cast.shop.pk]


def test_what_sockets_ask_again_is_the_same(cast: Cast) -> None:
    crew(cast, cast.guest, cast.auditor)
    comers: list[Comer] = []
    for user in (cast.guest, cast.auditor, cast.developer):
        client = Client()
        client.force_login(user)
        comers.append((Actor(user.pk, user.username, session=str(client.session.session_key)), None))
    for again, user in zip(actors_again(comers), (cast.guest, cast.auditor, cast.developer), strict=True):
        assert again is not None
        assert again.rights == rights_of(user)


def test_a_role_that_ends_or_has_not_begun_counts_for_nobody(cast: Cast) -> None:
    _group, grant = crew(cast, cast.auditor)
    now = timezone.now()
    for change in ({"ends_at": now - timedelta(hours=1)}, {"starts_at": now + timedelta(hours=1), "ends_at": None}):
        Grant.objects.filter(pk=grant.pk).update(**change)
        assert not codes(cast.auditor, cast)


def test_entries_name_the_grant_of_the_group(cast: Cast) -> None:
    _group, grant = crew(cast, cast.auditor)
    assert grants_behind(cast.actor("auditor"), ("app.deploy",), cast.shop) == [str(grant.pk)]


# who may do what with a group


def test_nobody_adds_to_a_group_with_more_than_they_hold(cast: Cast) -> None:
    """An admin manages people, but opens no console: nor lets anybody in by a group that does."""
    admin = person("admin")
    Grant.objects.create(user=admin, role="tenant.admin", tenant=cast.acme)
    group, grant = crew(cast, cast.auditor)
    for act in (
        lambda: add_to_group(actor_of(admin), group, user=admin),
        lambda: take_from_group(actor_of(admin), group, user=cast.auditor),
        lambda: remove_group(actor_of(admin), group),
    ):
        with pytest.raises(Denied) as denied:
            act()
        assert "app.deploy" in str(denied.value.message)
    end_grant(cast.actor("owner"), cast.shop, grant=grant)
    add_to_group(actor_of(admin), group, user=cast.guest)
    entry = AuditEntry.objects.filter(action="group.add", result="denied").get()
    assert entry.actor_name == "admin"


def test_a_role_that_begins_later_counts_for_who_adds(cast: Cast) -> None:
    admin = person("admin")
    Grant.objects.create(user=admin, role="tenant.admin", tenant=cast.acme)
    group, grant = crew(cast)
    Grant.objects.filter(pk=grant.pk).update(starts_at=timezone.now() + timedelta(days=1))
    with pytest.raises(Denied):
        add_to_group(actor_of(admin), group, user=admin)


def test_an_owner_is_a_person(cast: Cast) -> None:
    group, _grant = crew(cast, cast.guest)
    with pytest.raises(Invalid) as refused:
        give_grant(cast.actor("owner"), cast.acme, group=group, role="tenant.owner")
    assert refused.value.errors[0].code == "not_for_groups"
    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.create(group=group, role="tenant.owner", tenant=cast.acme)
    crew(cast, cast.guest, name="admins", role="tenant.admin")
    with pytest.raises(Conflict) as last:
        remove_member(cast.actor("owner"), cast.acme, user=cast.owner)
    assert last.value.code == "last_owner"


@pytest.mark.parametrize("both", [True, False])
def test_the_database_holds_one_of_person_and_group(cast: Cast, both: bool) -> None:
    group, _grant = crew(cast)
    holder = {"user": cast.guest, "group": group} if both else {}
    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.create(**holder, role="tenant.member", tenant=cast.acme)
    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.create(group=group, role="platform.operator")


def test_the_same_role_only_once(cast: Cast) -> None:
    group, _grant = crew(cast)
    with pytest.raises(Conflict) as twice:
        give_grant(cast.actor("owner"), cast.shop, group=group, role="project.developer")
    assert twice.value.code == "name_taken"
    give_grant(cast.actor("owner"), cast.acme, group=group, role="tenant.member")
    with pytest.raises(Conflict):
        give_grant(cast.actor("owner"), cast.acme, group=group, role="tenant.member")


def test_only_members_of_the_tenant_come_in(cast: Cast) -> None:
    group, _grant = crew(cast)
    with pytest.raises(Invalid) as stranger:
        add_to_group(cast.actor("owner"), group, user=cast.outsider)
    assert stranger.value.errors[0].field == "person"
    add_to_group(cast.actor("owner"), group, user=cast.guest)
    with pytest.raises(Conflict):
        add_to_group(cast.actor("owner"), group, user=cast.guest)


def test_a_group_of_another_tenant_gets_nothing_here(cast: Cast) -> None:
    theirs = create_group(cast.actor("outsider"), cast.globex, name="theirs")
    with pytest.raises(Invalid):
        give_grant(cast.actor("owner"), cast.shop, group=theirs, role="project.guest")
    with pytest.raises(Denied):
        add_to_group(cast.actor("owner"), theirs, user=cast.guest)


def test_names(cast: Cast) -> None:
    group, _grant = crew(cast)
    create_group(cast.actor("outsider"), cast.globex, name="crew")  # another tenant's
    with pytest.raises(Conflict):
        create_group(cast.actor("owner"), cast.acme, name="crew")
    with pytest.raises(Invalid):
        create_group(cast.actor("owner"), cast.acme, name="No Label")
    create_group(cast.actor("owner"), cast.acme, name="other")
    with pytest.raises(Conflict):
        update_group(cast.actor("owner"), group, name="other")
    update_group(cast.actor("owner"), group, name="sailors", title="Sailors")
    entry = AuditEntry.objects.get(action="group.update", result="accepted")
    assert (entry.before["name"], entry.after["name"]) == ("crew", "sailors")
    stale = Group.objects.get(pk=group.pk)
    update_group(cast.actor("owner"), group, title="All")
    with pytest.raises(Changed):
        update_group(cast.actor("owner"), stale, title="None", version=stale.version)
    with pytest.raises(Changed):
        update_group(cast.actor("owner"), stale, title="None")


def test_removed_its_roles_end_its_name_is_free_and_the_audit_says_what_was(cast: Cast) -> None:
    group, grant = crew(cast, cast.guest, cast.auditor)
    remove_group(cast.actor("owner"), group)
    assert not codes(cast.auditor, cast)
    entry = AuditEntry.objects.get(action="group.remove", result="accepted")
    assert (entry.before["people"], entry.before["roles"]) == (["auditor", "guest"], ["project.developer"])
    assert entry.detail["ended"] == [str(grant.pk)]
    assert Membership.objects.filter(group=group, ended_by="owner").count() == 2
    for act in (
        lambda: add_to_group(cast.actor("owner"), group, user=cast.guest),
        lambda: take_from_group(cast.actor("owner"), group, user=cast.guest),
        lambda: remove_group(cast.actor("owner"), group),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(Invalid):
        give_grant(cast.actor("owner"), cast.shop, group=group, role="project.guest")
    create_group(cast.actor("owner"), cast.acme, name="crew")


# what ends


def told(user: User) -> int:
    return Change.objects.filter(kind="person", person_id=user.pk).count()


def test_each_change_names_everybody_it_concerns(cast: Cast) -> None:
    owner = cast.actor("owner")
    group, grant = crew(cast, cast.guest, cast.auditor)
    for act, concerned in (
        (lambda: end_grant(owner, cast.shop, grant=grant), (cast.guest, cast.auditor)),
        (lambda: give_grant(owner, cast.shop, group=group, role="project.guest"), (cast.guest, cast.auditor)),
        (lambda: take_from_group(owner, group, user=cast.guest), (cast.guest,)),
        (lambda: remove_group(owner, group), (cast.auditor,)),
    ):
        before = {user.pk: told(user) for user in (cast.guest, cast.auditor)}
        act()
        moved = {user.pk for user in (cast.guest, cast.auditor) if told(user) > before[user.pk]}
        assert moved == {user.pk for user in concerned}


@pytest.mark.parametrize("deed", ["take", "remove", "end"])
def test_an_operation_that_waits_is_cancelled_with_the_right(
    cast: Cast, place: AppEnvironment, wakeups: Wakeups, django_capture_on_commit_callbacks: Any, deed: str
) -> None:
    group, grant = crew(cast, cast.auditor)
    with django_capture_on_commit_callbacks(execute=True):
        deploy(cast.actor("auditor"), place, spec=from_image("berth/hello:1", name="web", instances=1, ports=[8080]))
    owner = cast.actor("owner")
    if deed == "take":
        take_from_group(owner, group, user=cast.auditor)
    elif deed == "remove":
        remove_group(owner, group)
    else:
        end_grant(owner, cast.shop, grant=grant)
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    assert Operation.objects.get(requested_by=cast.auditor.pk).state == "cancelled"


def test_before_it_is_done_it_says_what_ends(cast: Cast, place: AppEnvironment, wakeups: Wakeups) -> None:
    """Developer holds the same role without the group, so that nothing of theirs would end."""
    group, _grant = crew(cast, cast.auditor, cast.developer)
    deploy(cast.actor("auditor"), place, spec=from_image("berth/hello:1", name="web", instances=1, ports=[8080]))
    found = losing(group)
    assert (found.people, found.losing) == (2, 1)
    assert [(name, cut.kind, cut.count) for name, cut in found.cuts] == [("acme/shop", "operations", 1)]
    assert losing(group, [cast.developer.pk]).cuts == []
    crew(cast, cast.auditor, name="second")
    assert losing(group).losing == 0


def test_removing_a_person_takes_them_out_of_its_groups(cast: Cast) -> None:
    group, _grant = crew(cast, cast.guest)
    assert remove_member(cast.actor("owner"), cast.acme, user=cast.guest) == 2
    assert not rights_of(cast.guest).tenants
    row = Membership.objects.get(user=cast.guest)
    assert (row.group, row.ended_by) == (group, "owner")


def test_in_a_project_the_group_is_named_that_keeps_somebody(cast: Cast) -> None:
    crew(cast, cast.guest)
    with pytest.raises(Conflict) as kept:
        remove_member(cast.actor("owner"), cast.shop, user=cast.guest)
    assert kept.value.code == "by_group"
    assert "crew" in str(kept.value.message)
    assert Grant.objects.filter(user=cast.guest, ended_at=None).exists()


# who is told


def test_people_hear_that_they_are_in_or_out_and_that_a_role_ends(cast: Cast) -> None:
    group, grant = crew(cast, cast.guest)
    Grant.objects.filter(pk=grant.pk).update(ends_at=timezone.now() + timedelta(hours=3))
    assert tell_of_ending_grants() == 1
    add_to_group(cast.actor("owner"), group, user=cast.auditor)
    assert tell_of_ending_grants() == 1  # who came later hears it too
    assert tell_of_ending_grants() == 0
    take_from_group(cast.actor("owner"), group, user=cast.guest)
    kinds = Notice.objects.filter(user=cast.guest).order_by("created_at", "id").values_list("kind", flat=True)
    assert list(kinds) == ["group.joined", "grant.ends", "group.left"]


def test_deciders_come_by_groups_too(cast: Cast) -> None:
    crew(cast, cast.releaser, role="tenant.admin")
    assert cast.releaser.pk in holders("member.manage", tenant=cast.acme.pk, project=cast.shop.pk)
    assert cast.guest.pk not in holders("member.manage", tenant=cast.acme.pk, project=cast.shop.pk)


def test_what_one_holds_by_a_group_is_not_asked_for(cast: Cast) -> None:
    crew(cast, cast.guest, role="project.tester")
    with pytest.raises(Conflict) as held:
        requests.ask(cast.actor("guest"), cast.shop, kind="join", payload={"role": "project.tester"})
    assert held.value.code == "held_already"


# Keystone


def test_keystone_never_hears_of_a_group(cast: Cast, settings: Any) -> None:
    settings.KEYSTONE = settings.KEYSTONE | {"url": "http://127.0.0.1:1/v3"}
    Tenant.objects.filter(pk=cast.acme.pk).update(source="keystone", external_id="p")
    User.objects.filter(pk=cast.guest.pk).update(source="keystone", external_id="u")
    RoleMapping.objects.filter(place="project", role="tenant.member").update(external_id="r")
    own = give_grant(cast.actor("owner"), cast.acme, user=User.objects.get(pk=cast.guest.pk), role="tenant.member")
    assert KeystoneWrite.objects.get().role == "tenant.member"  # to a person it goes out
    KeystoneWrite.objects.all().delete()
    end_grant(cast.actor("owner"), cast.acme, grant=own)
    KeystoneWrite.objects.all().delete()
    cast.acme.refresh_from_db()
    _group, grant = crew(cast, cast.guest, role="tenant.member")
    assert (grant.source, outgoing.role_for(grant)) == ("local", "")
    end_grant(cast.actor("owner"), cast.acme, grant=grant)
    assert not KeystoneWrite.objects.exists()


def test_whom_keystone_takes_out_of_a_tenant_goes_out_of_its_groups(cast: Cast) -> None:
    """A group of Berth keeps nobody in whom Keystone has put out; who has a role of their own left stays."""
    for user in (cast.guest, cast.auditor):
        User.objects.filter(pk=user.pk).update(source="keystone", external_id=user.username)
        Grant.objects.create(user=user, role="tenant.member", tenant=cast.acme, source="keystone")
    crew(cast, cast.guest, cast.auditor)
    Grant.objects.filter(user=cast.guest, source="local").update(ended_at=timezone.now())
    settle({user.pk: set() for user in (cast.guest, cast.auditor)})
    assert not rights_of(cast.guest).projects
    assert "app.deploy" in codes(cast.auditor, cast)
    entry = AuditEntry.objects.get(action="group.take")
    assert (entry.actor_name, entry.before) == ("keystone", {"person": "guest"})


def test_a_disabled_tenant_gives_nothing_by_its_groups(cast: Cast) -> None:
    crew(cast, cast.auditor)
    Tenant.objects.filter(pk=cast.acme.pk).update(state="disabled")
    assert not rights_of(cast.auditor).projects
