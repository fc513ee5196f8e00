"""What people do with people, tenants and projects. Each public function is a command."""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor, check_unchanged, may
from core.errors import Changed, Conflict, Denied, FieldProblem, Invalid, NotFound
from core.names import RULE, is_label
from core.secrets import Secret
from tenants.changes import tell_of
from tenants.identity import outgoing
from tenants.models import Grant, Organization, Project, Tenant, Token, User
from tenants.rights import running_grants
from tenants.roles import PERMISSIONS, ROLES

LONGEST_TOKEN_LIFE = timedelta(days=366)
DEFAULT_TOKEN_LIFE = timedelta(days=90)


@command("project.create", permission="project.create")
def create_project(actor: Actor, tenant: Tenant, *, name: str, title: str = "") -> Project:
    if not is_label(name):
        raise Invalid(errors=[FieldProblem("name", "bad_name", RULE)])
    try:
        with transaction.atomic():
            project = Project.objects.create(tenant=tenant, name=name, title=title)
    except IntegrityError:
        message = _("A project called “%(name)s” exists in this tenant.") % {"name": name}
        raise Conflict(message, code="name_taken", hint=_("Take another name.")) from None
    describe(target=project, after={"name": name, "title": title})
    return project


@command("token.create", permission="account.own")
def create_token(
    actor: Actor,
    user: User,
    *,
    name: str,
    scopes: list[str] | None = None,
    lifetime: timedelta = DEFAULT_TOKEN_LIFE,
    limit: Tenant | Project | None = None,
) -> tuple[Token, Secret]:
    """A token of one's own, for everywhere or only for a tenant or project.

    The secret is shown once and kept only as a hash.
    """
    _check_own(actor, user)
    unknown = sorted(set(scopes or []) - set(PERMISSIONS))
    if unknown:
        message = _("There is no permission called %(names)s.") % {"names": ", ".join(unknown)}
        raise Invalid(errors=[FieldProblem("scopes", "unknown", message)])
    _check_ceiling(actor, scopes or [])
    if not timedelta(0) < lifetime <= LONGEST_TOKEN_LIFE:
        message = _("A token lives at least a second and at most 366 days.")
        raise Invalid(errors=[FieldProblem("expires_at", "out_of_range", message)])
    try:
        with transaction.atomic():
            token, text = Token.objects.create(
                user, expiry=lifetime, name=name, scopes=sorted(set(scopes or [])), **_place(limit)
            )
    except IntegrityError:
        message = _("You have a token called “%(name)s” already.") % {"name": name}
        raise Conflict(message, code="name_taken", hint=_("Revoke it first, or take another name.")) from None
    after = {"name": name, "scopes": token.scopes, "expires_at": str(token.expiry), "limit": str(limit or "")}
    describe(target=token, after=after)
    return token, Secret(text)


def _place(limit: Tenant | Project | None) -> dict[str, Any]:
    if isinstance(limit, Project):
        return {"tenant_id": limit.tenant_id, "project": limit}
    return {"tenant": limit}


def _check_ceiling(actor: Actor, scopes: list[str]) -> None:
    """A token made with a limited token is no wider than that one; no scopes at all would be everything."""
    ceiling = actor.rights.ceiling
    if ceiling is not None and (not scopes or not set(scopes) <= ceiling):
        raise Denied(
            _("The token you use is limited; one made with it cannot be wider."),
            hint=_("Name scopes that it has: %(scopes)s.") % {"scopes": ", ".join(sorted(ceiling))},
        )


@command("token.revoke", permission="account.own")
def revoke_token(actor: Actor, user: User, *, token: Token) -> None:
    """End a token at once."""
    _check_own(actor, user)
    describe(target=token)
    token.delete()
    tell_of(user.pk)


def _check_own(actor: Actor, user: User) -> None:
    if actor.id != user.pk:
        raise Denied(_("Tokens are made and revoked by the person they belong to."))


@command("tenant.create", permission="tenant.create")
def create_tenant(
    actor: Actor, target: None, *, name: str, title: str = "", organization: str = "", owner: User | None = None
) -> Tenant:
    """A tenant, with its first owner where one is named. Its organization is made where it does not exist yet."""
    if not is_label(name):
        raise Invalid(errors=[FieldProblem("name", "bad_name", RULE)])
    home, _made = Organization.objects.get_or_create(name=organization or name)
    try:
        with transaction.atomic():
            made = Tenant.objects.create(organization=home, name=name, title=title)
    except IntegrityError:
        message = _("A tenant called “%(name)s” exists.") % {"name": name}
        raise Conflict(message, code="name_taken", hint=_("Take another name.")) from None
    if owner is not None:
        Grant.objects.create(user=owner, role="tenant.owner", tenant=made, granted_by=actor.name, reason="first owner")
    describe(target=made, after={"name": name, "title": title, "owner": owner.get_username() if owner else None})
    return made


@command("tenant.update", permission="tenant.manage")
def update_tenant(actor: Actor, tenant: Tenant, *, title: str, version: int | None = None) -> Tenant:
    _retitle(tenant, title, version)
    return tenant


@command("project.update", permission="project.manage")
def update_project(actor: Actor, project: Project, *, title: str, version: int | None = None) -> Project:
    _retitle(project, title, version)
    return project


def _retitle(row: Tenant | Project, title: str, version: int | None) -> None:
    """One conditional UPDATE, so that of two changes on top of the same version one is refused."""
    check_unchanged(row, version)
    describe(before={"title": row.title}, after={"title": title})
    rows = type(row)._default_manager.filter(pk=row.pk, version=row.version)
    if not rows.update(title=title, version=F("version") + 1, updated_at=Now()):
        raise Changed()
    row.refresh_from_db()


@command("grant.give", permission="member.manage")
def give_grant(
    actor: Actor,
    target: Tenant | Project,
    *,
    user: User,
    role: str,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    reason: str = "",
) -> Grant:
    """Give a role on a tenant or a project. Nobody gives what they do not hold there themselves."""
    level = "project" if isinstance(target, Project) else "tenant"
    _check_role(actor, target, role, level=level)
    if ends_at is not None and ends_at <= (starts_at or timezone.now()):
        raise Invalid(errors=[FieldProblem("ends_at", "out_of_range", _("It would end before it begins."))])
    where = {"tenant_id": target.tenant_id, "project": target} if isinstance(target, Project) else {"tenant": target}
    times = {"starts_at": starts_at} if starts_at else {}
    try:
        with transaction.atomic():
            made = Grant.objects.create(
                user=user, role=role, ends_at=ends_at, reason=reason, granted_by=actor.name, **times, **where
            )
    except IntegrityError:
        message = _("%(person)s has this role here already.") % {"person": user.get_username()}
        raise Conflict(message, code="name_taken", hint=_("End the grant there is, then give a new one.")) from None
    made.refresh_from_db()
    outgoing.note_given(made)
    describe(after={"person": user.get_username(), "role": role, "ends_at": str(ends_at or "")})
    tell_of(user.pk)
    return made


@command("grant.end", permission="member.manage")
def end_grant(actor: Actor, target: Tenant | Project, *, grant: Grant) -> None:
    """End a grant now. A tenant always keeps an owner, and nobody ends what they could not give."""
    if grant.tenant_id is None:
        raise NotFound()  # roles on the platform are not given or ended here
    Tenant.objects.select_for_update().get(pk=grant.tenant_id)  # two owners must not end each other at once
    _check_role(actor, target, grant.role, level=ROLES[grant.role].level)
    if grant.role == "tenant.owner":
        owners = Grant.objects.filter(running_grants(), tenant_id=grant.tenant_id, role=grant.role)
        if not owners.exclude(pk=grant.pk).exists():
            message = _("This is the last owner of the tenant.")
            raise Conflict(message, code="last_owner", hint=_("Make somebody else an owner first."))
    describe(before={"person": grant.user.get_username(), "role": grant.role})
    Grant.objects.filter(pk=grant.pk, ended_at__isnull=True).update(ended_at=Now(), ended_by=actor.name)
    outgoing.note_ended(grant)
    tell_of(grant.user_id)


def _check_role(actor: Actor, target: Tenant | Project, role: str, *, level: str) -> None:
    known = [key for key, known_role in ROLES.items() if known_role.level == level]
    if role not in known:
        message = _("There is no such role here; there are: %(known)s.") % {"known": ", ".join(known)}
        raise Invalid(errors=[FieldProblem("role", "unknown", message)])
    missing = sorted(code for code in ROLES[role].permissions if not may(actor, code, target))
    if missing:
        message = _("You can only give what you hold yourself; you lack %(missing)s.") % {"missing": ", ".join(missing)}
        raise Denied(message, extra={"permission": missing[0]})
