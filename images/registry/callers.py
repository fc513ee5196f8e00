"""Who asks for a token: by a password, by a token of Berth's, by an environment's account, or by an earlier login."""

import json
from dataclasses import dataclass

from axes.utils import reset
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from rest_framework.exceptions import AuthenticationFailed

from core.access import Actor
from core.errors import NotSignedIn
from core.secrets import ring
from images.registry import accounts
from tenants.authentication import comes_by_token
from tenants.factors import selectors as factors
from tenants.identity import floods, recheck
from tenants.identity.errors import PasswordExpired, SecondFactorNeeded
from tenants.middleware import actor_for
from tenants.models import User

KEPT = "berthlogin_"
TOKEN = str(settings.REST_KNOX["TOKEN_PREFIX"])
KEPT_SECONDS = 30 * 24 * 3600
LONGEST_NAME, LONGEST_PASSWORD, LONGEST_KEPT = 220, 1024, 2000


@dataclass(frozen=True)
class Caller:
    """`kept` is what a client may keep in place of the password."""

    actor: Actor
    kept: str

    @property
    def subject(self) -> str:
        """What the registry tells of whoever used the token: no name, which could be another's tomorrow."""
        return f"{self.actor.kind}:{self.actor.id}"


def by_password(request: HttpRequest, name: str, password: str) -> Caller:
    """`name` is `organization/user` of people of an identity service. With a token any name will do."""
    if "\0" in name + password or len(name) > LONGEST_NAME or len(password) > LONGEST_PASSWORD:
        raise wrong()
    if found := _by_key(request, password):
        return found
    organization, _slash, user = name.rpartition("/")
    _count_as(request, user, organization)
    floods.check(request)
    if password.startswith((TOKEN, accounts.PREFIX)):
        user_login_failed.send(sender=__name__, credentials={"username": user, "registry": ""}, request=request)
        raise wrong()
    person = _person(request, user, password, organization)
    reset(ip=floods.address_of(request), username=floods.name_of(request, None))
    return Caller(actor_for(request, person), _keep(person))


def by_earlier_login(request: HttpRequest, kept: str) -> Caller:
    """What was kept counts as long as what it was made of: the password, the account, no second factor since."""
    if len(kept) > LONGEST_KEPT:
        raise wrong()
    if found := _by_key(request, kept):
        return found
    try:
        held = json.loads(ring().decrypt(kept.removeprefix(KEPT).encode(), ttl=KEPT_SECONDS))
    except InvalidToken:
        raise wrong() from None
    person = User.objects.filter(pk=held["user"], is_active=True).first()
    if person is None or not constant_time_compare(held["mark"], person.get_session_auth_hash()):
        raise wrong()
    if factors.protected(person) or not recheck.lets_in(person):
        raise wrong()
    return Caller(actor_for(request, person), kept)


def wrong() -> NotSignedIn:
    """One answer for everything that lets nobody in."""
    return NotSignedIn(
        _("User name or password is wrong."),
        hint=_("Whoever has a second factor signs in here with a token in place of the password."),
    )


def _by_key(request: HttpRequest, text: str) -> Caller | None:
    """Who shows a token or an account's secret: found by one look at its hash, so nobody is made to wait for it."""
    if text.startswith(accounts.PREFIX):
        account = accounts.actor_of(text)
        return Caller(account, text) if account else None
    if not text.startswith(TOKEN):
        return None
    try:
        return Caller(comes_by_token(request, text), text)
    except AuthenticationFailed:
        return None


def _person(request: HttpRequest, name: str, password: str, organization: str) -> User:
    try:
        found = authenticate(request, username=name, password=password, organization=organization, registry="")
    except (SecondFactorNeeded, PasswordExpired):
        raise wrong() from None
    if not isinstance(found, User) or not recheck.lets_in(found):
        raise wrong()
    return found


def _count_as(request: HttpRequest, name: str, organization: str) -> None:
    """Failures are counted by what was typed; floods look for it where the door's form puts it."""
    request.POST = request.POST.copy()  # type: ignore[assignment]
    request.POST.update({"username": name, "organization": organization})


def _keep(person: User) -> str:
    held = {"user": str(person.pk), "mark": person.get_session_auth_hash()}
    return KEPT + ring().encrypt(json.dumps(held).encode()).decode()
