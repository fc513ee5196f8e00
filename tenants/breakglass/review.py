"""The review that a right taken at once leaves behind: an open item until somebody else has looked at it."""

from typing import Any

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from core.access import Actor
from core.errors import FieldProblem, Invalid
from tenants.custom.resolving import title_at
from tenants.groups.holding import tell_holders
from tenants.models import Grant, Request
from tenants.notices import place_name
from tenants.requests.registry import Payload, Place, register

KIND = "review"


def _not_asked(actor: Actor, target: Place, payload: Payload) -> tuple[str, dict[str, Any]]:
    message = _("A review is not asked for: it begins when somebody takes a right at once.")
    raise Invalid(errors=[FieldProblem("kind", "unknown", message)])


def _confirmed(actor: Actor, request: Request) -> None:
    """Nothing more to do: that somebody looked is what was missing."""


def _found_wrong(actor: Actor, request: Request) -> None:
    """What was taken ends at once."""
    rows = Grant.objects.filter(request=request, ended_at__isnull=True)
    for grant in rows:
        tell_holders(grant)
    rows.update(ended_at=Now(), ended_by=actor.name)


def _words(request: Request) -> str:
    return _("%(person)s took the role “%(role)s” in %(place)s at once; was that right?") % {
        "person": request.asked_by.get_username(),
        "role": title_at(request.tenant_id, str(request.payload.get("role", ""))),
        "place": place_name(request.tenant, request.project),
    }


register(KIND, permission="access.review", decide=_confirmed, refuse=_found_wrong, words=_words, check=_not_asked)
