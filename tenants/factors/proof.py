"""Whether whoever uses a session has just shown who they are: what concerns the account itself wants to know."""

from django.contrib.auth import authenticate
from django.http import HttpRequest, QueryDict
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from core.clock import database_now
from core.errors import Denied
from tenants.identity import floods
from tenants.identity.errors import SecondFactorNeeded
from tenants.models import User
from tenants.sessions import CAME

KEPT = "proved"  # in a session's data: when it was shown again, ISO 8601
LIFE_SECONDS = 600


def fresh(request: HttpRequest) -> bool:
    """Whether the sign-in, or a proof after it, is at most ten minutes old. A program's token never is."""
    if getattr(request, "actor", None) is None or request.actor.kind != "person":  # type: ignore[attr-defined]  # ours
        return False
    came = parse_datetime((request.session.get(CAME) or {}).get("at", ""))
    proved = parse_datetime(request.session.get(KEPT, ""))
    last = max((moment for moment in (came, proved) if moment), default=None)
    return last is not None and (database_now() - last).total_seconds() < LIFE_SECONDS


def check(request: HttpRequest) -> None:
    if not fresh(request):
        hint = _("Give your password or a code once more.")
        raise Denied(_("Show first that it is you."), code="proof_needed", hint=hint)


def right(request: HttpRequest, user: User, **proof: str) -> bool:
    """Whether a `password`, a `code`, or a `passkey` with its `challenge` is this person's.

    Wrong ones count as at the door, and raise TooMany when there were too many.
    """
    post = QueryDict(mutable=True)
    post.update({"username": user.get_username(), "organization": ""})
    request.POST = post  # type: ignore[assignment]  # failures are counted by the name in it
    floods.check(request)
    if "code" in proof:
        proof["receipt"] = str(user.pk)
    try:
        found = authenticate(request, username=user.get_username(), **proof)
    except SecondFactorNeeded as needed:
        return needed.receipt == str(user.pk)  # the password is right
    return found is not None and found.pk == user.pk


def note(request: HttpRequest) -> None:
    request.session[KEPT] = database_now().isoformat()
