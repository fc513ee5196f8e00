"""Roles that a tenant makes for itself: to make, change and remove them. Each public function is a command."""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor, check_unchanged
from core.errors import Changed, Conflict, FieldProblem, Invalid, NotFound
from core.names import RULE, is_label
from tenants.changes import tell_of
from tenants.custom.holders import Holders
from tenants.custom.models import CustomRole, CustomRoleState
from tenants.giving import check_holds, lock_grants
from tenants.models import Invitation, Request, Tenant
from tenants.roles import CHOOSABLE
from tenants.services import end_grant

MOST = 50


@command("role.create", permission="member.manage")
def create_role(
    actor: Actor, tenant: Tenant, *, name: str, level: str, permissions: Sequence[str], title: str = ""
) -> CustomRole:
    """A role of the tenant's own, made of permissions that its maker holds. At most 50 in a tenant."""
    lock_grants(actor, tenant)
    if not is_label(name):
        raise Invalid(errors=[FieldProblem("name", "bad_name", RULE)])
    if level not in CHOOSABLE:
        raise Invalid(errors=[FieldProblem("level", "unknown", _("A role is given on a tenant or on a project."))])
    wanted = _chosen(actor, tenant, level, permissions)
    if CustomRole.objects.filter(tenant=tenant, removed_at=None).count() >= MOST:
        message = _("A tenant has at most %(most)s roles of its own.") % {"most": MOST}
        raise Conflict(message, code="too_many_roles", hint=_("Remove one that nobody holds."))
    made = CustomRole(tenant=tenant, name=name, level=level, title=title, permissions=wanted, made_by=actor.name)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        message = _("This tenant has a role called “%(name)s” already.") % {"name": name}
        raise Conflict(message, code="name_taken", hint=_("Take another name.")) from None
    made.refresh_from_db()
    _keep(made, actor)
    describe(target=made, after=_facts(made) | {"level": level})
    return made


@command("role.update", permission="member.manage")
def update_role(
    actor: Actor,
    role: CustomRole,
    *,
    title: str | None = None,
    permissions: Sequence[str] | None = None,
    version: int | None = None,
) -> CustomRole:
    """Change the title or what it allows, for all who hold it, at once. One changes only what one could give."""
    lock_grants(actor, role.tenant)
    row = _present(role)
    check_unchanged(row, version)
    before = _facts(row)
    check_holds(actor, row.tenant, row.permissions)
    if permissions is not None:
        row.permissions = _chosen(actor, row.tenant, row.level, permissions)
    row.title = row.title if title is None else title
    describe(before=before, after=_facts(row))
    changed = {"title": row.title, "permissions": row.permissions}
    rows = CustomRole.objects.filter(pk=row.pk, version=row.version, removed_at=None)
    if not rows.update(version=F("version") + 1, updated_at=Now(), **changed):
        raise Changed()
    row.refresh_from_db()
    _keep(row, actor)
    if before["permissions"] != row.permissions:
        Holders(row).tell()
    return row


@command("role.remove", permission="member.manage", even_closed=True)
def remove_role(actor: Actor, role: CustomRole, *, end_grants: bool = False) -> int:
    """Remove a role that nobody holds, or with `end_grants` end it for all who do. Answers how many grants ended.

    Invitations and requests for it are over too.
    """
    lock_grants(actor, role.tenant)
    row = _present(role)
    check_holds(actor, row.tenant, row.permissions)
    holders = Holders(row)
    if holders.grants and not end_grants:
        message = _("%(people)s hold this role.") % {"people": holders.words}
        hint = _("End these grants first, or confirm that they end with it.")
        raise Conflict(message, code="still_held", hint=hint, extra={"held_by": holders.names})
    for grant in holders.grants:
        end_grant(actor, grant.project or row.tenant, grant=grant)
    CustomRole.objects.filter(pk=row.pk).update(removed_at=Now(), updated_at=Now(), version=F("version") + 1)
    _withdraw_what_waits(row)
    describe(before=_facts(row) | {"level": row.level, "held_by": holders.names}, detail={"ended": len(holders.grants)})
    return len(holders.grants)


def _present(role: CustomRole) -> CustomRole:
    """The row as it is now that it is our turn, locked."""
    rows = CustomRole.objects.select_for_update(of=("self",)).select_related("tenant")
    found = rows.filter(pk=role.pk, removed_at=None).first()
    if found is None:
        raise NotFound()
    return found


def _chosen(actor: Actor, tenant: Tenant, level: str, permissions: Sequence[str]) -> list[str]:
    """Sorted, each once. Raises Invalid for what no such role can allow, Denied for what the actor lacks."""
    wanted = set(permissions)
    problems = []
    if not wanted:
        problems.append(FieldProblem("permissions", "required", _("Choose at least one right.")))
    if strange := sorted(wanted - CHOOSABLE[level]):
        message = _("A role of this kind cannot allow %(codes)s.") % {"codes": ", ".join(strange)}
        problems.append(FieldProblem("permissions", "unknown", message))
    if problems:
        raise Invalid(errors=problems)
    check_holds(actor, tenant, wanted)
    return sorted(wanted)


def _keep(row: CustomRole, actor: Actor) -> None:
    """What it allows from now on: "who could do what, when" is answered from this."""
    facts = {"title": row.title, "permissions": row.permissions, "version": row.version}
    CustomRoleState.objects.create(tenant_id=row.tenant_id, role=row, by=actor.name, **facts)


def _facts(row: CustomRole) -> dict[str, Any]:
    return {"name": row.name, "title": row.title, "permissions": list(row.permissions)}


def _withdraw_what_waits(row: CustomRole) -> None:
    Invitation.objects.filter(tenant=row.tenant, role=row.key, accepted_at=None, revoked_at=None).update(
        revoked_at=Now()
    )
    asked = Request.objects.filter(tenant=row.tenant, state=Request.State.OPEN, payload__role=row.key)
    for person in asked.values_list("asked_by", flat=True).distinct():
        tell_of(person)
    asked.exclude(kind="review").update(state=Request.State.WITHDRAWN, decided_at=Now())
