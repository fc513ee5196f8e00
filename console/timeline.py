"""Consoles on the timeline of an app: who had one open in which instance, and for how long."""

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.models import AppEnvironment
from apps.needs import needs_console
from apps.selectors.timeline import Edge, Entry, register_source
from console.models import ConsoleSession
from core import access
from core.access import Actor


def consoles(actor: Actor, place: AppEnvironment, edge: Edge | None, most: int) -> list[Entry]:
    """Their reasons only for those who could open one themselves."""
    rows = ConsoleSession.objects.filter(place=place, opened_at__isnull=False)
    rows = rows.filter(opened_at__lte=edge.at) if edge else rows
    told = any(access.may(actor, code, place) for code in needs_console(place))
    return [_entry(row, told=told) for row in rows.order_by("-opened_at", "-pk")[: most + 1]]


def _entry(row: ConsoleSession, *, told: bool) -> Entry:
    opened = row.opened_at or row.created_at
    words = {"person": row.person_name, "instance": f"{row.service} {row.number}"}
    return Entry(
        at=opened,
        key=str(row.pk),
        text=_("%(person)s opened a console in %(instance)s") % words,
        icon="terminal-2",
        word=str(row.get_state_display()),
        detail=_("Reason: %(reason)s") % {"reason": row.reason} if told and row.reason else "",
        took=(row.ended_at or timezone.now()) - opened,
    )


register_source("consoles", gettext_lazy("Consoles"), consoles)
