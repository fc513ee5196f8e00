"""What should run: one service of one app in one environment, complete and closed.

There is no open-ended field: what is not listed here cannot be asked of an engine.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from core.secrets import Secret

VOLUME_BYTES = 1 << 30  # of a volume whose size nobody says


@dataclass(frozen=True)
class ServiceRef:
    """Which service. `environment` and `app` are engine names made from our ids; `service` is a DNS label in it."""

    environment: str
    app: str
    service: str

    @property
    def engine_name(self) -> str:
        """At most 63 characters, unique on the cluster."""
        return f"{self.app}-{self.service}"


@dataclass(frozen=True)
class Credentials:
    """By which hosts fetch images from one registry (HOST:PORT, as it stands before the images' names)."""

    registry: str
    username: str
    password: Secret


@dataclass(frozen=True)
class Port:
    """A port the service listens on. `published`: reachable from outside; the engine chooses the host's port."""

    target: int
    protocol: Literal["tcp", "udp"] = "tcp"
    published: bool = True


@dataclass(frozen=True)
class HealthCheck:
    """Run inside the instance. `command` is an argument list; an empty list switches the image's own check off."""

    command: tuple[str, ...]
    interval_seconds: float = 5.0
    timeout_seconds: float = 3.0
    retries: int = 3
    start_period_seconds: float = 5.0


@dataclass(frozen=True)
class Resources:
    """Per instance: millicores and bytes; None is no limit."""

    cpu_limit: int | None = None
    cpu_reserved: int | None = None
    memory_limit: int | None = None
    memory_reserved: int | None = None
    pids_limit: int | None = 512


@dataclass(frozen=True)
class UpdatePolicy:
    """How instances are replaced; a failed update goes back to what ran before."""

    parallelism: int = 1
    delay_seconds: float = 0.0
    monitor_seconds: float = 5.0
    start_first: bool = True
    max_failure_ratio: float = 0.0


@dataclass(frozen=True)
class RestartPolicy:
    condition: Literal["none", "on-failure", "any"] = "any"
    delay_seconds: float = 2.0
    max_attempts: int | None = None
    window_seconds: float | None = None


@dataclass(frozen=True)
class VolumeMount:
    """`volume` is an engine name made from our id. Of another size it is the same volume still: no instance is
    replaced for that.
    """

    volume: str
    path: str
    read_only: bool = False
    size_bytes: int = VOLUME_BYTES


@dataclass(frozen=True)
class TmpfsMount:
    path: str
    size_bytes: int | None = None


@dataclass(frozen=True)
class FileMount:
    """A small file put into each instance. `name` is an engine name made from our id and the content's hash."""

    name: str
    path: str
    content: bytes = field(repr=False)
    mode: int = 0o444
    uid: int = 0
    gid: int = 0
    secret: bool = False


@dataclass(frozen=True)
class ServiceSpec:
    """All of one service. `image` is pinned (name@sha256:... or image id); `entrypoint` None keeps the image's own."""

    ref: ServiceRef
    image: str
    instances: int
    aliases: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    ports: tuple[Port, ...] = ()
    health: HealthCheck | None = None
    resources: Resources = Resources()
    update: UpdatePolicy = UpdatePolicy()
    restart: RestartPolicy = RestartPolicy()
    volumes: tuple[VolumeMount, ...] = ()
    tmpfs: tuple[TmpfsMount, ...] = ()
    files: tuple[FileMount, ...] = ()
    host_labels: tuple[tuple[str, str], ...] = ()  # every instance goes to hosts that carry these labels
    max_per_host: int | None = None
    user: str | None = None
    working_dir: str | None = None
    read_only: bool = False
    init: bool = True
    stop_grace_seconds: float = 10.0
    labels: tuple[tuple[str, str], ...] = ()  # the person's own, already checked against our prefixes
    restarts: int = 0  # +1 asks for every instance to be replaced though nothing else changed
    same_as: str = ""  # its name before a stage gave it its own: the revision goes by it, and each start asks anew
    image_name: str = ""  # the image as the person wrote it; only for words, not part of the revision
    pull: Credentials | None = None  # by which the image is fetched; new ones replace no instance

    @property
    def revision(self) -> str:
        """Names exactly this spec, leaving out how many instances: scaling is not another revision."""
        plain = asdict(replace(self, pull=None)) | {"instances": 0, "image_name": ""}
        plain |= {"image": plain.pop("same_as") or self.image}
        plain.pop("pull")
        for one in plain["volumes"]:
            del one["size_bytes"]
        text = json.dumps(plain, sort_keys=True, default=lambda raw: hashlib.sha256(raw).hexdigest())
        return hashlib.sha256(text.encode()).hexdigest()[:16]
