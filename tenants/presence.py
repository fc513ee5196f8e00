"""Whether somebody may still do what they began to do: asked again and again while a stream is open."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import reduce
from importlib import import_module
from operator import or_
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Now

from core.access import Actor, Rights, may
from core.clock import from_now
from core.connections import let_go
from tenants.groups.holding import Place, places_held
from tenants.groups.models import Membership
from tenants.models import Grant, Token, User
from tenants.rights import rights_from, running_grants
from tenants.robots import keeping
from tenants.robots.models import Robot

Comer = tuple[Actor, Token | None]
MOST_KEYS = 2000  # in one query


def actor_again(actor: Actor, token: Token | None) -> Actor | None:
    """The same actor with the rights of this moment, below the same token's ceiling.

    None where the person is gone or disabled, or the session or token they came in with has ended.
    """
    return actors_again([(actor, token)])[0]


def actors_again(comers: Sequence[Comer]) -> list[Actor | None]:
    """`actor_again` of many, in the same order, by four queries however many they are; by five with tokens."""
    robots = keeping.robots_of(actor.id for actor, token in comers if actor.id and token)
    people = [actor.id for actor, _token in comers if actor.id]
    people += [robot.keeper_id for robot in robots.values() if robot.keeper_id]
    active = set(User.objects.filter(pk__in=people, is_active=True).values_list("pk", flat=True))
    grants = _grants_of(people)
    came_in = _still_in(comers)
    held = {person: grants[person] for person in active}
    return [
        _again(actor, token, held, robots) if actor.id in active and inside else None
        for (actor, token), inside in zip(comers, came_in, strict=True)
    ]


def _again(actor: Actor, token: Token | None, held: dict[UUID, list[Place]], robots: dict[UUID, Robot]) -> Actor | None:
    """`held`: the grants of everybody who is active. None for a robot that stands still."""
    rights = rights_from(held[actor.id], token)  # type: ignore[index]  # the caller looked
    robot = robots.get(actor.id)  # type: ignore[arg-type]  # likewise
    if robot is None:
        return replace(actor, rights=rights)
    kept = keeping.kept_within(robot, rights, _rights_of(robot.keeper_id, held))
    return None if keeping.stands_still(kept) else replace(actor, rights=kept)


def _rights_of(keeper: UUID | None, held: dict[UUID, list[Place]]) -> Rights | None:
    return rights_from(held[keeper]) if keeper in held else None


def _grants_of(people: Iterable[UUID]) -> dict[UUID, list[Place]]:
    """The running grants of many people, their groups' too; one query."""
    grants: dict[UUID, list[Place]] = defaultdict(list)
    for person, place in places_held(list(people), running_grants()):
        grants[person].append(place)
    return grants


def rights_of_all(people: Iterable[UUID]) -> dict[UUID, Rights]:
    """What each of many may do, of those who hold anything; one query. No robots."""
    ids = list(people)
    return {person: rights_from(grants) for person, grants in _grants_of(ids).items()} if ids else {}


def doubtful(comers: Sequence[Comer], *, seconds: float) -> list[int]:
    """Positions of those whose rights or presence may have changed in the last seconds. Some of them may be well.

    A few queries that find next to nothing, for thousands of comers: `actors_again` then looks at the few.
    """
    people = _changed_people(seconds)
    gone = [place for place, (actor, _token) in enumerate(comers) if actor.id in people]
    if not all_of(_sessions(), {actor.session for actor, token in comers if token is None}):
        gone += [place for place, (_actor, token) in enumerate(comers) if token is None]
    if not all_of(_tokens(), {token.pk for _actor, token in comers if token is not None}):
        gone += [place for place, (_actor, token) in enumerate(comers) if token is not None]
    return sorted(set(gone))


def _changed_people(seconds: float) -> set[UUID]:
    recent, now = from_now(timedelta(seconds=-seconds)), Now()

    def moved(*times: str) -> Q:
        return reduce(or_, (Q(**{f"{name}__gt": recent, f"{name}__lte": now}) for name in times))

    less = Q(custom__updated_at__gt=recent, ended_at=None)  # what they hold may now allow less
    grants = Grant.objects.filter(moved("created_at", "ended_at", "starts_at", "ends_at") | less)
    of_groups = Q(ended_at=None, group__in=grants.exclude(group=None).values("group"))
    members = Membership.objects.filter(moved("created_at", "ended_at") | of_groups).values_list("user_id", flat=True)
    disabled = User.objects.filter(is_active=False).values_list("pk", flat=True)
    own = grants.exclude(user=None).values_list("user_id", flat=True)
    changed = {*own, *members}
    return {*changed, *disabled, *keeping.doubtful_robots(changed)}


def all_of(rows: QuerySet[Any], keys: set[Any]) -> bool:
    """Whether each of the keys is still there."""
    wanted = list(keys)
    parts = (wanted[first : first + MOST_KEYS] for first in range(0, len(wanted), MOST_KEYS))
    return all(rows.filter(pk__in=part).count() == len(part) for part in parts)


def _sessions() -> QuerySet[Any]:
    model = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class()
    rows: QuerySet[Any] = model.objects.filter(expire_date__gt=Now())
    return rows


def _tokens() -> QuerySet[Any]:
    open_places = Q(project=None) | Q(project__deleted_at=None)
    rows: QuerySet[Any] = Token.objects.filter(open_places, Q(expiry=None) | Q(expiry__gt=Now()))
    return rows


def _still_in(comers: Sequence[Comer]) -> list[bool]:
    """Whether the session or the token that each came with is still good."""
    keys = [actor.session for actor, token in comers if token is None]
    sessions = set(_sessions().filter(pk__in=keys).values_list("pk", flat=True))
    tokens = dict(_tokens().filter(pk__in=[t.pk for _actor, t in comers if t]).values_list("pk", "barred"))
    for _actor, token in comers:
        if token is not None:
            token.barred = tokens.get(token.pk, token.barred)  # the row may be hours old
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
