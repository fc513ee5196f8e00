"""What would fail, said before it is tried, with the thing that mends it. Advice only: commands check by themselves."""

from collections.abc import Callable, Iterator

from apps.models import AppEnvironment
from apps.preflight.abilities import check_abilities
from apps.preflight.finding import Finding, mended
from apps.preflight.images import check_images
from apps.preflight.plan import Plan
from apps.preflight.promotion import check_promotion
from apps.preflight.quota import check_quota
from apps.preflight.reach import check_health, check_names, check_ports
from apps.preflight.room import check_room
from apps.preflight.settings import check_limits, check_secrets, check_variables
from apps.preflight.standing import check_standing
from apps.preflight.volumes import check_volumes
from apps.preflight.where import check_cluster, check_rights
from apps.specification import Specification
from core.access import Actor

__all__ = ["Finding", "mended", "preflight"]

LEVELS = ("bad", "warn", "ok")
CHECKS: tuple[Callable[[Plan], Iterator[Finding]], ...] = (
    check_rights,
    check_standing,
    check_images,
    check_promotion,
    check_ports,
    check_names,
    check_health,
    check_secrets,
    check_variables,
    check_limits,
    check_abilities,
    check_volumes,
    check_quota,
    check_cluster,
    check_room,
)


def preflight(actor: Actor, place: AppEnvironment, spec: Specification) -> list[Finding]:
    """All findings, the worst first. Reads rows only."""
    plan = Plan(actor, place, spec)
    found = [finding for check in CHECKS for finding in check(plan)]
    return sorted(found, key=lambda finding: LEVELS.index(finding.level))
