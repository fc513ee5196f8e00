"""What ends when people go out of a group: said before it is done."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.access import Rights
from tenants.groups import selectors
from tenants.groups.holding import PLACE, by_holder, place_of
from tenants.groups.holding import Place as Held
from tenants.groups.models import Group
from tenants.members.cutting import Cut, Place, cuts_with_rights
from tenants.members.selectors import shown_grant
from tenants.models import Grant, Tenant
from tenants.rights import rights_from, running_grants


@dataclass(frozen=True)
class Losing:
    """`people` go out; so many of them are `losing` a right. `cuts`: (name of the place, what ends there)."""

    people: int
    losing: int
    grants: list[Grant]
    cuts: list[tuple[str, Cut]]


def losing(group: Group, people: Collection[UUID] | None = None) -> Losing:
    """Of some of its people, or of all. Four queries, and two more for each place where a right is lost."""
    out = list(selectors.members(group).values_list("user_id", flat=True) if people is None else people)
    grants, others = selectors.grants(group), _others(group, out)
    given: list[Held] = [place_of(one) for one in grants]
    with_and_without = {one: (rights_from([*others[one], *given]), rights_from(others[one])) for one in out}
    places: dict[str, Place] = {}
    lost: dict[str, set[UUID]] = defaultdict(set)
    for grant in sorted(grants, key=lambda one: one.project_id is not None):  # the whole tenant first
        place = grant.project or group.tenant
        places[str(place)] = place
        for person, (before, after) in with_and_without.items():
            counted = person in lost[str(group.tenant)] and not isinstance(place, Tenant)
            if not counted and _codes(before, grant) - _codes(after, grant):
                lost[str(place)].add(person)
    cuts = [(name, cut) for name, who in lost.items() if who for cut in cuts_with_rights(who, places[name])]
    return Losing(len(out), len(set().union(*lost.values())), grants, cuts)


def _others(group: Group, people: Collection[UUID]) -> dict[UUID, list[Held]]:
    """What these people hold in the tenant without this group."""
    found: dict[UUID, list[Held]] = defaultdict(list)
    rows = by_holder(Grant.objects.filter(running_grants(), tenant=group.tenant_id).exclude(group=group))
    for person, *place in rows.filter(holder__in=people).values_list("holder", *PLACE):
        found[person].append((place[0], place[1], place[2], place[3]))
    return found


def _codes(rights: Rights, grant: Grant) -> set[str]:
    """What is allowed at the place of a grant."""
    found: set[str] = set()
    if grant.tenant_id:
        found |= rights.tenants.get(grant.tenant_id, frozenset())
    if grant.project_id:
        found |= rights.projects.get(grant.project_id, frozenset())
    return found


def shown(one: Losing) -> dict[str, Any]:
    cuts = [{"place": place, "kind": cut.kind, "count": cut.count, "words": str(cut.words)} for place, cut in one.cuts]
    grants = [shown_grant(grant) for grant in one.grants]
    return {"people": one.people, "losing": one.losing, "grants": grants, "cuts": cuts}
