"""Crashes that a full count of instances hides: what runs, but was started again and again today."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.models import AppEnvironment, PlaceEvent

Crashes = Mapping[tuple[str, int], int]
"""How often each (service, number) ended by its own fault."""


def crashes_today(
    places: Iterable[AppEnvironment], since: Mapping[UUID, datetime | None]
) -> dict[UUID, dict[tuple[str, int], int]]:
    """By place, since the reader's midnight or, where that is later, since its release came (`since`); one query."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    codes = (PlaceEvent.Code.CRASHED, PlaceEvent.Code.UNHEALTHY)
    rows = PlaceEvent.objects.filter(place__in=places, code__in=codes, last_at__gte=midnight, number__isnull=False)
    found: dict[UUID, dict[tuple[str, int], int]] = defaultdict(dict)
    for place, service, number, count, at in rows.values_list("place", "service", "number", "count", "last_at"):
        begun, key = since.get(place), (service, number or 0)
        if begun is None or at >= begun:
            found[place][key] = found[place].get(key, 0) + count
    return found


def unsteady_sentence(crashes: Crashes, instances: Mapping[str, int]) -> str:
    """`instances`: how many each service has that run. Empty where nothing crashed that still belongs to it."""
    found = {key: count for key, count in crashes.items() if key[0] in instances}
    if not found:
        return ""
    if len(found) > 1:
        return _of_many(found)
    ((service, number), times), *_rest = found.items()
    text = ngettext("%(name)s restarted once today.", "%(name)s restarted %(times)s times today.", times)
    if instances[service] > 1:
        text = ngettext(
            "%(name)s is younger than the others: it restarted once today.",
            "%(name)s is younger than the others: it restarted %(times)s times today.",
            times,
        )
    return text % {"name": f"{service} {number}", "times": times}


def _of_many(found: Crashes) -> str:
    services = sorted({service for service, _number in found})
    words = {"count": len(found), "services": ", ".join(services), "times": sum(found.values())}
    return _("%(count)s instances of %(services)s restarted today, %(times)s times in all.") % words
