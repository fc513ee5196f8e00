"""What runs, as an engine tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from backends.contract.errors import Reason
from backends.contract.spec import HealthCheck, ServiceRef


class Phase(StrEnum):
    """Where a service stands on the way to one spec."""

    ABSENT = "absent"  # nothing of this service is there
    OUTDATED = "outdated"  # it is there with another revision or number and nobody is changing it: apply again
    PROGRESSING = "progressing"
    CONVERGED = "converged"  # exactly the wanted instances of exactly this revision run and pass their check
    FAILING = "failing"  # some instance of this revision failed; the engine may still try: see reason
    ROLLED_BACK = "rolled_back"  # the engine gave up and serves what it served before


class InstanceState(StrEnum):
    WAITING = "waiting"  # no host yet
    PREPARING = "preparing"  # image is being fetched
    STARTING = "starting"  # runs, but has not passed its check
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"  # asked to end, or exit code 0
    FAILED = "failed"


@dataclass(frozen=True)
class InstanceStatus:
    """One instance, running or of late. `number` is its place in the service (1...), kept by its replacement."""

    id: str  # the engine's own id, opaque
    ref: ServiceRef
    number: int
    state: InstanceState
    wanted: bool  # False: the engine means it to be gone
    revision: str
    host: str | None = None  # the engine's id of the host
    started_at: datetime | None = None  # aware
    changed_at: datetime | None = None
    exit_code: int | None = None
    reason: Reason | None = None
    addresses: tuple[tuple[int, str], ...] = ()  # (target port, "host:port" reachable from outside)


@dataclass(frozen=True)
class ServiceStatus:
    """`ready` counts only running instances of the very revision asked about; `running` counts all revisions."""

    ref: ServiceRef
    phase: Phase
    wanted: int
    ready: int
    running: int
    revision: str | None = None
    reason: Reason | None = None
    instances: tuple[InstanceStatus, ...] = ()

    @classmethod
    def counted(
        cls,
        ref: ServiceRef,
        phase: Phase,
        instances: Sequence[InstanceStatus],
        *,
        asked: tuple[str, int],
        held: str | None,
        reason: Reason | None,
    ) -> "ServiceStatus":
        """`asked`: the revision and number the question is about; `held`: the revision that the engine holds."""
        revision, wanted = asked
        running = [one for one in instances if one.state == InstanceState.RUNNING]
        ready = sum(one.revision == revision for one in running)
        return cls(ref, phase, wanted, ready, len(running), held, reason, tuple(instances))


@dataclass(frozen=True)
class HostStatus:
    id: str
    name: str
    ready: bool
    schedulable: bool
    manager: bool
    address: str
    engine_version: str
    platform: str  # e.g. linux/amd64
    cpu_millicores: int
    memory_bytes: int
    cpu_reserved: int = 0
    memory_reserved: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    said: str = ""


@dataclass(frozen=True)
class EngineHealth:
    ready: bool
    version: str = ""
    reason: Reason | None = None
    hosts_ready: int = 0
    hosts: int = 0


@dataclass(frozen=True)
class Snapshot:
    """Everything of ours on one cluster at one moment, in one or two calls."""

    at: datetime
    services: tuple[ServiceStatus, ...]  # revision = what the engine holds; wanted = its number
    hosts: tuple[HostStatus, ...]
    forged: tuple[str, ...] = ()  # the engine's names of what bears our marks and is not ours
    volumes_grow: bool | None = None  # whether volumes that are there can be made larger; None: nobody knows


@dataclass(frozen=True)
class ImageInfo:
    """An image as its registry or the engine knows it. `pinned` goes into a spec."""

    reference: str
    pinned: str
    digest: str  # sha256:... of the manifest, or of the image where no registry knows it
    size_bytes: int | None = None
    created_at: datetime | None = None
    platform: str = ""
    ports: tuple[str, ...] = ()  # "8080/tcp"
    health: HealthCheck | None = None
    user: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EngineNotice:
    """Something changed: a doorbell for the observer, with words for the app's events where it names a service."""

    at: datetime
    kind: str  # "service", "instance", "host", "network"
    ref: ServiceRef | None = None
    instance: str | None = None
    reason: Reason | None = None
