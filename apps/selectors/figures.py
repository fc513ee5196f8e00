"""The numbers that head an app's page: what all its instances use together, and how that went in the last half hour."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.selectors.running import InstanceLine, ServiceFacts
from apps.trends import Trend
from core.wording import bytes_text, cores_text

OLD_AFTER = timedelta(minutes=3)  # a trend is written once a minute


@dataclass(frozen=True)
class Figure:
    """`value` with what it is a part of, if that is known. `trend`: oldest first; `said` tells it in words."""

    name: str
    value: str
    whole: str
    trend: Sequence[int]
    old: bool

    @property
    def unit(self) -> str:
        return _("of %(whole)s") % {"whole": self.whole} if self.whole else ""

    @property
    def said(self) -> str:
        return _("%(name)s in the last half hour, at the end %(value)s") % {"name": self.name, "value": self.value}


def figures_of(services: Iterable[ServiceFacts], lines: Sequence[InstanceLine], trend: Trend | None) -> list[Figure]:
    """CPU, memory and network; none while nothing was measured. No query."""
    used = [line.usage for line in lines if line.usage is not None]
    if not used or trend is None:
        return []
    facts = list(services)
    old = any(line.stale for line in lines) or all(one.old for one in used)
    late = old or timezone.now() - trend.at > OLD_AFTER
    cpu, memory = sum(one.cpu for one in used), sum(one.memory for one in used)
    cpu_limit, memory_limit = _whole(facts, "cpu"), _whole(facts, "memory")
    network = _("%(amount)s/s") % {"amount": bytes_text(trend.network[-1])}
    return [
        Figure(_("CPU"), cores_text(cpu), cores_text(cpu_limit) if cpu_limit else "", trend.cpu, old),
        Figure(_("Memory"), bytes_text(memory), bytes_text(memory_limit) if memory_limit else "", trend.memory, old),
        Figure(_("Network, in and out"), network, "", trend.network, late),
    ]


def _whole(facts: Iterable[ServiceFacts], name: str) -> int | None:
    """What all wanted instances together may use; None where one of them has no limit."""
    limits = [(getattr(one, name), one.wanted) for one in facts if one.wanted]
    return sum(limit * wanted for limit, wanted in limits) if limits and all(limit for limit, _n in limits) else None
