"""Who may come in: people of Keystone with their organization, local ones without."""

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from tenants.factors import codes, passkeys
from tenants.factors import selectors as factors
from tenants.identity import sync
from tenants.identity.errors import SecondFactorNeeded
from tenants.middleware import actor_for
from tenants.models import User


class LocalBackend(ModelBackend):
    """Accounts of Berth's own. They never have an organization, so none of Keystone can stand in front of one.

    Raises SecondFactorNeeded after the right password of somebody who has one: no password lets them in alone.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **more: Any
    ) -> User | None:
        if more.get("organization"):
            return None
        user = super().authenticate(request, username=username, password=password)
        if not isinstance(user, User) or user.source != "local":
            return None
        if factors.protected(user):
            raise SecondFactorNeeded(str(user.pk))
        return user


class LocalCodeBackend(LocalBackend):
    """The second step of a local account: a code of its app or a recovery code. The receipt is our own id of it."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **more: Any
    ) -> User | None:
        receipt, code = more.get("receipt"), more.get("code")
        if request is None or more.get("organization") or not (receipt and code):
            return None
        user = User.objects.filter(pk=receipt, source="local", is_active=True).first()
        return _came(user, codes.accepted(actor_for(request, user), user, code)) if user else None


class PasskeyBackend(LocalBackend):
    """A passkey says whose it is; no name is typed."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **more: Any
    ) -> User | None:
        credential, challenge = more.get("passkey"), more.get("challenge")
        if request is None or not (credential and challenge):
            return None
        user = passkeys.person_of(request, credential, challenge)
        return _came(user, "passkey") if user else None


def _came(user: User, by: str) -> User | None:
    """The person, with how they came for the audit; None where no way was right."""
    user.came_by = by  # type: ignore[attr-defined]  # as Django leaves `backend` on it
    return user if by else None


class KeystoneBackend(BaseBackend):
    """Keystone looks at the password; the account here is found by Keystone's id alone."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        organization: str = "",
        **more: Any,
    ) -> User | None:
        if not settings.KEYSTONE["url"] or not (organization and username and password):
            return None
        from tenants.identity import wire

        return admitted(wire.sign_in(username, organization, password))

    def get_user(self, user_id: Any) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()


class CodeBackend(KeystoneBackend):
    """The second step: the code, with the receipt of the first."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        organization: str = "",
        **more: Any,
    ) -> User | None:
        receipt, code = more.get("receipt"), more.get("code")
        if not settings.KEYSTONE["url"] or not (organization and username and receipt and code):
            return None
        from tenants.identity import wire

        return admitted(wire.sign_in_with_code(username, organization, code, receipt))


def admitted(external_id: str | None) -> User:
    """The person, with what they may do as Keystone says at this moment. A refusal ends it: no other backend tries."""
    user = sync.follow(external_id) if external_id else None
    if user is None or not user.is_active:
        raise PermissionDenied
    return user
