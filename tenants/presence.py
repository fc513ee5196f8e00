"""Whether somebody may still do what they began to do: asked again and again while a stream is open."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from importlib import import_module

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import Model, Q
from django.db.models.functions import Now

from core.access import Actor, may
from core.connections import let_go
from tenants.models import Token, User
from tenants.rights import rights_of


def actor_again(actor: Actor, token: Token | None) -> Actor | None:
    """The same actor with the rights of this moment, below the same token's ceiling.

    None where the person is gone or disabled, or the session or token they came in with has ended.
    """
    user = User.objects.filter(pk=actor.id, is_active=True).first() if actor.id else None
    if user is None or not _came_in(actor, token):
        return None
    return replace(actor, rights=rights_of(user, token))


def still_may(actor: Actor, permission: str, target: Model, token: Token | None) -> Callable[[], Awaitable[bool]]:
    """A question that is False once the person, the session or token, or the right itself is gone."""

    @sync_to_async
    def ask() -> bool:
        try:
            now = actor_again(actor, token)
            return now is not None and may(now, permission, target)
        finally:
            let_go()

    return ask


def _came_in(actor: Actor, token: Token | None) -> bool:
    if token is not None:
        return bool(Token.objects.filter(Q(expiry=None) | Q(expiry__gt=Now()), pk=token.pk).exists())
    sessions = import_module(settings.SESSION_ENGINE).SessionStore
    return bool(sessions().exists(actor.session))
