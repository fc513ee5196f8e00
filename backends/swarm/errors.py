"""From what the engine says to a Reason: pure functions over HTTP refusals and over the texts of tasks."""

import re
from typing import Any

from backends.contract import DriverError, Reason, ReasonCode
from backends.failing import shortened

_REFUSALS: tuple[tuple[str, ReasonCode, bool], ...] = (
    # (what the engine's text contains, in small letters; the code; whether trying again cannot help)
    ("update out of sequence", ReasonCode.CONFLICT, False),
    ("this node is not a swarm manager", ReasonCode.NOT_A_MANAGER, True),
    ("not part of a swarm", ReasonCode.NOT_A_MANAGER, True),
    ("does not have a leader", ReasonCode.ENGINE_AWAY, False),
    ("deadline exceeded", ReasonCode.ENGINE_SLOW, False),
    ("deadlineexceeded", ReasonCode.ENGINE_SLOW, False),
    ("context canceled", ReasonCode.ENGINE_SLOW, False),
)
_REGISTRY: tuple[tuple[tuple[str, ...], ReasonCode], ...] = (
    (("manifest unknown", "not found", "name unknown", "no such image"), ReasonCode.IMAGE_NOT_FOUND),
    (("denied", "unauthorized", "authentication required", "forbidden"), ReasonCode.IMAGE_DENIED),
    (("invalid reference", "unsupported manifest", "exec format", "no matching manifest"), ReasonCode.BAD_IMAGE),
)
_PLACEMENT: tuple[tuple[str, ReasonCode], ...] = (
    ("insufficient resources", ReasonCode.NO_CAPACITY),
    ("port already in use", ReasonCode.PORT_TAKEN),
    ("unsupported platform", ReasonCode.BAD_IMAGE),
    ("max replicas per node", ReasonCode.NO_SUITABLE_HOST),
    ("constraints not satisfied", ReasonCode.NO_SUITABLE_HOST),
    ("no longer meets constraints", ReasonCode.NO_SUITABLE_HOST),
    ("not available for new tasks", ReasonCode.NO_SUITABLE_HOST),
    ("no suitable node", ReasonCode.NO_SUITABLE_HOST),
)
_STARTING: tuple[tuple[str, ReasonCode], ...] = (
    ("no such image", ReasonCode.IMAGE_NOT_FOUND),
    ("manifest unknown", ReasonCode.IMAGE_NOT_FOUND),
    ("pull access denied", ReasonCode.IMAGE_DENIED),
    ("unhealthy container", ReasonCode.UNHEALTHY),
    ("executable file not found", ReasonCode.COMMAND_NOT_FOUND),
    ("exec format error", ReasonCode.BAD_IMAGE),
    ("port is already allocated", ReasonCode.PORT_TAKEN),
    ("address already in use", ReasonCode.PORT_TAKEN),
)
_EXEC_FAILED = re.compile(r'exec: "(?P<command>[^"]+)"')
_NOT_A_FILE = re.compile(r'exec: "[^"]+": (?:stat [^:]+: )?(?:no such file or directory|permission denied)')


_NO_COMMAND = {126, 127}  # the init process that runs first ends so when it cannot start the command; so do shells
_SHELLS = {"sh", "ash", "bash", "dash", "zsh", "ksh"}


class RefusedError(DriverError):
    """The engine answered with an HTTP error. `status` is for the driver itself; callers look at `reason`."""

    def __init__(self, reason: Reason, *, status: int, said: str, permanent: bool) -> None:
        super().__init__(reason, permanent=permanent)
        self.status = status
        self.said = said


def refused(status: int, said: str) -> RefusedError:
    """The general reading of a refusal; what is being asked for may know better, see `image_refused`."""
    low = said.lower()
    for text, code, permanent in _REFUSALS:
        if text in low:
            return RefusedError(Reason(code, {"said": shortened(said)}), status=status, said=said, permanent=permanent)
    code = ReasonCode.CONFLICT if status == 409 else ReasonCode.ENGINE_REFUSED
    permanent = 400 <= status < 500 and status != 409
    return RefusedError(Reason(code, {"said": shortened(said)}), status=status, said=said, permanent=permanent)


def image_refused(error: DriverError, *, image: str) -> DriverError:
    """A registry was asked through the engine. Whatever is no clear answer of the registry means: it is away."""
    if error.reason.code == ReasonCode.ENGINE_SLOW:
        return DriverError(Reason(ReasonCode.REGISTRY_AWAY, {"image": image}))
    if not isinstance(error, RefusedError):
        return error
    low = error.said.lower()
    for texts, code in _REGISTRY:
        if any(text in low for text in texts) and "lookup" not in low:
            return DriverError(Reason(code, {"image": image, "said": shortened(error.said)}), permanent=True)
    if error.status == 401 or error.status == 403:
        return DriverError(Reason(ReasonCode.IMAGE_DENIED, {"image": image}), permanent=True)
    if error.status == 400:
        return DriverError(
            Reason(ReasonCode.BAD_IMAGE, {"image": image, "said": shortened(error.said)}), permanent=True
        )
    return DriverError(Reason(ReasonCode.REGISTRY_AWAY, {"image": image, "said": shortened(error.said)}))


def task_reason(
    said: str, *, exit_code: int | None, service: str, image: str, waiting: bool, command: str = ""
) -> Reason | None:
    """Why one task is not running, from its `Status.Err`. None: nothing is wrong. `command`: the first word of it."""
    low = said.lower()
    for text, code in _PLACEMENT if waiting else (*_STARTING, *_PLACEMENT):
        if text in low:
            return _told(code, said, service=service, image=image)
    if _NOT_A_FILE.search(said):
        return _told(ReasonCode.COMMAND_NOT_FOUND, said, service=service, image=image)
    if waiting:
        return Reason(ReasonCode.UNKNOWN, {"service": service, "said": shortened(said)}) if said else None
    if exit_code in _NO_COMMAND and command and command.rpartition("/")[2] not in _SHELLS:
        return Reason(ReasonCode.COMMAND_NOT_FOUND, {"service": service, "command": command})
    if exit_code is not None:
        return Reason(ReasonCode.EXITED, {"service": service, "exit_code": exit_code})
    return Reason(ReasonCode.UNKNOWN, {"service": service, "said": shortened(said)})


def _told(code: ReasonCode, said: str, *, service: str, image: str) -> Reason:
    params: dict[str, Any] = {"service": service, "said": shortened(said)}
    if code in {ReasonCode.IMAGE_NOT_FOUND, ReasonCode.IMAGE_DENIED, ReasonCode.BAD_IMAGE}:
        params["image"] = image
    if code == ReasonCode.COMMAND_NOT_FOUND:
        found = _EXEC_FAILED.search(said)
        params["command"] = found["command"] if found else ""
    return Reason(code, params)
