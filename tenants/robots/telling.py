"""Who is told of what became of robots and tokens: those who manage the project, and whose token it was."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.access import Actor
from tenants import notices
from tenants.models import Notice, Tenant, Token, User
from tenants.requests.telling import holders
from tenants.robots.models import Robot

TAKEN_OVER, REVOKED = "robot.taken_over", "token.revoked"


def taken_over(robot: Robot, *, before: User | None, by: User, but: Actor | None = None) -> None:
    """All who manage members there, and who kept it until now; `by` keeps it, `but` did it for them and knows."""
    project = robot.project
    people = {*holders("member.manage", tenant=robot.tenant_id, project=project.pk), *({before.pk} if before else ())}
    for person in people - {by.pk, but.id if but else None}:
        notices.tell(
            person,
            TAKEN_OVER,
            level=Notice.Level.WARN,
            params={
                "robot": robot.name,
                "place": notices.place_name(project.tenant, project),
                "person": by.get_username(),
                "before": before.get_username() if before else "",
            },
            link=reverse("project_tokens", kwargs={"tenant": project.tenant.name, "project": project.name}),
            tenant=robot.tenant_id,
            project=project.pk,
        )


def revoked(token: Token, tenant: Tenant, *, by: Actor, reason: str) -> None:
    """Whose token it was, or who keeps the robot; nobody who did it themselves."""
    robot = Robot.objects.filter(user=token.user_id).first()
    person = robot.keeper_id if robot else token.user_id
    if person is None or person == by.id:
        return
    notices.tell(
        person,
        REVOKED,
        level=Notice.Level.WARN,
        params={"token": token.name, "place": tenant.name, "person": by.name, "reason": reason},
        link="" if robot else reverse("tokens"),
        tenant=tenant.pk,
    )


def _kept_before(params: Mapping[str, Any]) -> str:
    before = params.get("before")
    return _("Until now %(person)s kept it.") % {"person": before} if before else _("Nobody kept it.")


def _why(params: Mapping[str, Any]) -> str:
    return _("“%(why)s”") % {"why": params["reason"]} if params.get("reason") else ""


notices.register(
    TAKEN_OVER, gettext_lazy("%(person)s keeps the robot %(robot)s in %(place)s from now on"), _kept_before
)
notices.register(REVOKED, gettext_lazy("%(person)s revoked the token %(token)s in %(place)s"), _why)
