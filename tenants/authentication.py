"""How a program or a page proves who it is to the API."""

from datetime import timedelta
from typing import Any

from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.translation import gettext as _
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from core.access import Actor
from core.errors import NotSignedIn
from tenants.identity import recheck
from tenants.middleware import actor_for
from tenants.models import Token, User
from tenants.robots.keeping import stands_still
from tenants.robots.models import SOURCE as ROBOT

USE_NOTED_EVERY = timedelta(minutes=1)


class BearerAuthentication(TokenAuthentication):  # type: ignore[misc]  # knox is untyped
    """`Authorization: Bearer <token>`. The token limits what its maker's rights give."""

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        user, token = found
        request._request.actor = self.came(request._request, user, token)  # type: ignore[attr-defined]  # ours
        return user, token

    def came(self, request: HttpRequest, user: User, token: Token) -> Actor:
        """Who comes with a token that is good. Raises NotSignedIn for a robot that nobody keeps."""
        actor = actor_for(request, user, token)
        if user.source == ROBOT and stands_still(actor.rights):
            raise NotSignedIn(
                _("This robot stands still: nobody who may what it does keeps it."),
                hint=_("Somebody who manages members of its project can take it over, on the page of its tokens."),
            )
        self._note_use(token)
        return actor

    def authenticate_credentials(self, token: bytes) -> tuple[User, Token]:
        """One query by the hash; what has expired is left where it is, since a read writes nothing."""
        try:
            text = token.decode("ascii")
        except UnicodeDecodeError:
            raise AuthenticationFailed() from None
        rows = Token.objects.select_related("user__robot__keeper", "project").annotate(asked_at=Now())
        found = rows.filter(digest=hash_token(text)).first()
        if found is None or (found.expiry is not None and found.expiry <= found.asked_at):
            raise AuthenticationFailed()
        if found.project is not None and found.project.deleted_at is not None:
            raise AuthenticationFailed()  # it counts in that project alone, and comes back with it
        user, known = self.validate_user(found)
        if not recheck.lets_in(_answers_for(user)):
            raise AuthenticationFailed()
        return user, known

    def _note_use(self, token: Token) -> None:
        now = token.asked_at  # by the database's clock, as in `authenticate_credentials`
        if token.last_used_at is None or now - token.last_used_at > USE_NOTED_EVERY:
            Token.objects.filter(pk=token.pk).update(last_used_at=now)


def comes_by_token(request: HttpRequest, text: str) -> Actor:
    """As `BearerAuthentication`, of a token that was shown in another way. Raises AuthenticationFailed, NotSignedIn."""
    door = BearerAuthentication()
    return door.came(request, *door.authenticate_credentials(text.encode()))


def _answers_for(user: User) -> User:
    """Whose account has to be good: a robot's keeper, or the person the token belongs to."""
    keeper = user.robot.keeper if user.source == ROBOT else None
    return keeper or user


class SessionAuthentication(authentication.SessionAuthentication):
    """The pages' session, with CSRF."""

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"  # makes a missing sign-in a 401, not a 403

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        return super().authenticate(request)
