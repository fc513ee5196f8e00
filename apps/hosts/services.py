"""What operators do with a host. Each public function is a command; the engine is asked by the operation it starts."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.hosts.selectors import touched
from apps.hosts.work import KIND, NEEDS, Work, target_of
from audit.commands import command, describe
from backends.models import Host
from core.access import Actor
from core.errors import Conflict
from operations.models import Operation
from operations.services import enqueue


@command("host.cordon", permission=NEEDS)
def cordon(actor: Actor, host: Host, *, reason: str = "") -> Operation:
    """Close it for new instances. What runs there stays."""
    return _start(actor, host, "cordon", reason=reason, after={"schedulable": False})


@command("host.uncordon", permission=NEEDS)
def uncordon(actor: Actor, host: Host, *, reason: str = "") -> Operation:
    """Open it for new instances again. Nothing moves back by itself."""
    return _start(actor, host, "uncordon", reason=reason, after={"schedulable": True})


@command("host.drain", permission=NEEDS)
def drain(actor: Actor, host: Host, *, reason: str = "", leave_volumes: bool = False) -> Operation:
    """Close it and move all that runs there to other hosts.

    `leave_volumes`: also instances whose volumes cannot follow them.
    """
    there = touched(host)
    if not host.ready:
        raise Conflict(
            _("The host %(host)s does not answer, so nothing can be moved off it.") % {"host": host.name},
            code="host_away",
            hint=_("The cluster starts its instances elsewhere by itself. Close it, so that nothing new comes."),
        )
    if there.volumes and there.volumes_stay and not leave_volumes:
        text = ngettext(
            "%(count)s service keeps data in a volume on %(host)s, which stays there.",
            "%(count)s services keep data in volumes on %(host)s, which stay there.",
            there.volumes,
        )
        raise Conflict(
            text % {"count": there.volumes, "host": host.name},
            code="volumes_stay",
            hint=_("Elsewhere they would begin with empty volumes. Save the data first, or say that this is meant."),
        )
    after = {"schedulable": False, "instances": there.instances}
    return _start(actor, host, "drain", reason=reason, after=after)


def _start(actor: Actor, host: Host, deed: str, *, reason: str, after: dict[str, Any]) -> Operation:
    operation = enqueue(
        actor,
        f"{KIND}{deed}.run",
        target=host,
        target_key=target_of(host),
        target_name=host.name,
        params={"kind": f"{KIND}{deed}", "needs": [NEEDS], "work": Work.on(host).__dict__, "reason": reason},
    )
    describe(before={"schedulable": host.schedulable}, after=after, detail={"cluster": host.cluster.name})
    return operation
