"""Is there room for what is reserved? Limits alone reserve nothing."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.models import ObservedInstance
from apps.preflight.finding import Finding
from apps.preflight.plan import Plan, at
from apps.specification import Specification
from core.wording import bytes_text, cores_text

MIB = 1 << 20
STEP_BYTES, LEAST_BYTES = 16 * MIB, 4 * MIB
STEP_MILLICORES = 10


@dataclass
class _Host:
    name: str
    labels: dict[str, str]
    memory: int  # bytes free
    cpu: int  # thousandths of a core free


@dataclass(frozen=True)
class _Wanted:
    """Of one service: how many instances, what each reserves, and what it asks of its hosts."""

    service: str
    instances: int
    memory: int
    cpu: int
    labels: tuple[tuple[str, str], ...]
    most_per_host: int | None

    def fits_on(self, host: _Host) -> bool:
        return all(host.labels.get(key) == value for key, value in self.labels)

    def room_on(self, host: _Host) -> int:
        """How many instances this host can take more."""
        if not self.fits_on(host):
            return 0
        amounts = [self.instances, self.most_per_host or self.instances]
        amounts += [max(host.memory, 0) // self.memory] if self.memory else []
        amounts += [max(host.cpu, 0) // self.cpu] if self.cpu else []
        return min(amounts)


def check_room(plan: Plan) -> Iterator[Finding]:
    """Each service in turn, the largest first, on the hosts with most room."""
    hosts = _hosts(plan)
    cluster = plan.place.environment.cluster.name
    if not hosts:
        return
    found = []
    for wanted in sorted(_wanted(plan.spec), key=lambda one: (-one.memory, -one.cpu, one.service)):
        finding = _judge(wanted, hosts, cluster)
        found += [finding] if finding else []
        _take(wanted, hosts)
    yield from found
    if not found:
        free = bytes_text(max(0, sum(host.memory for host in hosts)))
        words = {"cluster": cluster, "memory": free, "cpu": cores_text(max(0, sum(host.cpu for host in hosts)))}
        text = _("%(cluster)s has room: %(memory)s of memory and %(cpu)s stay free.") % words
        yield Finding("ok", "capacity", text)


def _hosts(plan: Plan) -> list[_Host]:
    """Those that take new instances, with what is free once this place's own instances are replaced."""
    own = _own(plan)
    rows = plan.place.environment.cluster.hosts.filter(ready=True, schedulable=True)
    return [
        _Host(
            row.name, row.labels,
            row.memory_bytes - row.memory_reserved + own[row.pk, "memory"],
            row.cpu_millicores - row.cpu_reserved + own[row.pk, "cpu"],
        )
        for row in rows
    ]  # fmt: skip


def _own(plan: Plan) -> Counter[tuple[object, str]]:
    """What instances of this place hold on each host now."""
    held: Counter[tuple[object, str]] = Counter()
    if plan.runs is None:
        return held
    each = {one.service: one for one in _wanted(plan.runs)}
    rows = ObservedInstance.objects.filter(place_id=plan.place.pk, wanted=True, host__isnull=False)
    for host, service in rows.values_list("host_id", "service"):
        if service in each:
            held[host, "memory"] += each[service].memory
            held[host, "cpu"] += each[service].cpu
    return held


def _wanted(spec: Specification) -> list[_Wanted]:
    return [
        _Wanted(
            name, one.deploy.replicas,
            one.deploy.resources.reservations.memory or 0,
            one.deploy.resources.reservations.cpus or 0,
            one.deploy.placement.constraints,
            one.deploy.placement.max_replicas_per_node,
        )
        for name, one in spec.services.items()
    ]  # fmt: skip


def _take(wanted: _Wanted, hosts: list[_Host]) -> int:
    """Put as many as fit, on the host with most free memory first; answers how many."""
    rest = wanted.instances
    for host in sorted(hosts, key=lambda one: -one.memory):
        count = min(rest, wanted.room_on(host))
        host.memory -= count * wanted.memory
        host.cpu -= count * wanted.cpu
        rest -= count
    return wanted.instances - rest


def _fitting(wanted: _Wanted, hosts: list[_Host]) -> int:
    return min(wanted.instances, sum(wanted.room_on(host) for host in hosts))


def _judge(wanted: _Wanted, hosts: list[_Host], cluster: str) -> Finding | None:
    fitting = _fitting(wanted, hosts)
    if fitting >= wanted.instances:
        return None
    if not any(wanted.fits_on(host) for host in hosts):
        return _no_such_host(wanted, cluster)
    without = _Wanted(wanted.service, wanted.instances, 0, 0, wanted.labels, wanted.most_per_host)
    if _fitting(without, hosts) < wanted.instances:
        return _too_many_for_the_hosts(wanted, fitting)
    return _too_much(wanted, hosts, fitting, cluster)


def _too_much(wanted: _Wanted, hosts: list[_Host], fitting: int, cluster: str) -> Finding:
    """More is reserved than is free: of memory, or of CPU where memory alone would do."""
    by_memory = _Wanted(wanted.service, wanted.instances, wanted.memory, 0, wanted.labels, wanted.most_per_host)
    short_of_memory = bool(wanted.memory) and _fitting(by_memory, hosts) < wanted.instances
    words = {"service": wanted.service, "count": wanted.instances, "cluster": cluster}
    if short_of_memory:
        words |= {"each": bytes_text(wanted.memory), "free": bytes_text(max(0, sum(host.memory for host in hosts)))}
        text = _("Memory of %(service)s: %(count)s × %(each)s are reserved, %(free)s are free on %(cluster)s.") % words
    else:
        words |= {"each": cores_text(wanted.cpu), "free": cores_text(max(0, sum(host.cpu for host in hosts)))}
        text = _("CPU of %(service)s: %(count)s × %(each)s are reserved, %(free)s are free on %(cluster)s.") % words
    code, key = ("no_memory", "memory") if short_of_memory else ("no_cpu", "cpus")
    mend, button = _fewer(wanted.service, fitting) if fitting else _less(wanted, hosts, memory=short_of_memory)
    hint = _("Reserve less, or run fewer instances.")
    return Finding(
        "bad", code, text, at(wanted.service, "deploy", "resources", "reservations", key), hint, mend, button
    )


def _fewer(service: str, count: int) -> tuple[dict[str, object], str]:
    label = ngettext("Use %(count)s instance that fits", "Use %(count)s instances that fit", count)
    return {at(service, "deploy", "replicas"): count}, label % {"count": count}


def _less(wanted: _Wanted, hosts: list[_Host], *, memory: bool) -> tuple[dict[str, object], str]:
    """The largest reservation with which all instances fit; none at all where even a small one does not."""
    amount = _largest(wanted, hosts, memory=memory)
    path = at(wanted.service, "deploy", "resources", "reservations", "memory" if memory else "cpus")
    if not amount:
        return {path: None}, _("Reserve nothing")
    written = f"{amount // MIB}Mi" if memory else f"{amount / 1000:g}"
    shown = bytes_text(amount) if memory else cores_text(amount)
    return {path: written}, _("Reserve %(amount)s") % {"amount": shown}


def _largest(wanted: _Wanted, hosts: list[_Host], *, memory: bool) -> int:
    step = STEP_BYTES if memory else STEP_MILLICORES
    frees = [host.memory if memory else host.cpu for host in hosts if wanted.fits_on(host)]
    shares = {
        max(free, 0) // count // step * step for free in frees for count in range(1, min(wanted.instances, 50) + 1)
    }
    for amount in sorted(shares - {0}, reverse=True):
        amounts = (amount, wanted.cpu) if memory else (wanted.memory, amount)
        tried = _Wanted(wanted.service, wanted.instances, *amounts, wanted.labels, wanted.most_per_host)
        if amount >= (LEAST_BYTES if memory else STEP_MILLICORES) and _fitting(tried, hosts) >= wanted.instances:
            return amount
    return 0


def _no_such_host(wanted: _Wanted, cluster: str) -> Finding:
    asked = ", ".join(f"{key} == {value}" for key, value in wanted.labels)
    text = _("No host of %(cluster)s carries what %(service)s asks for: %(labels)s.") % {
        "cluster": cluster, "service": wanted.service, "labels": asked,
    }  # fmt: skip
    path = at(wanted.service, "deploy", "placement", "constraints")
    return Finding("bad", "no_such_host", text, path, _("Ask for no label, or for one that a host carries."),
                   {path: None}, _("Take it out"))  # fmt: skip


def _too_many_for_the_hosts(wanted: _Wanted, fitting: int) -> Finding:
    words = {"service": wanted.service, "count": wanted.instances, "most": wanted.most_per_host or 0}
    text = (
        _("%(service)s: %(count)s instances with at most %(most)s on one host need more hosts than there are.") % words
    )
    mend, button = _fewer(wanted.service, fitting)
    path = at(wanted.service, "deploy", "placement", "max_replicas_per_node")
    return Finding(
        "bad", "too_few_hosts", text, path, _("Allow more on one host, or run fewer instances."), mend, button
    )
