"""Making a token: what it may be at most, for people and robots alike."""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.commands import describe
from core.access import Actor
from core.errors import Conflict, Denied, FieldProblem, Invalid
from core.secrets import Secret
from tenants.models import Project, Tenant, Token, User
from tenants.roles import PERMISSIONS

LONGEST_TOKEN_LIFE = timedelta(days=366)
DEFAULT_TOKEN_LIFE = timedelta(days=90)


def made_token(
    actor: Actor,
    user: User,
    *,
    name: str,
    scopes: list[str] | None,
    lifetime: timedelta,
    limit: Tenant | Project | None,
) -> tuple[Token, Secret]:
    """Call it in a command. The secret is shown once and kept only as a hash."""
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
        message = _("There is a token called “%(name)s” already.") % {"name": name}
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
