"""What a person is told of their second factors."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tenants import notices
from tenants.models import Notice, User

TAKEN, SPENT = "factor.taken", "factor.spent"


def taken(user: User, *, by: str, reason: str) -> None:
    params = {"by": by, "reason": reason}
    notices.tell(user.pk, TAKEN, level=Notice.Level.BAD, params=params, link=reverse("security"))


def code_spent(user: User, *, left: int) -> None:
    notices.tell(user.pk, SPENT, level=Notice.Level.WARN, params={"left": left}, link=reverse("security"))


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
