"""Whoever takes over what somebody kept is told of it, in one notice."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.access import Actor
from operations.changes import announce
from tenants import notices
from tenants.handing.kept import REQUEST, REVIEW, ROBOT, ROLE, Kept
from tenants.members.cutting import Place
from tenants.models import Notice, Project, User
from tenants.requests.telling import NEEDS

HANDED_OVER = "member.handed_over"


def handed_over(place: Place, went: Sequence[Kept], *, person: User, to: User, by: Actor) -> None:
    """Call it in the transaction that hands over. Nobody is told of what they did themselves."""
    waits = [one for one in went if one.kind in (REQUEST, REVIEW)]
    if waits:
        announce(NEEDS, to.pk, person=to.pk)
    if not went or to.pk == by.id:
        return
    tenant, project = (place.tenant, place) if isinstance(place, Project) else (place, None)
    notices.tell(
        to.pk,
        HANDED_OVER,
        level=Notice.Level.WARN,
        params={
            "person": person.get_username(),
            "place": notices.place_name(tenant, project),
            "by": by.name,
            "robots": _named(went, ROBOT),
            "projects": _named(went, ROLE),
            "waits": len(waits),
        },
        link=_link(tenant.name, went),
        tenant=tenant.pk,
        project=project.pk if project else None,
    )


def _named(went: Sequence[Kept], kind: str) -> list[str]:
    """“robot in project”, and of roles the projects."""
    if kind == ROBOT:
        return [f"{one.name} ({one.project})" for one in went if one.kind == ROBOT]
    return sorted({one.project for one in went if one.kind == kind})


def _link(tenant: str, went: Sequence[Kept]) -> str:
    """To where the first of it stands; what waits for an answer comes before all else."""
    if any(one.kind in (REQUEST, REVIEW) for one in went):
        return reverse("requests")
    page = "project_members" if went[0].kind == ROLE else "project"  # who keeps a robot may not see its page
    return reverse(page, kwargs={"tenant": tenant, "project": went[0].project})


def _what(params: Mapping[str, Any]) -> str:
    said = []
    if projects := params.get("projects"):
        said.append(_("You look after the members of %(names)s now.") % {"names": ", ".join(projects)})
    if robots := params.get("robots"):
        said.append(_("You keep the robots %(names)s now.") % {"names": ", ".join(robots)})
    if params.get("waits"):
        said.append(_("What waited for their answer is under what needs you."))
    return " ".join(said)


notices.register(HANDED_OVER, gettext_lazy("%(by)s handed over to you what %(person)s kept in %(place)s"), _what)
