"""Sign-ins, also failed ones, leave an audit entry: in the chain of the person's tenant, else of the platform."""

from typing import Any

from django.http import HttpRequest

from audit.models import AuditEntry
from audit.services import Line, record, register_action
from tenants.groups.holding import held_by
from tenants.middleware import actor_for
from tenants.models import Grant, User
from tenants.rights import running_grants
from tenants.sessions import note_coming

SIGNED_IN = register_action("session.sign_in")
SIGNED_OUT = register_action("session.sign_out")
PROVED = register_action("session.prove")


def _line(action: str, user: User | None) -> Line:
    line = Line(action, target_kind="user")
    if user is not None:
        home = Grant.objects.filter(running_grants(), held_by(user), tenant__isnull=False).order_by("id").first()
        line.tenant_id = home.tenant_id if home else None
        line.target_id, line.target_name = str(user.pk), user.get_username()
    return line


def signed_in(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    actor = actor_for(request, user)
    note_coming(request.session, address=actor.address, client=actor.client)
    line = _line(SIGNED_IN, user)
    line.detail = {"with": by} if (by := getattr(user, "came_by", "")) else {}
    record(actor, line, result=AuditEntry.Result.DONE)


def signed_out(sender: Any, request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        record(actor_for(request, user), _line(SIGNED_OUT, user), result=AuditEntry.Result.DONE)


def sign_in_failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """The name that was tried is kept (shortened), what was typed as password or code never."""
    if request is None:
        return
    who = actor_for(request, getattr(request.user, "_wrapped", request.user))
    name = str(credentials.get("username", ""))[:150].replace("\0", "")
    line = _line(PROVED if who.id else SIGNED_IN, User.objects.filter(username=name).first())
    line.target_name = line.target_name or name
    line.detail = {"tried": name} | ({"with": by} if (by := _by(credentials)) else {})
    record(who, line, result=AuditEntry.Result.DENIED)


def proved(request: HttpRequest, user: User, by: str) -> None:
    """Somebody who is signed in has shown again that it is they."""
    line = _line(PROVED, user)
    line.detail = {"with": by}
    record(actor_for(request, user), line, result=AuditEntry.Result.DONE)


def _by(credentials: dict[str, Any]) -> str:
    """What was tried beside a password, or where."""
    return next((name for name in ("code", "passkey", "registry") if name in credentials), "")
