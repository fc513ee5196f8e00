"""What people do with people, tenants and projects. Each public function is a command."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.errors import Conflict, Denied, FieldProblem, Invalid
from core.names import RULE, is_label
from core.secrets import Secret
from tenants.models import Project, Tenant, Token, User
from tenants.roles import PERMISSIONS

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
) -> tuple[Token, Secret]:
    """A token of one's own. The secret is shown once and kept only as a hash."""
    _check_own(actor, user)
    unknown = sorted(set(scopes or []) - set(PERMISSIONS))
    if unknown:
        message = _("There is no permission called %(names)s.") % {"names": ", ".join(unknown)}
        raise Invalid(errors=[FieldProblem("scopes", "unknown", message)])
    if not timedelta(0) < lifetime <= LONGEST_TOKEN_LIFE:
        message = _("A token lives at least a second and at most 366 days.")
        raise Invalid(errors=[FieldProblem("expires_at", "out_of_range", message)])
    try:
        with transaction.atomic():
            token, text = Token.objects.create(user, expiry=lifetime, name=name, scopes=sorted(set(scopes or [])))
    except IntegrityError:
        message = _("You have a token called “%(name)s” already.") % {"name": name}
        raise Conflict(message, code="name_taken", hint=_("Revoke it first, or take another name.")) from None
    describe(target=token, after={"name": name, "scopes": token.scopes, "expires_at": str(token.expiry)})
    return token, Secret(text)


@command("token.revoke", permission="account.own")
def revoke_token(actor: Actor, user: User, *, token: Token) -> None:
    """End a token at once."""
    _check_own(actor, user)
    describe(target=token)
    token.delete()


def _check_own(actor: Actor, user: User) -> None:
    if actor.id != user.pk:
        raise Denied(_("Tokens are made and revoked by the person they belong to."))
