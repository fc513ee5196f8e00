"""The kinds of requests. A package that knows how to carry one out registers it here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from core.access import Actor
from core.errors import FieldProblem, Invalid
from tenants.models import Project, Tenant
from tenants.requests.models import Request

Place = Tenant | Project
Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """`permission`: whoever holds it at the request's place may decide.

    `decide` carries an approved request out, in the decider's name and transaction; what it raises undoes the approval.
    `words` says in one sentence without an end mark what is asked for, in the reader's language.
    `check` looks at what is asked before it is kept: answers (subject, payload), or raises Invalid or Conflict.
    `refuse`, where there is one, does what a rejection has to do besides.
    """

    name: str
    permission: str
    decide: Callable[[Actor, Request], None]
    words: Callable[[Request], str]
    check: Callable[[Actor, Place, Payload], tuple[str, dict[str, Any]]]
    refuse: Callable[[Actor, Request], None] | None = None


KINDS: dict[str, Kind] = {}


def register(
    name: str,
    *,
    permission: str,
    decide: Callable[[Actor, Request], None],
    words: Callable[[Request], str],
    check: Callable[[Actor, Place, Payload], tuple[str, dict[str, Any]]],
    refuse: Callable[[Actor, Request], None] | None = None,
) -> None:
    if name in KINDS:
        raise ValueError(f"request kind {name} is registered twice")
    KINDS[name] = Kind(name, permission, decide, words, check, refuse)


def kind_named(name: str) -> Kind:
    """The kind; Invalid in field `kind` where there is none of that name."""
    found = KINDS.get(name)
    if found is None:
        message = _("There are these kinds of requests: %(kinds)s.") % {"kinds": ", ".join(sorted(KINDS))}
        raise Invalid(errors=[FieldProblem("kind", "unknown", message)])
    return found


def words_of(request: Request) -> str:
    """What is asked for; the kind's name where this version does not know it."""
    kind = KINDS.get(request.kind)
    return kind.words(request) if kind else request.kind
