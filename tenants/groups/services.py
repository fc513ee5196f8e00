"""What is done with groups. Each public function is a command.

To add somebody is to give them every role of the group, to take them out is to end it: the same rules as for roles.
"""

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor, check_unchanged
from core.errors import Changed, Conflict, FieldProblem, Invalid, NotFound
from core.names import RULE, is_label
from tenants.changes import tell_of
from tenants.custom.resolving import role_of
from tenants.giving import check_holds, lock_grants
from tenants.groups import telling
from tenants.groups.holding import held_by
from tenants.groups.models import Group, Membership
from tenants.models import Grant, Tenant, User
from tenants.rights import running_grants


@command("group.create", permission="member.manage")
def create_group(actor: Actor, tenant: Tenant, *, name: str, title: str = "") -> Group:
    """A group with nobody in it and no role."""
    _check_name(name)
    try:
        with transaction.atomic():
            made = Group.objects.create(tenant=tenant, name=name, title=title, made_by=actor.name)
    except IntegrityError:
        raise _name_taken(name) from None
    describe(target=made, after={"name": name, "title": title})
    return made


@command("group.update", permission="member.manage")
def update_group(
    actor: Actor, group: Group, *, name: str | None = None, title: str | None = None, version: int | None = None
) -> Group:
    """Another name or title; its people and roles stay. One conditional UPDATE: of two changes one is refused."""
    check_unchanged(group, version)
    before = {"name": group.name, "title": group.title}
    after = before | {key: value for key, value in (("name", name), ("title", title)) if value is not None}
    _check_name(after["name"])
    describe(before=before, after=after)
    rows = Group.objects.filter(pk=group.pk, version=group.version, removed_at=None)
    try:
        with transaction.atomic():
            changed = rows.update(**after, version=F("version") + 1, updated_at=Now())
    except IntegrityError:
        raise _name_taken(after["name"]) from None
    if not changed:
        raise Changed()
    group.refresh_from_db()
    return group


@command("group.remove", permission="member.manage")
def remove_group(actor: Actor, group: Group) -> None:
    """Its roles end, everybody is out of it, and its name is free. What was is kept as history."""
    _turn(actor, group)
    grants = list(_roles(group))
    _check_all(actor, grants)
    people = list(group.memberships.filter(ended_at=None).select_related("user").order_by("user__username"))
    describe(
        before={
            "name": group.name,
            "title": group.title,
            "people": [one.user.get_username() for one in people],
            "roles": sorted(grant.role for grant in grants),
        },
        detail={"ended": [str(grant.pk) for grant in grants]},
    )
    ended = {"ended_at": Now(), "ended_by": actor.name}
    Grant.objects.filter(group=group, ended_at=None).update(**ended)
    Membership.objects.filter(group=group, ended_at=None).update(**ended)
    Group.objects.filter(pk=group.pk).update(removed_at=Now(), removed_by=actor.name)
    for one in people:
        telling.left(one, actor)
        tell_of(one.user_id)


@command("group.add", permission="member.manage")
def add_to_group(actor: Actor, group: Group, *, user: User) -> Membership:
    """Somebody of the tenant comes in, and holds all its roles from then on."""
    _turn(actor, group)
    _check_all(actor, _roles(group))
    if not Grant.objects.filter(running_grants(), held_by(user), tenant=group.tenant_id).exists():
        message = _("%(person)s has no role in this tenant.") % {"person": user.get_username()}
        raise Invalid(_hinted(message), errors=[FieldProblem("person", "no_member", _hinted(message))])
    try:
        with transaction.atomic():
            made = Membership.objects.create(tenant_id=group.tenant_id, group=group, user=user, added_by=actor.name)
    except IntegrityError:
        message = _("%(person)s is in this group already.") % {"person": user.get_username()}
        raise Conflict(message, code="name_taken", hint=_("There is nothing more to do.")) from None
    made.refresh_from_db()
    describe(after={"person": user.get_username(), "roles": sorted(row.role for row in _roles(group))})
    telling.joined(made, actor)
    tell_of(user.pk)
    return made


@command("group.take", permission="member.manage")
def take_from_group(actor: Actor, group: Group, *, user: User) -> None:
    """Somebody goes out, and with it every role that the group gave them."""
    _turn(actor, group)
    _check_all(actor, _roles(group))
    found = Membership.objects.select_related("user", "group__tenant").filter(group=group, user=user, ended_at=None)
    row = found.first()
    if row is None:
        raise NotFound()
    describe(before={"person": user.get_username(), "roles": sorted(one.role for one in _roles(group))})
    Membership.objects.filter(pk=row.pk, ended_at=None).update(ended_at=Now(), ended_by=actor.name)
    telling.left(row, actor)
    tell_of(user.pk)


def _check_all(actor: Actor, grants: "QuerySet[Grant] | list[Grant]") -> None:
    """Raises Denied where one of them is more than the actor holds at its place."""
    for grant in grants:
        place = grant.project or grant.tenant
        role = role_of(grant)
        if place is not None and role is not None:
            check_holds(actor, place, role.permissions)


def _roles(group: Group) -> "QuerySet[Grant]":
    """Those it has, also those that begin later."""
    not_over = Q(ends_at=None) | Q(ends_at__gt=Now())
    return Grant.objects.filter(not_over, group=group, ended_at=None).select_related(
        "tenant", "project__tenant", "custom"
    )


def _turn(actor: Actor, group: Group) -> None:
    """As `lock_grants`; NotFound where another removed the group meanwhile."""
    lock_grants(actor, group.tenant)
    if not Group.objects.filter(pk=group.pk, removed_at=None).exists():
        raise NotFound()


def _check_name(name: str) -> None:
    if not is_label(name):
        raise Invalid(errors=[FieldProblem("name", "bad_name", RULE)])


def _name_taken(name: str) -> Conflict:
    message = _("A group called “%(name)s” exists in this tenant.") % {"name": name}
    return Conflict(message, code="name_taken", hint=_("Take another name."))


def _hinted(message: str) -> str:
    hint = _("Give them one first, such as “member”.")
    return f"{message} {hint}"
