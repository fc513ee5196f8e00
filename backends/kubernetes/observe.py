"""Reading what the API tells of pods and nodes. Pure; raw JSON in, neutral values out.

A container that ends is started again in the same pod. To Berth each start is an instance of its own, as on every
engine: its id is made of the pod and the number of starts before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from backends.contract import InstanceState, InstanceStatus, Reason, ReasonCode, ServiceRef
from backends.kubernetes import names, reasons

Raw = Mapping[str, Any]

KEPT = 3  # ended starts that are told of one pod
OVER = frozenset({InstanceState.ENDED, InstanceState.FAILED})
_LOST = "ContainerStatusUnknown"  # how the engine says that a start ended of which it has lost sight


@dataclass(frozen=True)
class Host:
    """What reading a pod needs to know of its host."""

    address: str
    up: bool


@dataclass(frozen=True)
class Run:
    """An instance with what only this driver needs to know of it."""

    instance: InstanceStatus
    pod: str
    own_end: bool = False  # it ended though nobody asked it to

    @property
    def alive(self) -> bool:
        return self.instance.state not in OVER


Ports = Mapping[ServiceRef, Sequence[tuple[int, int]]]  # (target, the hosts' port)


def instance_id(pod: Raw, start: int) -> str:
    about = pod["metadata"]
    return f"{about['namespace']}.{about['name']}.{start}"


def place_of(instance: str) -> tuple[str, str, int] | None:
    """Namespace, pod and start of an instance's id; None: it is none of ours. The parts become parts of a path."""
    parts = instance.split(".")
    fine = len(parts) == 3 and all(part.replace("-", "").isalnum() and part.isascii() for part in parts)
    return (parts[0], parts[1], int(parts[2])) if fine and parts[2].isdecimal() else None


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def condition(thing: Raw, kind: str) -> Raw:
    found: Raw = next((c for c in thing["status"].get("conditions") or () if c["type"] == kind), {})
    return found


def runs(pods: Iterable[Raw], *, hosts: Mapping[str, Host], ports: Ports) -> list[Run]:
    """Ours among the pods, by number, newest first within a number."""
    by_service: dict[tuple[ServiceRef, str], list[Raw]] = {}
    for pod in pods:
        if (ref := names.ref_of(pod)) is not None:
            by_service.setdefault((ref, pod["metadata"]["labels"].get(names.REVISION, "")), []).append(pod)
    found: list[Run] = []
    for (ref, _), some in by_service.items():
        for number, pod in _numbered(some):
            found += [_on_its_host(run, hosts) for run in _runs(pod, number, ref, hosts=hosts, ports=ports)]
    return sorted(found, key=lambda run: run.instance.number)


def _numbered(pods: Sequence[Raw]) -> list[tuple[int, Raw]]:
    """The engine numbers only stateful instances. Of others the oldest is the first; those that leave come last."""
    order = sorted(pods, key=lambda pod: (_leaving(pod), pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))
    index = "apps.kubernetes.io/pod-index"
    return [(int(pod["metadata"]["labels"].get(index, place)) + 1, pod) for place, pod in enumerate(order)]


def _leaving(pod: Raw) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def _container(pod: Raw) -> Raw:
    told = pod["status"].get("containerStatuses") or ()
    found: Raw = next((one for one in told if one["name"] == names.CONTAINER), {})
    return found


def present_start(pod: Raw) -> int:
    """How many starts there were before the one that is now.

    The engine counts a start once it is made: while one waits for its turn the number is still that of the one which
    ended before it, but for those that it has lost sight of.
    """
    container = _container(pod)
    counted = int(container.get("restartCount") or 0)
    before = (container.get("lastState") or {}).get("terminated")
    to_come = "waiting" in (container.get("state") or {}) and before and before.get("reason") != _LOST
    return counted + 1 if to_come else counted


def _runs(pod: Raw, number: int, ref: ServiceRef, *, hosts: Mapping[str, Host], ports: Ports) -> list[Run]:
    """The start that is now, and of those before it what the engine still knows."""
    container = _container(pod)
    start = present_start(pod)
    newest = _now(pod, container, number, ref, start=start)
    host = hosts.get(pod["spec"].get("nodeName", ""))
    if newest.instance.state == InstanceState.RUNNING and host is not None:
        addresses = tuple((target, f"{host.address}:{port}") for target, port in ports.get(ref, ()))
        newest = replace(newest, instance=replace(newest.instance, addresses=addresses))
    before = (container.get("lastState") or {}).get("terminated")
    older = [_ended(pod, before, number, ref, start=start - 1)] if before and start else []
    for past in range(start - 1 - len(older), max(-1, start - 1 - KEPT), -1):
        older.append(Run(_status(pod, number, ref, past, state=InstanceState.FAILED, wanted=False), _name(pod), True))
    return [newest, *older]


def _name(pod: Raw) -> str:
    return str(pod["metadata"]["name"])


def _status(pod: Raw, number: int, ref: ServiceRef, start: int, **more: Any) -> InstanceStatus:
    usual = {
        "revision": pod["metadata"]["labels"].get(names.REVISION, ""),
        "host": pod["spec"].get("nodeName"),
    }
    return InstanceStatus(id=instance_id(pod, start), ref=ref, number=number, **(usual | more))


def _now(pod: Raw, container: Raw, number: int, ref: ServiceRef, *, start: int) -> Run:
    state: Raw = container.get("state") or {}
    if over := state.get("terminated"):
        return _ended(pod, over, number, ref, start=start)
    if pod["status"].get("phase") in {"Failed", "Succeeded"}:
        return _given_up(pod, number, ref, start)
    running: Raw = state.get("running") or {}
    read, reason = _waiting(pod, state, ref) if not running else _running(pod, container, ref)
    if _leaving(pod):
        read, reason = InstanceState.STOPPING, None
    began = moment(running.get("startedAt"))
    changed = moment(condition(pod, "Ready").get("lastTransitionTime")) or _created(pod)
    instance = _status(
        pod,
        number,
        ref,
        start,
        state=read,
        wanted=not _leaving(pod),
        started_at=began,
        changed_at=changed,
        reason=reason,
    )
    return Run(instance, _name(pod))


def _created(pod: Raw) -> datetime | None:
    return moment(pod["metadata"]["creationTimestamp"])


def _waiting(pod: Raw, state: Raw, ref: ServiceRef) -> tuple[InstanceState, Reason | None]:
    placed = condition(pod, "PodScheduled")
    if placed.get("status") == "False":
        return InstanceState.WAITING, reasons.unscheduled(placed.get("message", ""), service=ref.service)
    if not pod["spec"].get("nodeName"):
        return InstanceState.WAITING, None
    reason = reasons.waiting(state.get("waiting") or {}, pod, service=ref.service)
    return (InstanceState.FAILED if reason else InstanceState.PREPARING), reason


def _running(pod: Raw, container: Raw, ref: ServiceRef) -> tuple[InstanceState, Reason | None]:
    """Ready is what counts; one that was ready since it began and is not any more fails its check."""
    ready = condition(pod, "Ready")
    if ready.get("status") == "True":
        return InstanceState.RUNNING, None
    began, changed = moment(container["state"]["running"].get("startedAt")), moment(ready.get("lastTransitionTime"))
    was_ready = began is not None and changed is not None and changed > began
    failing = was_ready and container.get("started") and not container.get("ready")
    return InstanceState.STARTING, Reason(ReasonCode.UNHEALTHY, {"service": ref.service}) if failing else None


def _ended(pod: Raw, over: Raw, number: int, ref: ServiceRef, *, start: int) -> Run:
    asked = _leaving(pod)
    reason = None if asked else reasons.ended(over, pod, service=ref.service)
    instance = _status(
        pod,
        number,
        ref,
        start,
        state=InstanceState.ENDED if asked else InstanceState.FAILED,
        wanted=False,
        started_at=moment(over.get("startedAt")),
        changed_at=moment(over.get("finishedAt")),
        exit_code=int(over.get("exitCode") or 0),
        reason=reason,
    )
    return Run(instance, _name(pod), own_end=not asked)


def _given_up(pod: Raw, number: int, ref: ServiceRef, start: int) -> Run:
    """Put out of its host, for want of memory or disk there; another takes its place."""
    said = pod["status"].get("message") or pod["status"].get("reason") or ""
    reason = Reason(ReasonCode.UNKNOWN, {"service": ref.service, "said": said[:500]})
    instance = _status(
        pod, number, ref, start, state=InstanceState.FAILED, wanted=False, changed_at=_created(pod), reason=reason
    )
    return Run(instance, _name(pod), own_end=True)


def _on_its_host(run: Run, hosts: Mapping[str, Host]) -> Run:
    """The engine goes on calling instances on a lost host running; nobody can know."""
    name = run.instance.host or ""
    host = hosts.get(name)
    if host is None or host.up or not run.alive:
        return run
    lost = Reason(ReasonCode.HOST_LOST, {"host": name})
    return replace(run, instance=replace(run.instance, state=InstanceState.FAILED, reason=lost))
