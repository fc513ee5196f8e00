"""What ends at once when somebody is removed. The packages above tell what of theirs would be cut."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import ngettext

from core.errors import Text
from operations.models import Operation
from tenants.groups.models import Membership
from tenants.models import Project, Request, Robot, Tenant, Token

Place = Tenant | Project


@dataclass(frozen=True)
class Cut:
    """`kind` is for programs; `words` says how many of what in one line."""

    kind: str
    icon: str
    count: int
    words: Text


_finders: list[Callable[[Collection[UUID], Place], list[Cut]]] = []


def register_cut(find: Callable[[Collection[UUID], Place], list[Cut]]) -> None:
    """`find(people, place)` answers what of these people at a place would end with their rights."""
    _finders.append(find)


def at(place: Place) -> Q:
    """Rows with tenant and project columns that lie at the place."""
    return Q(project_id=place.pk) if isinstance(place, Project) else Q(tenant_id=place.pk)


def cuts(person: UUID, place: Place, *, robots_spared: int = 0) -> list[Cut]:
    """All that would end, the kinds of which there is something; so many robots go on with another keeper."""
    found = [_waiting([person], place), *_own(person, place, robots_spared), *_open([person], place)]
    return [cut for cut in found if cut.count]


def cuts_with_rights(people: Collection[UUID], place: Place) -> list[Cut]:
    """What of these people would end where they lose their rights there, but stay."""
    return [cut for cut in (_waiting(people, place), *_open(people, place)) if cut.count]


def _open(people: Collection[UUID], place: Place) -> list[Cut]:
    return [cut for find in _finders for cut in find(people, place)]


def _waiting(people: Collection[UUID], place: Place) -> Cut:
    count = Operation.objects.filter(at(place), requested_by__in=people, state="pending").count()
    return Cut("operations", "activity", count, _say(count, "operations"))


def _own(person: UUID, place: Place, robots_spared: int) -> list[Cut]:
    tokens = tokens_at(person, place).count()
    kept = Robot.objects.filter(at(place), keeper=person, removed_at=None).count() - robots_spared
    groups = Membership.objects.filter(tenant=place.pk, user=person, ended_at=None).count()  # a project has none
    asked = Request.objects.filter(at(place), asked_by=person, state="open").count()
    return [
        Cut("tokens", "key", tokens, _say(tokens, "tokens")),
        Cut("robots", "key", kept, _say(kept, "robots")),
        Cut("requests", "checks", asked, _say(asked, "requests")),
        Cut("groups", "users-group", groups, _say(groups, "groups")),
    ]


def tokens_at(person: UUID, place: Place) -> "QuerySet[Token]":
    """Tokens of a person that count only there."""
    found: QuerySet[Token] = Token.objects.filter(at(place), user=person)
    return found


def _say(count: int, kind: str) -> str:
    words = {
        "operations": ngettext("cancel %(count)s operation that waits", "cancel %(count)s operations that wait", count),
        "tokens": ngettext("end %(count)s token of this place", "end %(count)s tokens of this place", count),
        "robots": ngettext(
            "stop %(count)s robot that nobody else keeps",
            "stop %(count)s robots that nobody else keeps",
            count,
        ),
        "groups": ngettext("take them out of %(count)s group", "take them out of %(count)s groups", count),
        "requests": ngettext("withdraw %(count)s open request", "withdraw %(count)s open requests", count),
    }
    return words[kind] % {"count": count}
