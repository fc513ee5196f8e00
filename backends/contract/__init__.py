"""What Berth asks of an engine, in words that belong to no engine.

A driver gets plain frozen values and gives plain frozen values; it raises `DriverError` and nothing else.
The calls that change something are idempotent: the same spec applied twice is one service.
"""

from backends.contract.building import OWNER_LABEL, Builder, Entry, Ground, Order, Readable, Said
from backends.contract.capabilities import Capabilities
from backends.contract.checks import CheckCode, Checkup, Finding, Level, Unusable, UnusableError
from backends.contract.documents import Given
from backends.contract.driver import Ceiling, Driver, EnvironmentRef, ExecSession
from backends.contract.emptying import Held, Leaving
from backends.contract.errors import DriverError, Reason, ReasonCode
from backends.contract.observed import (
    EngineHealth,
    EngineNotice,
    HostStatus,
    ImageInfo,
    InstanceState,
    InstanceStatus,
    Phase,
    ServiceStatus,
    Snapshot,
)
from backends.contract.spec import (
    VOLUME_BYTES,
    Credentials,
    FileMount,
    HealthCheck,
    Port,
    Resources,
    RestartPolicy,
    ServiceRef,
    ServiceSpec,
    TmpfsMount,
    UpdatePolicy,
    VolumeMount,
)
from backends.contract.streams import LogLine, LogQuery, UsageCount, UsageSample, Written

__all__ = [
    "OWNER_LABEL",
    "VOLUME_BYTES",
    "Builder",
    "Capabilities",
    "CheckCode",
    "Checkup",
    "Ceiling",
    "Credentials",
    "Driver",
    "DriverError",
    "EngineHealth",
    "EngineNotice",
    "Entry",
    "EnvironmentRef",
    "ExecSession",
    "FileMount",
    "Finding",
    "Given",
    "Ground",
    "HealthCheck",
    "Held",
    "HostStatus",
    "ImageInfo",
    "InstanceState",
    "InstanceStatus",
    "Leaving",
    "Level",
    "LogLine",
    "LogQuery",
    "Order",
    "Phase",
    "Port",
    "Readable",
    "Reason",
    "ReasonCode",
    "Resources",
    "RestartPolicy",
    "Said",
    "ServiceRef",
    "ServiceSpec",
    "ServiceStatus",
    "Snapshot",
    "TmpfsMount",
    "Unusable",
    "UnusableError",
    "UpdatePolicy",
    "UsageCount",
    "UsageSample",
    "Written",
    "VolumeMount",
]
