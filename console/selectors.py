"""Consoles as rows to be shown."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db.models import F
from django.utils.translation import ngettext

from apps.models import AppEnvironment
from console.models import ConsoleSession
from core.access import Actor, visible
from core.api.paging import Rows, plain
from core.errors import NotFound
from tenants.members.cutting import Cut, Place, at

SHOWN = [
    "id",
    "service",
    "number",
    "shell",
    "reason",
    "state",
    "opened_at",
    "ended_at",
    "why",
    "exit_code",
    "created_at",
]
Document = dict[str, Any]


def consoles(actor: Actor, place: AppEnvironment) -> Rows:
    """Those of one place that have not ended."""
    rows = ConsoleSession.objects.filter(place=place, state__in=ConsoleSession.LIVE)
    return _shown(visible(actor, rows))


def console(actor: Actor, place: AppEnvironment, console_id: uuid.UUID) -> Document:
    """One console, ended ones of the last 90 days too."""
    found = _shown(visible(actor, ConsoleSession.objects.filter(place=place, pk=console_id))).first()
    if found is None:
        raise NotFound()
    return shown(found)


def _shown(rows: Any) -> Rows:
    return plain(rows.annotate(instance=F("instance_id"), person=F("person_name")), *SHOWN, "instance", "person")


def shown(row: Mapping[str, Any]) -> Document:
    return dict(row)


def shown_all(rows: Sequence[Mapping[str, Any]]) -> list[Document]:
    return [shown(row) for row in rows]


def open_consoles(people: Collection[uuid.UUID], place: Place) -> list[Cut]:
    """Consoles of these people, as what ends when they are removed."""
    count = ConsoleSession.objects.filter(at(place), person_id__in=people, state__in=ConsoleSession.LIVE).count()
    words = ngettext("close %(count)s open console", "close %(count)s open consoles", count)
    return [Cut("consoles", "terminal-2", count, words % {"count": count})]
