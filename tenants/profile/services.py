"""What somebody does with their own account. Each public function is a command on the person's own row."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.errors import Denied
from core.secrets import Secret
from tenants.changes import tell_of
from tenants.models import Session, User

SETTINGS = ("title", "language", "theme", "time_zone", "keys", "reader")


@command("account.update", permission="account.own")
def update_account(actor: Actor, user: User, *, settings: dict[str, Any]) -> User:
    """Change some of SETTINGS; the caller has checked their values."""
    _check_own(actor, user)
    known = {name: value for name, value in settings.items() if name in SETTINGS}
    describe(before={name: getattr(user, name) for name in known}, after=known)
    for name, value in known.items():
        setattr(user, name, value)
    user.save(update_fields=list(known))
    return user


@command("account.password", permission="account.own")
def change_password(actor: Actor, user: User, *, password: Secret) -> None:
    """Set a new password; whoever is signed in elsewhere with the old one is signed out there."""
    _check_own(actor, user)
    user.set_password(password.reveal())
    user.save(update_fields=["password"])
    describe(detail={"sessions_ended": _others(actor, user).delete()[0]})
    tell_of(user.pk)


@command("session.end", permission="account.own")
def end_session(actor: Actor, user: User, *, session: Session) -> None:
    """Sign one browser out; its sockets close within two seconds."""
    _check_own(actor, user)
    describe(detail={"session": str(session.id), "address": session.address, "client": session.client})
    session.delete()
    tell_of(user.pk)


@command("session.end_others", permission="account.own")
def end_other_sessions(actor: Actor, user: User) -> int:
    """Sign out everywhere but here. Answers how many browsers that were."""
    _check_own(actor, user)
    ended = _others(actor, user).delete()[0]
    tell_of(user.pk)
    describe(detail={"ended": ended})
    return ended


def _others(actor: Actor, user: User) -> QuerySet[Session]:
    return Session.objects.filter(user=user).exclude(session_key=actor.session)


def _check_own(actor: Actor, user: User) -> None:
    if actor.id != user.pk:
        raise Denied(_("An account is changed by the person it belongs to."))
