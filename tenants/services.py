"""What people do with people, tenants and projects. Each public function is a command."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor, check_unchanged
from core.errors import Changed, Conflict, Denied, FieldProblem, Invalid, NotFound
from core.names import RULE, is_label
from core.secrets import Secret
from tenants.custom.resolving import role_of
from tenants.giving import check_holds, check_role, lock_grants, take_away
from tenants.groups.holders import check_group, held_already, named
from tenants.groups.holding import tell_holders
from tenants.groups.models import Group
from tenants.identity import outgoing
from tenants.lifecycle import name_taken
from tenants.models import Grant, Organization, Project, Request, Tenant, Token, User
from tenants.quota.claiming import Where, widen
from tenants.quota.resources import Resource
from tenants.tokens import end_tokens, made_token


@command("project.create", permission="project.create")
def create_project(actor: Actor, tenant: Tenant, *, name: str, title: str = "") -> Project:
    if not is_label(name):
        raise Invalid(errors=[FieldProblem("name", "bad_name", RULE)])
    try:
        with transaction.atomic():
            project = Project.objects.create(tenant=tenant, name=name, title=title, state_by=actor.name)
    except IntegrityError:
        raise name_taken(tenant, name) from None
    widen(project.pk, Where(tenant.pk), {Resource.PROJECTS: 1})
    describe(target=project, after={"name": name, "title": title})
    return project


@command("token.create", permission="account.own")
def create_token(
    actor: Actor,
    user: User,
    *,
    name: str,
    scopes: list[str] | None = None,
    lifetime: timedelta | None = None,
    limit: Tenant | Project | None = None,
) -> tuple[Token, Secret]:
    """A token of one's own, for everywhere or only for a tenant or project; `lifetime` None: the usual one.

    The secret is shown once and kept only as a hash.
    """
    _check_own(actor, user)
    return made_token(actor, user, name=name, scopes=scopes, lifetime=lifetime, limit=limit)


@command("token.revoke", permission="account.own")
def revoke_token(actor: Actor, user: User, *, token: Token) -> None:
    """End a token at once, with those that were made with it."""
    _check_own(actor, user)
    describe(target=token, detail={"ended": end_tokens(Token.objects.filter(pk=token.pk))})


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
    user: User | None = None,
    group: Group | None = None,
    role: str,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    reason: str = "",
    request: Request | None = None,
) -> Grant:
    """Give a role on a tenant or a project to a person or to a group, one of them.

    Nobody gives what they do not hold there themselves.
    """
    lock_grants(actor, target)
    found = check_role(actor, target, role)
    if group is not None:
        check_group(group, target, role)
    if ends_at is not None and ends_at <= (starts_at or timezone.now()):
        raise Invalid(errors=[FieldProblem("ends_at", "out_of_range", _("It would end before it begins."))])
    holder = group if group is not None else user
    if holder is None:
        raise TypeError("a role is given to a person or to a group")
    where = {"tenant_id": target.tenant_id, "project": target} if isinstance(target, Project) else {"tenant": target}
    try:
        with transaction.atomic():
            made = Grant.objects.create(
                user=user, group=group, role=role, custom_id=found.custom_id, ends_at=ends_at, reason=reason,
                granted_by=actor.name, request=request, **({"starts_at": starts_at} if starts_at else {}), **where,
            )  # fmt: skip
    except IntegrityError:
        hint = _("End the grant there is, then give a new one.")
        raise Conflict(held_already(holder), code="name_taken", hint=hint) from None
    made.refresh_from_db()
    describe(after={**named(made), "role": role, "ends_at": str(ends_at or "")}, detail={"grant": str(made.pk)})
    outgoing.note_given(made)
    tell_holders(made)
    return made


@command("grant.end", permission="member.manage", even_closed=True)
def end_grant(actor: Actor, target: Tenant | Project, *, grant: Grant) -> None:
    """End a grant now. A tenant always keeps an owner, and nobody ends what they could not give."""
    if grant.tenant_id is None:
        raise NotFound()  # roles on the platform are not given or ended here
    lock_grants(actor, target)
    if role := role_of(grant):
        check_holds(actor, target, role.permissions)
    describe(before={**named(grant), "role": grant.role}, detail={"grant": str(grant.pk)})
    take_away(grant, by=actor.name)
