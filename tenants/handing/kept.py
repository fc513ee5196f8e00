"""What somebody keeps for others at a place, and what of it can go to another member when they are removed.

Only what stays without anybody is here: their own rights, tokens and requests end with them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Model, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.access import Actor, may
from tenants.breakglass.services import SOURCE as BREAK_GLASS
from tenants.custom.resolving import codes_at, holding, role_of, title_at, title_of
from tenants.giving import tenant_of
from tenants.groups.holding import by_holder, place_of, places_held
from tenants.lifecycle import why_closed
from tenants.members.cutting import Place, at, tokens_at
from tenants.models import Grant, Project, Review, Robot, Tenant, User
from tenants.requests.registry import words_of
from tenants.requests.selectors import decidable
from tenants.reviews.deciding import OWNER, answerable, only_owner
from tenants.rights import actor_now, rights_from, running_grants
from tenants.roles import PERMISSIONS

ROLE, ROBOT, REQUEST, REVIEW, TOKEN, OWNERSHIP = "role", "robot", "request", "review", "token", "owner"
ICONS = {ROLE: "id-badge-2", ROBOT: "key", REQUEST: "checks", REVIEW: "list-details", TOKEN: "key", OWNERSHIP: "lock"}


@dataclass(frozen=True)
class Kept:
    """One thing. `name` and `project` are for programs, `words` for people; `why_not`: why it goes over to nobody.

    `row` is what it is: a Grant, Robot, Request, Review or Token.
    """

    kind: str
    name: str
    project: str
    words: str
    row: Model
    why_not: str = ""

    @property
    def icon(self) -> str:
        return ICONS[self.kind]

    @property
    def named(self) -> str:
        """For the audit, such as “robot shop/ci”; the same in every language."""
        return f"{self.kind} {self.project}/{self.name}" if self.project else f"{self.kind} {self.name}"


def kept(actor: Actor, place: Place, person: User, to: User | None = None) -> list[Kept]:
    """All that they keep there. With `to`, what that person cannot take, or `actor` cannot hand over, says why."""
    roles = [_role(actor, grant, to) for grant in only_admin(person.pk, place)]
    after = _after(to, [one.row for one in roles if not one.why_not]) if to else None
    leaving = actor_now(person.pk)
    return [
        *_ownership(place, person),
        *roles,
        *(_robot(actor, robot, after) for robot in _robots(place, person)),
        *_requests(place, leaving, after),
        *_reviews(place, leaving, after),
        *_tokens(place, person),
    ]


def only_admin(person: UUID, place: Place) -> list[Grant]:
    """Roles by which they, and nobody else, give roles in a project; also those by a group. Of one role the longest.

    What was taken at once in an emergency is nothing that somebody keeps.
    """
    managing = holding(["member.manage"], tenant_of(place))
    rows = Grant.objects.filter(running_grants(), at(place), managing, project__deleted_at=None).exclude(project=None)
    rows = rows.exclude(source=BREAK_GLASS)
    people = User.objects.filter(is_active=True, robot=None).exclude(pk=person)
    with_others = set(by_holder(rows).filter(holder__in=people.values("pk")).values_list("project_id", flat=True))
    mine = by_holder(rows.exclude(project__in=with_others)).filter(holder=person)
    found: dict[tuple[Any, str], Grant] = {}
    for grant in mine.select_related("project__tenant", "custom").order_by("project__name", "role", "created_at"):
        known = found.get((grant.project_id, grant.role))
        if known is None or (known.ends_at and (grant.ends_at is None or grant.ends_at > known.ends_at)):
            found[(grant.project_id, grant.role)] = grant
    return list(found.values())


def _role(actor: Actor, grant: Grant, to: User | None) -> Kept:
    project, role = grant.project, role_of(grant)
    if project is None or role is None:
        raise TypeError("only_admin answers with roles on projects that hold a permission")
    words = _("the role “%(role)s” in %(project)s, with which nobody else gives roles there") % {
        "role": title_of(grant),
        "project": project.name,
    }
    why_not = _closed(project) or _you_lack(actor, project, role.permissions)
    if not why_not and to is not None and _has_already(to, grant):
        why_not = _("%(person)s has this role there already, from a later time on.") % {"person": to.get_username()}
    return Kept(ROLE, grant.role, project.name, words, grant, why_not)


def _has_already(to: User, grant: Grant) -> bool:
    not_over = Q(ends_at=None) | Q(ends_at__gt=Now())
    return Grant.objects.filter(not_over, user=to, role=grant.role, project=grant.project, ended_at=None).exists()


def _after(to: User, roles: Iterable[Any]) -> Actor:
    """The successor as they will be, with these grants' roles."""
    held = [place for _person, place in places_held([to.pk], running_grants())]
    return Actor(to.pk, to.get_username(), rights_from([*held, *(place_of(grant) for grant in roles)]))


def _robots(place: Place, person: User) -> Iterable[Robot]:
    rows = Robot.objects.filter(at(place), keeper=person, removed_at=None, project__deleted_at=None)
    return rows.select_related("user", "keeper", "project__tenant").order_by("project__name", "name")


def _robot(actor: Actor, robot: Robot, after: Actor | None) -> Kept:
    project = robot.project
    codes = codes_at(project.tenant_id, robot.role)
    words = _("the robot %(robot)s in %(project)s, “%(role)s”") % {
        "robot": robot.name,
        "project": project.name,
        "role": title_at(project.tenant_id, robot.role),
    }
    why_not = _closed(project) or ("" if codes else _("Its role is there no more.")) or _you_lack(actor, project, codes)
    if not why_not and after is not None and (lacks := _lacks(after, project, codes)):
        why_not = _("%(person)s lacks there: %(what)s.") % {"person": after.name, "what": lacks}
    return Kept(ROBOT, robot.name, project.name, words, robot, why_not)


def _closed(project: Project) -> str:
    return "" if project.state == Project.State.ACTIVE else why_closed(project)


def _you_lack(actor: Actor, project: Project, codes: Iterable[str]) -> str:
    lacks = _lacks(actor, project, codes)
    return _("You lack there: %(what)s. Nobody hands over more than they hold.") % {"what": lacks} if lacks else ""


def _lacks(who: Actor, project: Project, codes: Iterable[str]) -> str:
    return ", ".join(str(PERMISSIONS[code]) for code in sorted(codes) if not may(who, code, project))


def _requests(place: Place, leaving: Actor, after: Actor | None) -> Iterable[Kept]:
    """Those that wait for their answer. Nobody's alone: whoever takes them over is told of them."""
    decides = set(decidable(after).filter(at(place)).values_list("pk", flat=True)) if after else set()
    for row in decidable(leaving).filter(at(place)).order_by("created_at"):
        why_not = ""
        if after is not None and row.asked_by_id == after.id:
            why_not = _("Nobody decides what they asked for.")
        elif after is not None and row.pk not in decides:
            why_not = _("%(person)s may not decide it.") % {"person": after.name}
        words = _("waits for an answer: %(what)s") % {"what": words_of(row)}
        yield Kept(REQUEST, str(row.pk), row.project.name if row.project else "", words, row, why_not)


def _reviews(place: Place, leaving: Actor, after: Actor | None) -> Iterable[Kept]:
    """Roles that wait for their answer in running reviews, those that `after` may answer apart from the others."""
    lines = answerable(leaving).filter(at(place))
    can = lines.filter(pk__in=answerable(after).values("pk")) if after else lines
    cannot = lines.exclude(pk__in=can.values("pk"))
    why_not = _("%(person)s may not answer for these.") % {"person": after.name} if after else ""
    for rows, said in ((can, ""), (cannot, why_not)):
        counted = dict(rows.order_by().values_list("review").annotate(count=Count("pk")))
        for review in Review.objects.filter(pk__in=counted).select_related("project").order_by("ends_at", "id"):
            count = counted[review.pk]
            words = ngettext(
                "%(count)s role to answer for in the review %(name)s",
                "%(count)s roles to answer for in the review %(name)s",
                count,
            ) % {"count": count, "name": review.name}
            yield Kept(REVIEW, review.name, review.project.name if review.project else "", words, review, said)


def _tokens(place: Place, person: User) -> Iterable[Kept]:
    for token in tokens_at(person.pk, place).select_related("tenant", "project").order_by("name"):
        where = token.project or token.tenant
        words = _("the token %(name)s of %(place)s") % {"name": token.name, "place": where.name if where else ""}
        why_not = _("It is theirs and acts as they, so it ends. Make a robot for what uses it.")
        yield Kept(TOKEN, token.name, token.project.name if token.project else "", words, token, why_not)


def _ownership(place: Place, person: User) -> Iterable[Kept]:
    if not isinstance(place, Tenant) or not only_owner(place.pk):
        return
    mine = Grant.objects.filter(running_grants(), user=person, tenant=place, project=None, role=OWNER).first()
    if mine is not None:
        why_not = _("Nobody hands over a tenant on the way: make somebody else an owner first.")
        yield Kept(OWNERSHIP, OWNER, "", _("the last owner of %(place)s") % {"place": place.name}, mine, why_not)
