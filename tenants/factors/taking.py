"""Whose lost factors somebody may take away."""

from typing import Any

from django.utils.translation import gettext as _

from core.access import Actor, may
from core.errors import Conflict, Denied, NotFound
from tenants.factors import selectors
from tenants.models import Grant, Tenant, User
from tenants.rights import running_grants


def check_reach(target: Tenant | None, user: User) -> None:
    """An operator reaches everybody local; an owner only those who belong to nothing but the owner's tenant.

    Else whoever owns one tenant could give a stranger a role in it, and open the stranger's account that way.
    """
    if not selectors.keeps_factors(user):
        message = _("The second factors of %(person)s are kept by the identity service.")
        raise Conflict(
            message % {"person": user.get_username()}, code="kept_elsewhere", hint=_("They are taken away there.")
        )
    if target is None:
        return
    homes = set(Grant.objects.filter(running_grants(), user=user).values_list("tenant_id", flat=True))
    if target.pk not in homes:
        raise NotFound()
    if homes != {target.pk}:
        message = _("%(person)s also belongs elsewhere.") % {"person": user.get_username()}
        raise Denied(message, hint=_("A platform operator can take the factors away."))


def lost_factors(actor: Actor, target: Tenant, user: User) -> dict[str, Any] | None:
    """What an owner may take from somebody: their kinds. None where they may not, or there is nothing to take."""
    if not may(actor, "factor.reset", target) or actor.id == user.pk or not selectors.protected(user):
        return None
    try:
        check_reach(target, user)
    except (Conflict, Denied, NotFound):
        return None
    return summary(user)


def summary(user: User) -> dict[str, Any]:
    """Kinds and how many, nothing more."""
    kinds = [row.type for row in selectors.rows(user)]
    return {"app": selectors.Kind.TOTP in kinds, "passkeys": kinds.count(selectors.Kind.WEBAUTHN)}
