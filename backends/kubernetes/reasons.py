"""Why an instance does not run, from the texts of its pod. Pure. The texts are the engine's: they are read loosely."""

import re
from collections.abc import Mapping
from typing import Any

from backends.contract import Reason, ReasonCode
from backends.failing import shortened
from backends.kubernetes import names

Raw = Mapping[str, Any]

_PULL: tuple[tuple[tuple[str, ...], ReasonCode], ...] = (
    (("401 unauthorized", "403 forbidden", "authorization failed", "access denied"), ReasonCode.IMAGE_DENIED),
    (("no match for platform", "exec format", "unsupported manifest"), ReasonCode.BAD_IMAGE),
    (
        ("no such host", "connection refused", "i/o timeout", "dial tcp", "server misbehaving", "tls:", "timeout"),
        ReasonCode.REGISTRY_AWAY,
    ),
    (("not found", "manifest unknown", "name unknown"), ReasonCode.IMAGE_NOT_FOUND),
)
_PULLING = {"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError"}
_STARTING = {"RunContainerError", "CreateContainerError", "StartError", "ContainerCannotRun"}
_NO_PROGRAM = re.compile(
    r'exec: "(?P<command>[^"]+)": (?:stat [^:]+: )?'
    r"(?:no such file or directory|permission denied|executable file not found)"
)
_VOLUMES = ("persistentvolumeclaim", "unbound immediate", "volume node affinity", "persistent volume")
_ROOM = ("insufficient cpu", "insufficient memory", "insufficient ephemeral", "too many pods", "insufficient ")
_BACK_OFF = "CrashLoopBackOff"


def waiting(state: Raw, pod: Raw, *, service: str) -> Reason | None:
    """Of a container that does not run yet; None: it is on its way, or waits after a crash."""
    why, said = str(state.get("reason", "")), str(state.get("message", ""))
    if why == "ErrImageNeverPull":
        return _about_image(ReasonCode.IMAGE_NOT_FOUND, said, pod, service=service)
    if why == "InvalidImageName":
        return _about_image(ReasonCode.BAD_IMAGE, said, pod, service=service)
    if why in _PULLING:
        return _about_image(_pull_code(said), said, pod, service=service) if said else None
    if why in _STARTING:
        return _not_started(said, pod, service=service)
    if why == "CreateContainerConfigError":
        if "runAsNonRoot" in said or "run as root" in said or "non-numeric user" in said:
            return _about_image(ReasonCode.RUNS_AS_ROOT, said, pod, service=service)
        return Reason(ReasonCode.UNKNOWN, {"service": service, "said": shortened(said)})
    return None


def _pull_code(said: str) -> ReasonCode:
    low = said.lower()
    found = (code for texts, code in _PULL if any(text in low for text in texts))
    return next(found, ReasonCode.REGISTRY_AWAY)


def ended(state: Raw, pod: Raw, *, service: str) -> Reason:
    """Of a container that has ended."""
    why, said = str(state.get("reason", "")), str(state.get("message", ""))
    if why == "OOMKilled":
        return Reason(ReasonCode.OUT_OF_MEMORY, {"service": service})
    if why in _STARTING:
        return _not_started(said, pod, service=service)
    return Reason(ReasonCode.EXITED, {"service": service, "exit_code": int(state.get("exitCode") or 0)})


def unscheduled(said: str, *, service: str) -> Reason:
    """No host was found. Where hosts differ in why, having no room is what can be helped."""
    low = said.lower()
    if any(text in low for text in _ROOM):
        code = ReasonCode.NO_CAPACITY
    elif any(text in low for text in _VOLUMES):
        code = ReasonCode.VOLUME_NOT_READY
    else:
        code = ReasonCode.NO_SUITABLE_HOST
    return Reason(code, {"service": service, "said": shortened(said)})


def _not_started(said: str, pod: Raw, *, service: str) -> Reason:
    found = _NO_PROGRAM.search(said)
    if found:
        command = found["command"]
        return Reason(ReasonCode.COMMAND_NOT_FOUND, {"service": service, "command": command, "said": shortened(said)})
    if "exec format error" in said:
        return _about_image(ReasonCode.BAD_IMAGE, said, pod, service=service)
    return Reason(ReasonCode.UNKNOWN, {"service": service, "said": shortened(said)})


def _about_image(code: ReasonCode, said: str, pod: Raw, *, service: str) -> Reason:
    image = names.note(pod, names.IMAGE)
    return Reason(code, {"service": service, "image": image, "said": shortened(said)})
