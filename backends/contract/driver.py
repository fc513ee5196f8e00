"""The driver: all that Berth can do with a cluster."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from backends.contract.capabilities import Capabilities
from backends.contract.observed import (
    EngineHealth,
    EngineNotice,
    HostStatus,
    ImageInfo,
    InstanceStatus,
    ServiceStatus,
    Snapshot,
)
from backends.contract.spec import ServiceRef, ServiceSpec
from backends.contract.streams import LogLine, LogQuery, UsageCount, UsageSample


@dataclass(frozen=True)
class EnvironmentRef:
    """`name` is an engine name made from our id; `internal`: no way out to other networks."""

    name: str
    internal: bool = False


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

    def hosts(self) -> list[HostStatus]: ...

    def resolve_image(self, reference: str, *, local: bool = False) -> ImageInfo:
        """Pin a reference. The registry is asked; only with `local` an image that just lies on the engine counts."""
        ...

    def ensure_environment(self, environment: EnvironmentRef) -> None: ...

    def remove_environment(self, environment: EnvironmentRef) -> bool:
        """True once nothing is left of it."""
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

    def snapshot(self) -> Snapshot: ...

    def logs(self, query: LogQuery) -> AsyncGenerator[LogLine, None]:
        """Merged in time order. Past lines first; with `follow` it goes on until closed."""
        ...

    def log_bytes(
        self, instance: str, *, timestamps: bool = True, since: datetime | None = None, until: datetime | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Past lines of one instance as plain text in large pieces, for downloads; `timestamps`: one before each."""
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
