"""What removing somebody would do: said before it is done, on the page and over HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.access import Actor, may
from tenants.handing.doing import successor
from tenants.handing.kept import ROBOT, Kept, kept
from tenants.members.cutting import Cut, Place, cuts
from tenants.models import User


@dataclass(frozen=True)
class Removal:
    """`to`: who takes over what can go over; None where nobody is named yet."""

    to: User | None
    cuts: Sequence[Cut]
    keeps: Sequence[Kept]

    @property
    def goes(self) -> list[Kept]:
        """To the one named, or what could go to somebody."""
        return [one for one in self.keeps if not one.why_not]

    @property
    def stays(self) -> list[Kept]:
        return [one for one in self.keeps if one.why_not]

    @property
    def shown(self) -> list[dict[str, Any]]:
        return [
            {
                "kind": one.kind,
                "name": one.name,
                "project": one.project or None,
                "words": one.words,
                "goes_over": False if one.why_not else True if self.to else None,
                "why_not": one.why_not or None,
            }
            for one in self.keeps
        ]


def removal(actor: Actor, place: Place, person: User, to: str = "") -> Removal:
    """What they keep is told to who could remove them. Raises Invalid where nobody there has the user name `to`."""
    if not may(actor, "member.manage", place):
        return Removal(None, cuts(person.pk, place), [])
    taker = successor(actor, place, to, instead_of=person) if to else None
    keeps = kept(actor, place, person, taker)
    spared = sum(one.kind == ROBOT and not one.why_not for one in keeps) if taker else 0
    return Removal(taker, cuts(person.pk, place, robots_spared=spared), keeps)
