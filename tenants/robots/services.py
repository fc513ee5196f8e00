"""Robots and the tokens that count in one project. Each public function is a command."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor, may
from core.errors import Conflict, Denied, FieldProblem, Invalid
from core.names import RULE, is_label
from core.secrets import Secret
from tenants.changes import tell_of
from tenants.models import Project, Token, User
from tenants.rights import rights_of
from tenants.robots.models import SOURCE, Robot
from tenants.robots.retiring import retire
from tenants.services import give_grant
from tenants.tokens import DEFAULT_TOKEN_LIFE, made_token


@command("robot.create", permission="member.manage")
def create_robot(actor: Actor, project: Project, *, name: str, role: str) -> Robot:
    """A robot with one role in the project, which is never more than its maker holds there."""
    if not is_label(name):
        raise Invalid(errors=[FieldProblem("name", "bad_name", RULE)])
    try:
        with transaction.atomic():
            robot = _made(actor, project, name=name, role=role)
            give_grant(actor, project, user=robot.user, role=role, reason=SOURCE)  # never more than is held here
    except IntegrityError:
        message = _("This project has a robot called “%(name)s” already.") % {"name": name}
        raise Conflict(message, code="name_taken", hint=_("Take another name.")) from None
    describe(target=robot, after={"name": name, "role": role})
    return robot


def _made(actor: Actor, project: Project, *, name: str, role: str) -> Robot:
    robot = Robot(tenant_id=project.tenant_id, project=project, name=name, role=role, made_by=actor.name)
    user = User(username=f"robot:{project}/{name}", title=name, source=SOURCE, external_id=str(robot.pk))
    user.set_unusable_password()
    user.save(force_insert=True)
    robot.user = user
    robot.save(force_insert=True)
    return robot


@command("robot.remove", permission="member.manage", even_closed=True)
def remove_robot(actor: Actor, robot: Robot) -> None:
    """End a robot with all its tokens at once. What it did stays in the audit under its name."""
    describe(before={"name": robot.name, "role": robot.role})
    retire(robot, by=actor.name)


@command("robot.token", permission="member.manage")
def create_robot_token(
    actor: Actor,
    robot: Robot,
    *,
    name: str,
    scopes: list[str] | None = None,
    lifetime: timedelta = DEFAULT_TOKEN_LIFE,
) -> tuple[Token, Secret]:
    """A token of a robot. Who makes it reads it, so they must hold all that the robot may."""
    _check_holds(actor, robot)
    return made_token(actor, robot.user, name=name, scopes=scopes, lifetime=lifetime, limit=robot.project)


def _check_holds(actor: Actor, robot: Robot) -> None:
    rights = rights_of(robot.user).projects
    missing = sorted(code for code in rights.get(robot.project_id, ()) if not may(actor, code, robot.project))
    if missing:
        message = _("This robot may more than you here; you lack %(missing)s.") % {"missing": ", ".join(missing)}
        raise Denied(message, extra={"permission": missing[0]})


@command("token.revoke_in_project", permission="member.manage", even_closed=True)
def revoke_project_token(actor: Actor, project: Project, *, token: Token) -> None:
    """End a token that counts only in this project, whoever made it."""
    describe(before={"name": token.name, "of": token.user.get_username(), "prefix": token.token_key})
    token.delete()
    tell_of(token.user_id)
