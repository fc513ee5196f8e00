"""Robots, and the tokens that count in one project or tenant. Each public function is a command."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet, TextField, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.errors import Changed, Conflict, Denied, FieldProblem, Invalid, NotFound
from core.names import RULE, is_label
from core.secrets import Secret
from tenants.changes import tell_of
from tenants.giving import check_holds, check_role, lock_grants
from tenants.models import Project, Tenant, Token, User
from tenants.rights import actor_now
from tenants.robots import telling
from tenants.robots.models import SOURCE, Robot
from tenants.robots.retiring import retire
from tenants.services import give_grant
from tenants.tokens import end_tokens, made_token, made_with


@command("robot.create", permission="member.manage")
def create_robot(actor: Actor, project: Project, *, name: str, role: str) -> Robot:
    """A robot with one role in the project, which is never more than its maker holds there; they are its keeper."""
    keeper = _keeper(actor)
    lock_grants(
        actor, project
    )  # before rows are written that hold on to the tenant: of two at once none waits for ever
    if not is_label(name):
        raise Invalid(errors=[FieldProblem("name", "bad_name", RULE)])
    try:
        with transaction.atomic():
            robot = _made(keeper, project, name=name, role=role)
            give_grant(actor, project, user=robot.user, role=role, reason=SOURCE)  # never more than is held here
    except IntegrityError:
        message = _("This project has a robot called “%(name)s” already.") % {"name": name}
        raise Conflict(message, code="name_taken", hint=_("Take another name.")) from None
    describe(target=robot, after={"name": name, "role": role})
    return robot


def _keeper(actor: Actor) -> User:
    """Who asks, as the one who answers for a robot from now on."""
    people = User.objects.filter(is_active=True).exclude(source=SOURCE)
    found = people.filter(pk=actor.id).first() if actor.id else None
    if found is None:
        raise Denied(_("Robots are made and kept by people."), hint=_("Do it as a person who manages members here."))
    return found


def _made(keeper: User, project: Project, *, name: str, role: str) -> Robot:
    robot = Robot(tenant_id=project.tenant_id, project=project, name=name, role=role, keeper=keeper)
    robot.made_by = keeper.get_username()
    user = User(username=f"robot:{project}/{name}", title=name, source=SOURCE, external_id=str(robot.pk))
    user.set_unusable_password()
    user.save(force_insert=True)
    robot.user = user
    robot.save(force_insert=True)
    return robot


@command("robot.remove", permission="member.manage", even_closed=True)
def remove_robot(actor: Actor, robot: Robot) -> None:
    """End a robot with all its tokens at once. What it did stays in the audit under its name."""
    lock_grants(actor, robot.project)  # in turn with whoever hands it over
    describe(before={"name": robot.name, "role": robot.role})
    retire(robot, by=actor.name)


@command("robot.token", permission="member.manage")
def create_robot_token(
    actor: Actor,
    robot: Robot,
    *,
    name: str,
    scopes: list[str] | None = None,
    lifetime: timedelta | None = None,
) -> tuple[Token, Secret]:
    """A token of a robot. Who makes it reads it, so they must hold all that the robot may."""
    check_role(actor, robot.project, robot.role)
    return made_token(actor, robot.user, name=name, scopes=scopes, lifetime=lifetime, limit=robot.project)


@command("robot.take_over", permission="member.manage")
def take_over_robot(actor: Actor, robot: Robot) -> Robot:
    """Answer for a robot from now on, for who holds all of its role here; what it may is cut to theirs at once."""
    keeper = _keeper(actor)
    lock_grants(actor, robot.project)  # in turn with whoever removes its keeper and hands it over
    robot.refresh_from_db(fields=["keeper", "removed_at"])
    if robot.removed_at is not None:
        raise NotFound()
    before = robot.keeper
    check_role(actor, robot.project, robot.role)
    if before is not None and before.pk == keeper.pk:
        raise Conflict(_("You keep this robot already."))
    robot.keeper = keeper
    robot.save(update_fields=["keeper"])
    describe(
        before={"keeper": before.get_username() if before else None},
        after={"keeper": keeper.get_username()},
        detail={"role": robot.role},
    )
    telling.taken_over(robot, before=before, by=keeper)
    tell_of(robot.user_id)
    return robot


@command("robot.hand_over", permission="member.manage")
def hand_over_robot(actor: Actor, robot: Robot, *, to: User) -> Robot:
    """Another keeper, who holds all of its role here, as does whoever hands it over.

    Raises Changed where somebody else took it over since it was read.
    """
    role, before = check_role(actor, robot.project, robot.role), robot.keeper
    check_holds(actor_now(to.pk), robot.project, role.permissions)
    if not Robot.objects.filter(pk=robot.pk, keeper=before, removed_at=None).update(keeper=to):
        raise Changed()
    robot.keeper = to
    describe(
        before={"keeper": before.get_username() if before else None},
        after={"keeper": to.get_username()},
        detail={"role": robot.role},
    )
    telling.taken_over(robot, before=before, by=to, but=actor)
    tell_of(robot.user_id)
    return robot


@command("token.revoke_in_project", permission="member.manage", even_closed=True)
def revoke_project_token(actor: Actor, project: Project, *, token: Token) -> None:
    """End a token that counts only in this project, whoever made it, with those that were made with it."""
    describe(before={"name": token.name, "of": token.user.get_username(), "prefix": token.token_key})
    describe(detail={"ended": end_tokens(Token.objects.filter(pk=token.pk))})
    telling.revoked(token, project.tenant, by=actor, reason="")


@command("token.revoke_in_tenant", permission="member.manage", even_closed=True)
def revoke_tenant_token(actor: Actor, tenant: Tenant, *, token: Token, reason: str) -> None:
    """End a token that counts in the tenant. One that its owner made for all their places goes on in the others.

    Those that were made with it go the same way.
    """
    if not reason.strip():
        raise Invalid(errors=[FieldProblem("reason", "required", _("Say why; the owner reads it."))])
    owner = token.user.get_username()
    describe(before={"name": token.name, "of": owner, "prefix": token.token_key, "scopes": token.scopes})
    _end_here(Token.objects.select_for_update().filter(pk=token.pk), tenant)
    telling.revoked(token, tenant, by=actor, reason=reason)


def _end_here(tokens: QuerySet[Token], tenant: Tenant) -> None:
    """End those limited to the tenant, and let the others count there no more."""
    rows = list(tokens)
    family = [row.pk for row in (*rows, *made_with(rows))]
    end_tokens(Token.objects.filter(pk__in=family, tenant=tenant))
    barred = Concat("barred", Value(f"{tenant.pk} "), output_field=TextField())
    others = Token.objects.filter(pk__in=family, tenant=None)
    others.exclude(barred__contains=str(tenant.pk)).update(barred=barred)
    for person in set(others.values_list("user", flat=True)):
        tell_of(person)
