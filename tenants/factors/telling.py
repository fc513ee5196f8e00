"""What a person is told of their second factors."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tenants import notices
from tenants.factors.selectors import Factor, Kind
from tenants.models import Notice, User

TAKEN, SPENT = "factor.taken", "factor.spent"
ADDED, REMOVED, RENEWED = "factor.added", "factor.removed", "factor.codes_renewed"


def taken(user: User, *, by: str, reason: str) -> None:
    params = {"by": by, "reason": reason}
    notices.tell(user.pk, TAKEN, level=Notice.Level.BAD, params=params, link=reverse("security"))


def code_spent(user: User, *, left: int) -> None:
    notices.tell(user.pk, SPENT, level=Notice.Level.WARN, params={"left": left}, link=reverse("security"))


def added(user: User, factor: Factor, *, address: str) -> None:
    """`address`: where it was done from."""
    _tell_of_own(user, ADDED, Notice.Level.OK, {"kind": factor.kind, "name": factor.name, "address": address})


def removed(user: User, factor: Factor, *, address: str, protected: bool) -> None:
    """`protected`: whether another factor is left."""
    params = {"kind": factor.kind, "name": factor.name, "address": address, "protected": protected}
    _tell_of_own(user, REMOVED, Notice.Level.WARN, params)


def codes_renewed(user: User, *, address: str) -> None:
    _tell_of_own(user, RENEWED, Notice.Level.OK, {"address": address})


def _tell_of_own(user: User, kind: str, level: str, params: Mapping[str, Any]) -> None:
    notices.tell(user.pk, kind, level=level, params=params, link=reverse("security"))


def _what(params: Mapping[str, Any]) -> str:
    """The factor and the address, in the reader's language."""
    factor = _("Your authenticator app.")
    if params.get("kind") == Kind.WEBAUTHN:
        factor = _("The passkey “%(name)s”.") % {"name": params.get("name", "")}
    return f"{factor} {_from(params)}".strip()


def _from(params: Mapping[str, Any]) -> str:
    address = params.get("address")
    return _("It was done from %(address)s.") % {"address": address} if address else ""


def _new(params: Mapping[str, Any]) -> str:
    return _("%(what)s If it was not you, remove it and change your password at once.") % {"what": _what(params)}


def _gone(params: Mapping[str, Any]) -> str:
    words = {"what": _what(params)}
    if params.get("protected"):
        return _("%(what)s If it was not you, change your password at once.") % words
    return _("%(what)s Your password alone lets you in now. If it was not you, change it at once.") % words


def _renewed(params: Mapping[str, Any]) -> str:
    said = _("The old ones are good for nothing. %(from)s If it was not you, change your password at once.")
    return " ".join((said % {"from": _from(params)}).split())


def _why(params: Mapping[str, Any]) -> str:
    why = params.get("reason", "")
    return _("“%(why)s” Your password alone lets you in now. If you did not ask for this, say so at once.") % {
        "why": why
    }


def _left(params: Mapping[str, Any]) -> str:
    left = int(params.get("left", 0))
    said = ngettext("%(left)s code is left.", "%(left)s codes are left.", left) % {"left": left}
    return _("%(said)s If it was not you, change your password at once.") % {"said": said}


notices.register(TAKEN, gettext_lazy("%(by)s took your second factors away"), _why)
notices.register(SPENT, gettext_lazy("A recovery code was used for your account"), _left)
notices.register(ADDED, gettext_lazy("A second factor was added to your account"), _new)
notices.register(REMOVED, gettext_lazy("A second factor was removed from your account"), _gone)
notices.register(RENEWED, gettext_lazy("New recovery codes were made for your account"), _renewed)
