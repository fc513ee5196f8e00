"""Three probes as the one check that a service has."""

from typing import TYPE_CHECKING, Any

from backends.kubernetes.reading.amounts import unfilled
from backends.kubernetes.reading.fields import Fields, plain

if TYPE_CHECKING:
    from backends.kubernetes.reading.programs import Target

_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
_RHYTHM = (("interval", "periodSeconds", 10), ("timeout", "timeoutSeconds", 1))
What = tuple[str, Any]


def read_check(container: Fields, target: "Target", known: set[str]) -> None:
    """The first of readiness, liveness and start says what is checked and how often; starting counts as time given."""
    probes = {key: container.below(key, "probe") for key in _PROBES if key in container}
    ports = _named_ports(container)
    found = {key: (probe, _what(probe, ports, known)) for key, probe in probes.items()}
    chosen = next((key for key, (_probe, what) in found.items() if what), "")
    if not chosen:
        return
    probe, what = found[chosen]
    rhythm = _rhythm(probe, probes.get("startupProbe"))
    for key, (other, others) in found.items():
        if others and others != what:
            container.tell("one_check", key)
        _pass_over(other)
        other.rest()
    if what is not None and what[0] == "exec":
        target.put(container, "healthcheck", {"test": ["CMD", *what[1]], **rhythm}, below=(chosen,))
    elif what is not None:
        target.put(container, "x-berth", {"health": {what[0]: what[1], **rhythm}}, below=(chosen,))


def _pass_over(probe: Fields) -> None:
    for key in ("periodSeconds", "timeoutSeconds", "failureThreshold", "initialDelaySeconds"):
        probe.peek(key)


def _named_ports(container: Fields) -> dict[object, object]:
    ports = container.data.get("ports")
    listed = [one for one in ports if isinstance(one, dict)] if isinstance(ports, list) else []
    return {one["name"]: one.get("containerPort") for one in listed if isinstance(one.get("name"), str)}


def _what(probe: Fields, ports: dict[object, object], known: set[str]) -> What | None:
    if "exec" in probe:
        run = probe.below("exec")
        words = run.words("command") or []
        run.rest()
        texts = [unfilled(word, known) for word in words]
        for at, (_text, filled) in enumerate(texts):
            if filled:
                run.tell("fills_in", "command", at, name=f"$({filled})")
        return ("exec", [text for text, _filled in texts]) if words else None
    if "httpGet" in probe:
        get = probe.below("httpGet")
        port, path = plain(get.take("port")), get.take("path", "/")
        get.rest()
        return "http", {"port": ports.get(port, port), "path": path}
    if "tcpSocket" in probe:
        socket = probe.below("tcpSocket", "httpGet")
        port = plain(socket.take("port"))
        socket.rest()
        return "tcp", {"port": ports.get(port, port)}
    return None


def _rhythm(probe: Fields, start: Fields | None) -> dict[str, object]:
    found: dict[str, object] = {kept: _seconds(probe.peek(key, usual)) for kept, key, usual in _RHYTHM}
    found["retries"] = probe.peek("failureThreshold", 3)
    given = _whole(probe.peek("initialDelaySeconds", 0))
    if start is not None:
        tries, period = _whole(start.peek("failureThreshold", 3)), _whole(start.peek("periodSeconds", 10))
        given = max(given, min(tries * period + _whole(start.peek("initialDelaySeconds", 0)), 3600))
    return found | {"start_period": _seconds(given)}


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else 0


def _seconds(value: object) -> object:
    """As a length of time; what is no number stays what it is, to be refused by its place."""
    return f"{int(value)}s" if isinstance(value, int) and not isinstance(value, bool) else value
