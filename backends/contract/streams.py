"""Bytes and numbers that flow: logs and usage."""

from dataclasses import dataclass
from datetime import datetime

from backends.contract.spec import ServiceRef


@dataclass(frozen=True)
class LogQuery:
    """Which lines: of the services named (or only of `instance`), newest `tail` of each instance or all (None).

    `newest`: of what is past only so many, counted over all instances together, so that none is left out between two.
    """

    services: tuple[ServiceRef, ...]
    instance: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    tail: int | None = None
    follow: bool = False
    newest: int | None = None


@dataclass(frozen=True)
class Written:
    """How much of one instance's log is wanted as it was written."""

    timestamps: bool = True
    since: datetime | None = None
    until: datetime | None = None
    follow: bool = False


@dataclass(frozen=True, slots=True)
class LogLine:
    """`at_ns`: nanoseconds since 1970 UTC. `text` is the line as the app wrote it, without the newline, any bytes."""

    at_ns: int
    service: str
    number: int
    instance: str
    stream: str  # "stdout" | "stderr"; "berth" for a line of ours that says what the engine lost
    text: bytes


@dataclass(frozen=True, slots=True)
class UsageCount:
    """What an instance has used since it began, and its memory now. Two of them make a rate."""

    at_ns: int
    instance: str
    cpu_ns: int  # nanoseconds of one core
    memory_bytes: int
    network_in_bytes: int
    network_out_bytes: int


@dataclass(frozen=True, slots=True)
class UsageSample:
    at_ns: int
    instance: str
    cpu_millicores: float
    memory_bytes: int
    memory_limit_bytes: int
    network_in_bytes: int
    network_out_bytes: int
