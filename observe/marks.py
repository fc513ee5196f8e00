"""What happened to a place meanwhile: releases, other changes, and instances that ended by their own fault."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from apps.models import AppEnvironment, Deployment, InstanceEnd
from apps.selectors.history import told_of
from apps.selectors.reasons import failure_sentence
from core import access
from core.access import Actor
from observe.models import UsageSeries
from observe.selectors import Asked

MOST = 200
RELEASES = (Deployment.Kind.DEPLOY, Deployment.Kind.ROLLBACK)


@dataclass(frozen=True)
class Mark:
    """`kind`: "release", "change" or "end". `text` is a whole sentence."""

    at: datetime
    kind: str
    text: str
    service: str = ""


def marks(actor: Actor, place: AppEnvironment, question: Asked) -> list[Mark]:
    """Oldest first; the newest 200 where there are more."""
    from_ = datetime.fromtimestamp(question.start, tz=UTC)
    to = datetime.fromtimestamp(question.end, tz=UTC)
    found = [*_changes(place, from_, to), *_ends(actor, place, question.service, from_, to)]
    return sorted(found, key=lambda mark: mark.at)[-MOST:]


def _changes(place: AppEnvironment, from_: datetime, to: datetime) -> list[Mark]:
    rows = place.deployments.filter(created_at__gte=from_, created_at__lt=to).select_related("release")
    return [
        Mark(row.created_at, "release" if row.kind in RELEASES else "change", told_of(row))
        for row in rows.order_by("-number")[:MOST]
    ]


def _ends(actor: Actor, place: AppEnvironment, service: str, from_: datetime, to: datetime) -> list[Mark]:
    """From what was measured and from what was kept of failed ones, each once."""
    ends: dict[str, Mark] = {}
    kept = access.visible(actor, InstanceEnd.objects.filter(place=place, ended_at__gte=from_, ended_at__lt=to))
    for end in kept.order_by("-ended_at")[:MOST]:
        ends[end.engine_id] = _end(end, end.ended_at)
    series = UsageSeries.objects.filter(place=place, failed=True, ended_at__gte=from_, ended_at__lt=to)
    for one in series.order_by("-ended_at")[:MOST]:
        ends.setdefault(one.engine_id, _end(one, one.ended_at or to))
    return [mark for mark in ends.values() if not service or mark.service == service]


def _end(row: InstanceEnd | UsageSeries, at: datetime) -> Mark:
    name = f"{row.service} {row.number}"
    said = failure_sentence(row.reason).sentence
    if not said and row.exit_code is not None:
        said = _("It ended by itself with code %(code)s.") % {"code": row.exit_code}
    text = _("%(instance)s: %(reason)s") if said else _("%(instance)s ended by itself.")
    return Mark(at, "end", text % {"instance": name, "reason": said}, row.service)
