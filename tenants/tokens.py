"""Making and ending a token: what it may be at most, for people and robots alike.

One made with another token is never wider than that one, lives no longer, and ends with it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.commands import describe
from core.access import Actor
from core.clock import database_now
from core.errors import Conflict, Denied, FieldProblem, Invalid, NotSignedIn
from core.secrets import Secret
from core.wording import moment_text
from tenants.changes import tell_of
from tenants.models import Project, Tenant, Token, User
from tenants.roles import PERMISSIONS

LONGEST_TOKEN_LIFE = timedelta(days=366)
DEFAULT_TOKEN_LIFE = timedelta(days=90)
ROUNDING = timedelta(seconds=1)  # between reading a moment and making of it a time to live


def made_token(
    actor: Actor,
    user: User,
    *,
    name: str,
    scopes: list[str] | None,
    lifetime: timedelta | None,
    limit: Tenant | Project | None,
) -> tuple[Token, Secret]:
    """Call it in a command. The secret is shown once and kept only as a hash.

    `lifetime` None: the usual one, or what is left of the token it is made with.
    """
    unknown = sorted(set(scopes or []) - set(PERMISSIONS))
    if unknown:
        message = _("There is no permission called %(names)s.") % {"names": ", ".join(unknown)}
        raise Invalid(errors=[FieldProblem("scopes", "unknown", message)])
    used = _used(actor)
    _check_ceiling(actor, scopes or [])
    expiry = _expiry(lifetime, used)
    try:
        with transaction.atomic():
            token, text = Token.objects.create(
                user,
                expiry=None,
                name=name,
                scopes=sorted(set(scopes or [])),
                **_place(limit),
                **_inherited(used, limit),
            )
            token.expiry = expiry
            token.save(update_fields=["expiry"])
    except IntegrityError:
        message = _("There is a token called “%(name)s” already.") % {"name": name}
        raise Conflict(message, code="name_taken", hint=_("Revoke it first, or take another name.")) from None
    after = {"name": name, "scopes": token.scopes, "expires_at": str(token.expiry), "limit": str(limit or "")}
    describe(target=token, after=after)
    return token, Secret(text)


def _used(actor: Actor) -> Token | None:
    """The token that the actor came with, which nobody ends until the new one is there."""
    if actor.kind != "token":
        return None
    if actor.token is None:
        message = _("A token of the identity service makes no tokens of Berth, which would outlive it.")
        raise Denied(message, hint=_("Make one on the page of your tokens, and give it to the program."))
    used: Token | None = Token.objects.select_for_update().filter(id=actor.token).first()
    if used is None:
        raise NotSignedIn()  # revoked while it asked
    return used


def _expiry(lifetime: timedelta | None, used: Token | None) -> datetime:
    if lifetime is not None and not timedelta(0) < lifetime <= LONGEST_TOKEN_LIFE:
        message = _("A token lives at least a second and at most 366 days.")
        raise Invalid(errors=[FieldProblem("expires_at", "out_of_range", message)])
    asked = database_now() + (lifetime or DEFAULT_TOKEN_LIFE)
    if used is None or used.expiry is None:
        return asked
    if lifetime is not None and asked > used.expiry + ROUNDING:
        words = {"when": moment_text(used.expiry, style="full")}
        message = _("The token you use ends on %(when)s; one made with it lives no longer.") % words
        raise Invalid(errors=[FieldProblem("expires_at", "out_of_range", message)])
    expiry: datetime = min(asked, used.expiry)
    return expiry


def _inherited(used: Token | None, limit: Tenant | Project | None) -> dict[str, Any]:
    """Where the used token counts no more, one made with it for everywhere does not count either."""
    if used is None:
        return {}
    return {"made_with": used} | ({"barred": used.barred} if limit is None else {})


def made_with(tokens: Iterable[Token]) -> list[Token]:
    """Every token that was made with one of these, or with one of those."""
    found: list[Token] = []
    level = list(tokens)
    while level:
        level = list(Token.objects.filter(made_with__in=level))
        found += level
    return found


def end_tokens(tokens: QuerySet[Token]) -> int:
    """End them, and all that were made with them. Call it in a transaction; answers how many ended.

    They are locked first: a token that is just being made with one of them is then there, and ends too.
    """
    rows = list(tokens.select_for_update(of=("self",)).order_by("pk"))
    people = {row.user_id for row in (*rows, *made_with(rows))}
    ended: int
    ended, _kinds = Token.objects.filter(pk__in=[row.pk for row in rows]).delete()
    for person in people:
        tell_of(person)
    return ended


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
