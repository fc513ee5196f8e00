"""Whether somebody may still do what they began to do: asked again and again while a stream is open."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from importlib import import_module
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import Model, Q
from django.db.models.functions import Now

from core.access import Actor, may
from core.connections import let_go
from tenants.models import Grant, Token, User
from tenants.rights import Place, rights_from, running_grants

Comer = tuple[Actor, Token | None]


def actor_again(actor: Actor, token: Token | None) -> Actor | None:
    """The same actor with the rights of this moment, below the same token's ceiling.

    None where the person is gone or disabled, or the session or token they came in with has ended.
    """
    return actors_again([(actor, token)])[0]


def actors_again(comers: Sequence[Comer]) -> list[Actor | None]:
    """`actor_again` of many, in the same order, by four queries however many they are."""
    people = [actor.id for actor, _token in comers if actor.id]
    active = set(User.objects.filter(pk__in=people, is_active=True).values_list("pk", flat=True))
    grants: dict[UUID, list[Place]] = defaultdict(list)
    columns = ("user_id", "role", "tenant_id", "project_id")
    for person, *place in Grant.objects.filter(running_grants(), user__in=people).values_list(*columns):
        grants[person].append(tuple(place))
    came_in = _still_in(comers)
    return [
        replace(actor, rights=rights_from(grants[actor.id], token)) if actor.id in active and inside else None
        for (actor, token), inside in zip(comers, came_in, strict=True)
    ]


def _still_in(comers: Sequence[Comer]) -> list[bool]:
    """Whether the session or the token that each came with is still good."""
    keys = [actor.session for actor, token in comers if token is None]
    rows = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class().objects
    sessions = set(rows.filter(session_key__in=keys, expire_date__gt=Now()).values_list("pk", flat=True))
    good = Q(expiry=None) | Q(expiry__gt=Now())
    tokens = set(Token.objects.filter(good, pk__in=[t.pk for _actor, t in comers if t]).values_list("pk", flat=True))
    return [token.pk in tokens if token else actor.session in sessions for actor, token in comers]


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
