"""The driver: all that Berth can do with a cluster."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from backends.contract.building import Builder
from backends.contract.capabilities import Capabilities
from backends.contract.checks import Checkup
from backends.contract.documents import Given
from backends.contract.emptying import Leaving
from backends.contract.observed import (
    EngineHealth,
    EngineNotice,
    HostStatus,
    ImageInfo,
    InstanceStatus,
    ServiceStatus,
    Snapshot,
)
from backends.contract.spec import Credentials, ServiceRef, ServiceSpec
from backends.contract.streams import LogLine, LogQuery, UsageCount, UsageSample


@dataclass(frozen=True)
class Ceiling:
    """The most that all instances of an environment may take together, and that one instance or volume may; None is
    no limit.

    A backstop behind Berth's own counting: it has room for whatever Berth lets through.
    """

    cpu_millicores: int | None = None
    memory_bytes: int | None = None
    instances: int | None = None
    storage_bytes: int | None = None
    each_cpu_millicores: int | None = None
    each_memory_bytes: int | None = None
    each_storage_bytes: int | None = None


@dataclass(frozen=True)
class EnvironmentRef:
    """`name` is an engine name made from our id; `internal`: no way out to other networks.

    `pull`: by which its instances' images are fetched, where they are not for everybody.
    """

    name: str
    internal: bool = False
    ceiling: Ceiling = Ceiling()
    pull: Credentials | None = None


class ExecSession(Protocol):
    """A process inside an instance. `close` (also by `async with`) ends it and all it started (hang-up, then kill).

    `user`: as whom it runs, the way the image says it (a name or a number); "" is root.
    """

    user: str

    async def read(self, limit: int = 65536) -> bytes:
        """Next output, at most `limit` bytes; b"" once the process has ended."""
        ...

    async def write(self, data: bytes) -> None: ...

    async def end_input(self) -> None: ...

    async def resize(self, *, columns: int, rows: int) -> None: ...

    async def exit_code(self) -> int | None:
        """None while it runs."""
        ...

    async def close(self) -> None: ...


class Driver(Protocol):
    """Calls without `async` block for at most the client's time limits (connect 2 s, read 10 s)."""

    def capabilities(self) -> Capabilities:
        """What this engine can and cannot; nothing is asked of it."""
        ...

    def health(self) -> EngineHealth:
        """Never raises: an engine that is away is an answer."""
        ...

    def checks(self) -> Checkup:
        """Whether the cluster can be relied on, and what it lacks. Never raises; nothing there is changed."""
        ...

    def hosts(self) -> list[HostStatus]: ...

    def set_schedulable(self, host: str, wanted: bool) -> None:
        """Whether new instances may be put on a host (the engine's id). What runs there stays. Errors: HOST_GONE."""
        ...

    def empty(self, host: str) -> Leaving:
        """One short step of moving our instances off a host that takes nothing new; again and again until none is left.

        An instance that has no others beside it ends only when its replacement serves, wherever that is possible; no
        service goes below what its budget allows. What is not ours is left alone. Errors: HOST_GONE.
        """
        ...

    def resolve_image(self, reference: str, *, local: bool = False, pull: Credentials | None = None) -> ImageInfo:
        """Pin a reference. The registry is asked; only with `local` an image that just lies on the engine counts.

        `pull`: what its registry is shown, where it is that one.
        """
        ...

    def held_image(self, reference: str) -> ImageInfo | None:
        """An image that lies on some host under this very name; no registry is asked."""
        ...

    def ensure_environment(self, environment: EnvironmentRef) -> None:
        """Make it, or bring it to this. Nothing if it is so already."""
        ...

    def remove_environment(self, environment: EnvironmentRef) -> bool:
        """True once nothing is left of it."""
        ...

    def given(self, environment: EnvironmentRef, specs: Sequence[ServiceSpec]) -> Sequence[Given]:
        """What `ensure_environment` and `apply` give the engine, in its own words; nothing is asked of it.

        Values of variables and of secrets are covered. Errors: DriverError for what `apply` would refuse by itself.
        """
        ...

    def apply(self, spec: ServiceSpec) -> None:
        """Create or change; returns when the engine has taken it, not when it runs. Nothing if it is so already."""
        ...

    def status(self, spec: ServiceSpec) -> ServiceStatus:
        """How far the engine is with exactly this spec."""
        ...

    def remove(self, ref: ServiceRef) -> bool:
        """Ask for removal; True once no instance is left. Of what is not there: True."""
        ...

    def services(self, app: str) -> list[ServiceRef]:
        """What the engine holds of one app (engine name)."""
        ...

    def instances(self, ref: ServiceRef) -> list[InstanceStatus]:
        """Running ones and those that ended of late, newest first within a number."""
        ...

    def snapshot(self, *, fresh: bool = False) -> Snapshot:
        """`fresh`: as the engine says it now, whatever its watch has told: the caller doubts that."""
        ...

    def logs(self, query: LogQuery) -> AsyncGenerator[LogLine, None]:
        """Merged in time order. Past lines first; with `follow` it goes on until closed."""
        ...

    def log_bytes(
        self,
        instance: str,
        *,
        timestamps: bool = True,
        since: datetime | None = None,
        until: datetime | None = None,
        follow: bool = False,
    ) -> AsyncGenerator[bytes, None]:
        """Past lines of one instance as plain text in large pieces, for downloads; `timestamps`: one before each.

        `follow`: then what it goes on to write, as it comes, until it ends.
        """
        ...

    async def exec(
        self, instance: str, command: Sequence[str], *, tty: bool = True, columns: int = 80, rows: int = 24
    ) -> ExecSession: ...

    def stats(self, instance: str, *, follow: bool = False) -> AsyncGenerator[UsageSample, None]:
        """One sample, or one a second while followed."""
        ...

    async def usage(self, instances: Sequence[str]) -> list[UsageCount]:
        """One reading of each that runs within reach; of others there is none. At most 100 calls at a time."""
        ...

    def watch(self) -> AsyncGenerator[EngineNotice, None]:
        """Changes from now on, until closed. May miss some: whoever listens also looks at `snapshot` now and then."""
        ...

    def builder(self) -> Builder | None:
        """Where images are built; None: not on this cluster (`Capabilities.builds_images`)."""
        return None
