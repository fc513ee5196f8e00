"""Why an engine did not do what was asked: a code and its parameters; the words are made when they are read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ReasonCode(StrEnum):
    """Each has its sentence and its next step in `backends/words.py`."""

    ENGINE_AWAY = "engine_away"  # params: cluster?
    ENGINE_SLOW = "engine_slow"
    ENGINE_REFUSED = "engine_refused"  # params: said (the engine's own text, shortened)
    NOT_A_MANAGER = "not_a_manager"
    CONFLICT = "engine_conflict"  # somebody changed the same thing at the same time
    IMAGE_NOT_FOUND = "image_not_found"  # params: image
    IMAGE_DENIED = "image_denied"  # params: image
    REGISTRY_AWAY = "registry_away"  # params: image
    BAD_IMAGE = "bad_image"  # params: image; wrong platform, broken manifest
    COMMAND_NOT_FOUND = "command_not_found"  # params: service, command
    EXITED = "exited"  # params: service, exit_code
    CRASHING = "crashing"  # params: service, exit_code, times
    OUT_OF_MEMORY = "out_of_memory"  # params: service
    UNHEALTHY = "unhealthy"  # params: service
    NOT_READY_IN_TIME = "not_ready_in_time"  # params: service, ready, wanted
    NO_CAPACITY = "no_capacity"  # params: service
    NO_SUITABLE_HOST = "no_suitable_host"  # params: service
    PORT_TAKEN = "port_taken"  # params: service, port
    HOST_LOST = "host_lost"  # params: host
    HOST_GONE = "host_gone"  # params: host; the cluster has no such host
    HELD_BY_BUDGET = "held_by_budget"  # params: service; too few of its instances would be left
    INSTANCE_GONE = "instance_gone"  # the instance asked for is not there any more
    NO_SHELL = "no_shell"  # params: command
    HOST_NOT_REACHABLE = "host_not_reachable"  # params: host; runs there, but Berth has no way to that host
    QUOTA_EXCEEDED = "quota_exceeded"  # params: service, said
    NOT_ALLOWED = "not_allowed"  # params: service, said; a rule of the cluster refuses what is asked for
    RUNS_AS_ROOT = "runs_as_root"  # params: service, image
    VOLUME_NOT_READY = "volume_not_ready"  # params: service, said
    VOLUME_KEEPS_SIZE = "volume_keeps_size"  # params: service; its storage makes no volume larger
    VOLUME_NOT_GROWN = "volume_not_grown"  # params: service, said
    UPDATE_ROLLED_BACK = "update_rolled_back"  # params: service
    UNKNOWN = "unknown"  # params: said


@dataclass(frozen=True)
class Reason:
    """A fault in neutral terms. `params` are JSON-safe; `said` in them is the engine's text, at most 500 characters."""

    code: ReasonCode
    params: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"code": str(self.code), "params": dict(self.params)}


class DriverError(Exception):
    """The only exception a driver raises. `permanent`: trying the same again cannot help."""

    def __init__(self, reason: Reason, *, permanent: bool = False) -> None:
        super().__init__(f"{reason.code} {dict(reason.params)}")
        self.reason = reason
        self.permanent = permanent
