"""Hands over what somebody keeps for others, as a part of the command that removes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.access import Actor
from core.errors import FieldProblem, Invalid
from tenants.groups.holding import holders
from tenants.handing import telling
from tenants.handing.kept import ROBOT, ROLE, Kept, kept
from tenants.members.cutting import Place
from tenants.members.selectors import seen_grants
from tenants.models import Grant, Project, Robot, User
from tenants.robots.services import hand_over_robot
from tenants.services import give_grant


@dataclass(frozen=True)
class Handed:
    """What somebody kept, and who has of it what could go over; to nobody, nothing."""

    to: User | None = None
    found: Sequence[Kept] = ()

    @property
    def went(self) -> list[Kept]:
        return [one for one in self.found if not one.why_not]

    @property
    def before(self) -> dict[str, Any]:
        """For the audit, as is `after`."""
        return {"keeps": [one.named for one in self.found]} if self.to else {}

    @property
    def after(self) -> dict[str, Any]:
        if self.to is None:
            return {}
        return {
            "handed_over_to": self.to.get_username(),
            "handed_over": [one.named for one in self.went],
            "not_handed_over": [one.named for one in self.found if one.why_not],
        }


def successors(actor: Actor, place: Place, *, instead_of: User) -> QuerySet[User]:
    """Members whom the actor sees there, without the person themselves and without robots."""
    found = holders(seen_grants(actor, place)).filter(is_active=True, robot=None)
    return found.exclude(pk=instead_of.pk).order_by("username")


def successor(actor: Actor, place: Place, name: str, *, instead_of: User) -> User:
    """By user name. The same Invalid for nobody and for somebody of elsewhere."""
    found = successors(actor, place, instead_of=instead_of).filter(username=name).first()
    if found is None:
        message = _("No other member here has this user name.")
        hint = _("Give them a role here first, or name somebody else.")
        raise Invalid(message, hint=hint, errors=[FieldProblem("hand_over_to", "no_member", message, hint)])
    return found


def hand_over(actor: Actor, place: Place, person: User, name: str) -> Handed:
    """To the member of that name all that can go over. Call it with the tenant locked, before anything is ended."""
    to = successor(actor, place, name, instead_of=person)
    handed = Handed(to, kept(actor, place, person, to))
    for one in handed.went:
        if one.kind in _DEEDS:
            _DEEDS[one.kind](actor, one, person, to)
    telling.handed_over(place, handed.went, person=person, to=to, by=actor)
    return handed


def _give(actor: Actor, one: Kept, person: User, to: User) -> None:
    """The role as long as it was given to the person."""
    grant = cast(Grant, one.row)
    reason = _("handed over from %(person)s") % {"person": person.get_username()}
    give_grant(actor, cast(Project, grant.project), user=to, role=grant.role, ends_at=grant.ends_at, reason=reason)


def _keep(actor: Actor, one: Kept, person: User, to: User) -> None:
    hand_over_robot(actor, cast(Robot, one.row), to=to)


_DEEDS: dict[str, Callable[[Actor, Kept, User, User], None]] = {ROLE: _give, ROBOT: _keep}  # others only wait
