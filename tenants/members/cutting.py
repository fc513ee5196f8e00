"""What ends at once when somebody is removed. The packages above tell what of theirs would be cut."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import ngettext

from core.errors import Text
from operations.models import Operation
from tenants.models import Project, Request, Robot, Tenant, Token

Place = Tenant | Project


@dataclass(frozen=True)
class Cut:
    """`kind` is for programs; `words` says how many of what in one line."""

    kind: str
    icon: str
    count: int
    words: Text


_finders: list[Callable[[UUID, Place], list[Cut]]] = []


def register_cut(find: Callable[[UUID, Place], list[Cut]]) -> None:
    """`find(person, place)` answers what of a person at a place would end."""
    _finders.append(find)


def at(place: Place) -> Q:
    """Rows with tenant and project columns that lie at the place."""
    return Q(project_id=place.pk) if isinstance(place, Project) else Q(tenant_id=place.pk)


def cuts(person: UUID, place: Place) -> list[Cut]:
    """All that would end, the kinds of which there is something."""
    found = [*_own(person, place), *(cut for find in _finders for cut in find(person, place))]
    return [cut for cut in found if cut.count]


def _own(person: UUID, place: Place) -> list[Cut]:
    waiting = Operation.objects.filter(at(place), requested_by=person, state="pending").count()
    tokens = tokens_at(person, place).count()
    kept = Robot.objects.filter(at(place), keeper=person, removed_at=None).count()
    asked = Request.objects.filter(at(place), asked_by=person, state="open").count()
    return [
        Cut("operations", "activity", waiting, _say(waiting, "operations")),
        Cut("tokens", "key", tokens, _say(tokens, "tokens")),
        Cut("robots", "key", kept, _say(kept, "robots")),
        Cut("requests", "checks", asked, _say(asked, "requests")),
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
        "requests": ngettext("withdraw %(count)s open request", "withdraw %(count)s open requests", count),
    }
    return words[kind] % {"count": count}
