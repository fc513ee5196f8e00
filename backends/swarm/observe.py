"""Reading what the engine tells of tasks and hosts. Pure; raw JSON in, neutral values out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from backends.contract import HostStatus, InstanceState, InstanceStatus, Reason, ReasonCode, ServiceRef
from backends.swarm import manifests
from backends.swarm.errors import task_reason

Raw = Mapping[str, Any]

_STATES = {
    "new": InstanceState.WAITING,
    "allocated": InstanceState.WAITING,
    "pending": InstanceState.WAITING,
    "assigned": InstanceState.PREPARING,
    "accepted": InstanceState.PREPARING,
    "preparing": InstanceState.PREPARING,
    "ready": InstanceState.PREPARING,
    "starting": InstanceState.STARTING,
    "running": InstanceState.RUNNING,
    "complete": InstanceState.ENDED,
    "shutdown": InstanceState.ENDED,
    "remove": InstanceState.ENDED,
    "failed": InstanceState.FAILED,
    "rejected": InstanceState.FAILED,
    "orphaned": InstanceState.FAILED,
}
OVER = frozenset({InstanceState.ENDED, InstanceState.FAILED})
_ON_HOST = frozenset({InstanceState.PREPARING, InstanceState.STARTING, InstanceState.RUNNING})
_WANTED = frozenset(state for state, read in _STATES.items() if read in _ON_HOST or read == InstanceState.WAITING)


@dataclass(frozen=True)
class Host:
    """What reading a task needs to know of its host."""

    name: str
    address: str
    up: bool


@dataclass(frozen=True)
class Run:
    """An instance with what only this driver needs to know of it."""

    instance: InstanceStatus
    attempt: str
    container: str | None
    own_end: bool  # it ended though nobody asked it to

    @property
    def alive(self) -> bool:
        return self.instance.state not in OVER


def ref_of(labels: Raw | None) -> ServiceRef | None:
    """None: not one of ours."""
    if not labels or manifests.SERVICE not in labels:
        return None
    return ServiceRef(
        environment=labels.get(manifests.ENVIRONMENT, ""),
        app=labels.get(manifests.APP, ""),
        service=labels[manifests.SERVICE],
    )


def container_spec(holder: Raw) -> Raw:
    """Of a task's Spec or of a service's TaskTemplate."""
    found: Raw = holder.get("ContainerSpec") or {}
    return found


def moment(text: str | None) -> datetime | None:
    """RFC 3339 with up to nine digits of a second; the engine's zero time is None."""
    return datetime.fromisoformat(text).astimezone(UTC) if text and not text.startswith("0001-") else None


def runs(tasks: Iterable[Raw], *, hosts: Mapping[str, Host]) -> list[Run]:
    """Ours among the tasks, by number, newest first within a number."""
    found = [(task, run) for task in tasks if (run := _run(task, hosts=hosts)) is not None]
    found.sort(key=lambda pair: pair[0].get("CreatedAt", ""), reverse=True)
    found.sort(key=lambda pair: pair[1].instance.number)
    return [run for _, run in found]


def _run(task: Raw, *, hosts: Mapping[str, Host]) -> Run | None:
    container = container_spec(task["Spec"])
    labels: Raw = container.get("Labels") or {}
    ref = ref_of(labels)
    if ref is None:
        return None
    status: Raw = task.get("Status") or {}
    is_wanted = wanted(task)
    state = _state(task, status)
    place: Raw = status.get("ContainerStatus") or {}
    exit_code = place.get("ExitCode") if state in OVER else None
    if state == InstanceState.FAILED and not place.get("ContainerID"):
        exit_code = None  # it never ran
    changed = moment(status.get("Timestamp"))
    instance = InstanceStatus(
        id=task["ID"],
        ref=ref,
        number=task.get("Slot", 0),
        state=InstanceState.STOPPING if not is_wanted and state in _ON_HOST else state,
        wanted=is_wanted,
        revision=labels.get(manifests.REVISION, ""),
        host=task.get("NodeID") or None,
        started_at=changed if state == InstanceState.RUNNING else None,
        changed_at=changed,
        exit_code=exit_code,
        reason=_reason(status, container, state=state, exit_code=exit_code, ref=ref),
        addresses=_addresses(status, hosts.get(task.get("NodeID", ""))),
    )
    own_end = status.get("State") in {"complete", "failed", "rejected"}
    return _on_its_host(
        Run(instance, labels.get(manifests.ATTEMPT, ""), place.get("ContainerID") or None, own_end), hosts=hosts
    )


def _state(task: Raw, status: Raw) -> InstanceState:
    """To end with exit code 0 is a failure of what is meant to run on."""
    told = status.get("State", "new")
    if told == "complete" and (task["Spec"].get("RestartPolicy") or {}).get("Condition", "any") == "any":
        return InstanceState.FAILED
    return _STATES.get(told, InstanceState.WAITING)


def over(task: Raw) -> bool:
    """Whether it has ended, whosever it is."""
    return _STATES.get((task.get("Status") or {}).get("State", "new")) in OVER


def wanted(task: Raw) -> bool:
    return task.get("DesiredState") in _WANTED


def _on_its_host(run: Run, *, hosts: Mapping[str, Host]) -> Run:
    """The engine goes on calling instances on a lost host running; nobody can know."""
    host = hosts.get(run.instance.host or "")
    if host is None or host.up or not run.alive:
        return run
    lost = Reason(ReasonCode.HOST_LOST, {"host": host.name})
    return replace(run, instance=replace(run.instance, state=InstanceState.FAILED, reason=lost))


def _reason(
    status: Raw, container: Raw, *, state: InstanceState, exit_code: int | None, ref: ServiceRef
) -> Reason | None:
    if status.get("State") == "orphaned":
        return Reason(ReasonCode.HOST_LOST, {"host": ""})
    if status.get("State") == "complete":
        return Reason(ReasonCode.EXITED, {"service": ref.service, "exit_code": exit_code or 0})
    waiting = state == InstanceState.WAITING
    if not waiting and state != InstanceState.FAILED:
        return None
    return task_reason(
        status.get("Err", ""),
        exit_code=exit_code,
        service=ref.service,
        image=(container.get("Labels") or {}).get(manifests.IMAGE) or container.get("Image", ""),
        waiting=waiting,
        command=next(iter([*(container.get("Command") or ()), *(container.get("Args") or ())]), ""),
    )


def _addresses(status: Raw, host: Host | None) -> tuple[tuple[int, str], ...]:
    if host is None or status.get("State") != "running":
        return ()
    ports = (status.get("PortStatus") or {}).get("Ports") or ()
    return tuple(
        (port["TargetPort"], f"{_bracketed(host.address)}:{port['PublishedPort']}")
        for port in ports
        if port.get("PublishedPort")
    )


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def host_table(nodes: Iterable[Raw], *, local: str = "", address: str = "") -> dict[str, Host]:
    """`address`: where the host with the id `local` is reached, if that is not where the engine says it is."""
    return {
        node["ID"]: Host(
            name=node["Description"].get("Hostname", ""),
            address=address if address and node["ID"] == local else _address(node),
            up=(node.get("Status") or {}).get("State") == "ready",
        )
        for node in nodes
    }


def _address(node: Raw) -> str:
    told = str((node.get("Status") or {}).get("Addr", ""))
    if told in {"", "0.0.0.0"}:  # noqa: S104 - an engine tells this of itself when it was not given an address
        told = str((node.get("ManagerStatus") or {}).get("Addr", "")).rpartition(":")[0]
    return told.strip("[]")


def host_list(nodes: Iterable[Raw], tasks: Iterable[Raw], *, table: Mapping[str, Host]) -> list[HostStatus]:
    """With what is set aside on each, also for services that are not ours."""
    reserved: dict[str, list[int]] = {}
    for task in tasks:
        if wanted(task) and task.get("NodeID"):
            aside: Raw = (task["Spec"].get("Resources") or {}).get("Reservations") or {}
            sums = reserved.setdefault(task["NodeID"], [0, 0])
            sums[0] += aside.get("NanoCPUs", 0) // 1_000_000
            sums[1] += aside.get("MemoryBytes", 0)
    return [_host(node, table[node["ID"]], reserved.get(node["ID"], [0, 0])) for node in nodes]


def _host(node: Raw, seen: Host, reserved: list[int]) -> HostStatus:
    about: Raw = node["Description"]
    platform: Raw = about.get("Platform") or {}
    resources: Raw = about.get("Resources") or {}
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.get("Architecture", ""))
    return HostStatus(
        id=node["ID"],
        name=seen.name,
        ready=seen.up,
        schedulable=node["Spec"].get("Availability") == "active",
        manager=bool(node.get("ManagerStatus")),
        address=seen.address,
        engine_version=(about.get("Engine") or {}).get("EngineVersion", ""),
        platform=f"{platform.get('OS', '')}/{machine or platform.get('Architecture', '')}",
        cpu_millicores=resources.get("NanoCPUs", 0) // 1_000_000,
        memory_bytes=resources.get("MemoryBytes", 0),
        cpu_reserved=reserved[0],
        memory_reserved=reserved[1],
        labels=dict(node["Spec"].get("Labels") or {}),
        said=(node.get("Status") or {}).get("Message", ""),
    )
