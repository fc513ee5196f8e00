"""What Berth asks of an engine, in words that belong to no engine.

A driver gets plain frozen values and gives plain frozen values; it raises `DriverError` and nothing else.
The calls that change something are idempotent: the same spec applied twice is one service.
"""

from backends.contract.capabilities import Capabilities
from backends.contract.driver import Driver, EnvironmentRef, ExecSession
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
from backends.contract.streams import LogLine, LogQuery, UsageCount, UsageSample

__all__ = [
    "Capabilities",
    "Driver",
    "DriverError",
    "EngineHealth",
    "EngineNotice",
    "EnvironmentRef",
    "ExecSession",
    "FileMount",
    "HealthCheck",
    "HostStatus",
    "ImageInfo",
    "InstanceState",
    "InstanceStatus",
    "LogLine",
    "LogQuery",
    "Phase",
    "Port",
    "Reason",
    "ReasonCode",
    "Resources",
    "RestartPolicy",
    "ServiceRef",
    "ServiceSpec",
    "ServiceStatus",
    "Snapshot",
    "TmpfsMount",
    "UpdatePolicy",
    "UsageCount",
    "UsageSample",
    "VolumeMount",
]
