"""From grants to rights: one query a request."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from django.db.models import Model, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from core.access import NOBODY, Actor, Codes, Rights, places_of
from core.clock import from_now
from tenants.groups.holding import PLACE, Place, held_by
from tenants.models import Grant, Tenant, Token, User
from tenants.robots.keeping import kept_within
from tenants.robots.models import SOURCE as ROBOT
from tenants.roles import allowed

USE_NOTED_EVERY = timedelta(hours=1)
_sets: dict[Codes, Codes] = {}  # as many as there are mixtures of roles


def running_grants() -> Q:
    """Those that hold at this moment, by the database's clock. In a disabled tenant none does."""
    in_time = Q(ended_at__isnull=True, starts_at__lte=Now()) & (Q(ends_at__isnull=True) | Q(ends_at__gt=Now()))
    return in_time & ~Q(tenant__state=Tenant.DISABLED)


def rights_of(user: User, token: Token | None = None) -> Rights:
    """All that a user may do; with a token as far as its place and its scopes go.

    Their own grants and those of groups they are in. A grant on a project lets one see that its tenant exists.
    """
    held = list(Grant.objects.filter(running_grants(), held_by(user)).values_list(*PLACE, "ends_at"))
    rights = rights_from(((role, *place) for role, *place, _end in held), token)
    if user.source == ROBOT:
        rights = _kept(user, rights)
    ends = tuple(end for *_place, end in held if end is not None)
    return replace(rights, ends=ends) if ends else rights


def _kept(user: User, rights: Rights) -> Rights:
    """A robot's rights as far as its keeper's go; one query more, and two where the robot's row is not at hand."""
    keeper = user.robot.keeper
    return kept_within(user.robot, rights, rights_of(keeper) if keeper is not None and keeper.is_active else None)


def rights_from(grants: Iterable[Place], token: Token | None = None) -> Rights:
    """As `rights_of`, of running grants that were read already."""
    platform: set[str] = set()
    tenants: dict[uuid.UUID, set[str]] = defaultdict(set)
    projects: dict[uuid.UUID, set[str]] = defaultdict(set)
    for role, tenant, project, own in _within(token, grants):
        codes = allowed(role, own)
        if project is not None and tenant is not None:
            projects[project] |= codes
            tenants[tenant] |= {"tenant.view"}
        elif tenant is not None:
            tenants[tenant] |= codes | {"tenant.view"}
        else:
            platform |= codes
    ceiling: Codes | None = frozenset(token.scopes) if token is not None and token.scopes else None
    return Rights(
        platform=_shared(platform),
        own=frozenset() if token is not None and token.tenant_id else frozenset({"account.own"}),
        tenants={key: _shared(codes) for key, codes in tenants.items()},
        projects={key: _shared(codes) for key, codes in projects.items()},
        ceiling=ceiling,
    )


def _shared(codes: set[str]) -> Codes:
    """The same set for everybody who may do the same: thousands of open sockets hold one each."""
    found = frozenset(codes)
    return _sets.setdefault(found, found)


def _within(token: Token | None, grants: Iterable[Place]) -> Iterator[Place]:
    """The grants as far as a token's place goes: a role in its tenant is one in its project alone."""
    if token is None:
        yield from grants
        return
    if token.tenant_id is None:
        yield from (place for place in grants if str(place[1]) not in token.barred)
        return
    for role, tenant, project, own in grants:
        if tenant != token.tenant_id:
            continue
        if token.project_id is None or project == token.project_id:
            yield role, tenant, project, own
        elif project is None:
            yield role, tenant, token.project_id, own


def actor_now(user_id: uuid.UUID | None) -> Actor:
    """The actor that a user is at this moment; nobody where the user is gone or disabled."""
    user = User.objects.filter(pk=user_id, is_active=True).first() if user_id else None
    return Actor(user.pk, user.get_username(), rights_of(user)) if user else NOBODY


def grants_behind(person: uuid.UUID, permissions: tuple[str, ...], target: Model | None) -> list[str]:
    """Ids of the running grants that hold one of the permissions at the place of the target, the oldest first."""
    tenant, project = places_of(target)
    here = Q(tenant=None)
    if tenant is not None:
        here |= Q(tenant=tenant, project=None)
    if project is not None:
        here |= Q(project=project)
    rows = Grant.objects.filter(running_grants(), here, held_by(person)).order_by("created_at")
    found = rows.values_list("pk", "role", "custom__permissions")
    return [str(key) for key, role, own in found if allowed(role, own) & set(permissions)]


def note_use(grants: list[str]) -> None:
    """Remember, once an hour at most, when something was last done under these grants.

    After the commit: a lock on a grant that lasts as long as the command would stand in the way of whoever ends it.
    """

    def write() -> None:
        old = Q(last_used_at=None) | Q(last_used_at__lt=from_now(-USE_NOTED_EVERY))
        Grant.objects.filter(old, pk__in=grants).update(last_used_at=Now())

    transaction.on_commit(write, robust=True)


def who_grants(permission: str, target: Model | None) -> str:
    """The next step of a denial: whom to ask."""
    tenant_id, _project = places_of(target)
    tenant = Tenant.objects.filter(pk=tenant_id).first() if tenant_id else None
    if tenant is None:
        return _("A platform operator can give it to you.")
    return _("An owner or admin of tenant %(tenant)s can give it to you.") % {"tenant": tenant.name}
