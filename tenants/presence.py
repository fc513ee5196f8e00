"""Whether somebody may still do what they began to do: asked again and again while a stream is open."""

from collections.abc import Awaitable, Callable
from importlib import import_module

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import Model

from core.access import Actor, places_of
from core.connections import let_go
from tenants.models import Token, User
from tenants.rights import rights_of


def still_may(actor: Actor, permission: str, target: Model, token: Token | None) -> Callable[[], Awaitable[bool]]:
    """A question that is False once the person, the session or token, or the right itself is gone."""
    tenant, project = places_of(target)

    @sync_to_async
    def ask() -> bool:
        try:
            user = User.objects.filter(pk=actor.id, is_active=True).first() if actor.id else None
            if user is None or not _came_in(actor, token):
                return False
            return rights_of(user, token).allows(permission, tenant=tenant, project=project)
        finally:
            let_go()

    return ask


def _came_in(actor: Actor, token: Token | None) -> bool:
    if token is not None:
        return bool(Token.objects.filter(pk=token.pk).exists())
    sessions = import_module(settings.SESSION_ENGINE).SessionStore
    return bool(sessions().exists(actor.session))
