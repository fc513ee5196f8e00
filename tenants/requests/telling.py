"""Who has to know of a request: those who may decide it, and the person who asked."""

import uuid
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from operations.changes import announce, register_kind
from tenants import notices
from tenants.custom.resolving import holding
from tenants.groups.holding import holders as grant_holders
from tenants.models import Grant, Notice
from tenants.requests.models import Request
from tenants.requests.registry import KINDS, words_of
from tenants.rights import running_grants

NEEDS = register_kind("needs", "account.own")  # what needs a person changed
ASKED, APPROVED, REJECTED = "request.asked", "request.approved", "request.rejected"
MOST = 200


def holders(permission: str, *, tenant: UUID, project: UUID | None) -> list[UUID]:
    """People who hold a permission at a place at this moment, at most 200."""
    here = Q(tenant=None) | Q(tenant=tenant, project=None)
    if project is not None:
        here |= Q(project=project)
    found = grant_holders(Grant.objects.filter(running_grants(), here, holding([permission], tenant)))
    return list(found.filter(is_active=True).values_list("pk", flat=True)[:MOST])


def deciders(request: Request) -> list[UUID]:
    """Those who may decide it: never the one who asked."""
    kind = KINDS.get(request.kind)
    found = holders(kind.permission, tenant=request.tenant_id, project=request.project_id) if kind else []
    return [person for person in found if person != request.asked_by_id]


def asked(request: Request) -> None:
    for person in deciders(request):
        _tell(person, ASKED, Notice.Level.WARN, request, f"request:{request.pk}")
    over(request)


def decided(request: Request) -> None:
    approved = request.state == Request.State.APPROVED
    kind, level = (APPROVED, Notice.Level.OK) if approved else (REJECTED, Notice.Level.WARN)
    _tell(request.asked_by_id, kind, level, request, f"request:{request.pk}:{request.state}")
    over(request)


def over(request: Request) -> None:
    """What needs somebody changed: whoever has the count before their eyes asks for it again."""
    for person in {*deciders(request), request.asked_by_id}:
        announce(NEEDS, request.pk, person=person)


def _tell(person: UUID, kind: str, level: str, request: Request, about: str) -> None:
    notices.tell(
        person,
        kind,
        level=level,
        params={
            "person": request.asked_by.get_username(),
            "place": notices.place_name(request.tenant, request.project),
            "request": str(request.pk),
            "reason": request.decision_reason if kind != ASKED else request.reason,
            "by": request.decided_by.get_username() if request.decided_by else "",
        },
        link=reverse("request", args=[request.pk]),
        tenant=request.tenant_id,
        project=None,  # whoever asks may not see the project yet
        about=about,
    )


def _asked_for(params: Mapping[str, Any]) -> str:
    rows = Request.objects.select_related("tenant", "project", "asked_by")
    row = rows.filter(pk=str(params.get("request", uuid.UUID(int=0)))).first()
    return words_of(row) if row else ""


def _detail(params: Mapping[str, Any]) -> str:
    what, why = _asked_for(params), params.get("reason", "")
    return _("%(what)s: “%(why)s”") % {"what": what, "why": why} if why else what


notices.register(ASKED, gettext_lazy("%(person)s asks for something in %(place)s"), _detail)
notices.register(APPROVED, gettext_lazy("%(by)s approved what you asked for in %(place)s"), _detail)
notices.register(REJECTED, gettext_lazy("%(by)s rejected what you asked for in %(place)s"), _detail)
