"""A robot's keeper: what the robot may is at every moment a part of what its keeper may there.

The keeper is who made the robot, or who took it over since. Without one, with one that is disabled, or with one that
holds nothing of the robot's role any more, the robot stands still: none of its tokens counts.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from core.access import NONE, Codes, Rights
from tenants.robots.models import Robot


def kept_within(robot: Robot, rights: Rights, keeper: Rights | None) -> Rights:
    """A robot's own rights, cut to its project and to what its keeper holds there; `keeper` None: to nothing."""
    held = _held(robot, keeper) & rights.projects.get(robot.project_id, NONE)
    if not held:
        return Rights()
    seen = {robot.tenant_id: frozenset({"tenant.view"})}
    return Rights(tenants=seen, projects={robot.project_id: held}, own=rights.own, ceiling=rights.ceiling)


def _held(robot: Robot, keeper: Rights | None) -> Codes:
    if keeper is None:
        return NONE
    return keeper.platform | keeper.tenants.get(robot.tenant_id, NONE) | keeper.projects.get(robot.project_id, NONE)


def stands_still(rights: Rights) -> bool:
    """Whether a robot with these rights is to be turned away: it may nothing at all."""
    return not rights.projects


def robots_of(users: Iterable[UUID]) -> dict[UUID, Robot]:
    """The robots among the accounts, by their user's id; one query."""
    ids = list(users)
    return {one.user_id: one for one in Robot.objects.filter(user__in=ids, removed_at=None)} if ids else {}


def doubtful_robots(people: Iterable[UUID]) -> list[UUID]:
    """User ids of the robots whose keeper is one of these people, or is disabled."""
    kept = Q(keeper__in=list(people)) | Q(keeper__is_active=False)
    return list(Robot.objects.filter(kept, removed_at=None).values_list("user_id", flat=True))
