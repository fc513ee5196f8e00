"""What an import understands although it has another place in Berth: translated, or named with its new form."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from apps.specification.declarations import translate_declarations
from apps.specification.findings import Findings
from apps.specification.problems import Loc, note, problem
from apps.specification.refusals import refusal

ON_FAILURE = re.compile(r"on-failure(?::([0-9]{1,4}))?\Z", re.ASCII)
RESTARTS = {"no": "none", "always": "any", "unless-stopped": "any"}
RESTART_WORDS = "no, always, on-failure, on-failure:3, unless-stopped"
HARMLESS = ("version", "name")


@dataclass
class _Service:
    """One service while it is translated; `keys` is a copy that may be changed."""

    name: str
    keys: dict[str, object]
    findings: Findings = field(repr=False)

    def loc(self, *below: str | int) -> Loc:
        return ("services", self.name, *below)


def translate(data: dict[str, object], *, importing: bool) -> tuple[dict[str, object], Findings]:
    """A changed copy of `data`, the notes, and the problems only an import can tell."""
    findings = Findings()
    if not importing:
        return {key: value for key, value in data.items() if key not in HARMLESS}, findings
    kept = _top_level(data, findings)
    services = kept.get("services")
    if isinstance(services, dict):
        kept["services"] = {name: _service(str(name), raw, findings) for name, raw in services.items()}
    return translate_declarations(kept, findings), findings


def _top_level(data: dict[str, object], findings: Findings) -> dict[str, object]:
    kept = dict(data)
    for key, code in (("version", "not_needed"), ("name", "name_left_out")):
        if key in kept:
            findings.notes.append(note((key,), code))
            del kept[key]
    return without_extensions(kept, (), findings)


def without_extensions(data: dict[str, object], loc: Loc, findings: Findings) -> dict[str, object]:
    """Keys beginning with x- mean nothing in Compose either; most hold anchors that were merged already."""
    extensions = [key for key in data if key.startswith("x-") and key != "x-berth"]
    findings.notes += [note((*loc, key), "extension_left_out") for key in extensions]
    return {key: value for key, value in data.items() if key not in extensions}


def _service(name: str, raw: object, findings: Findings) -> object:
    if not isinstance(raw, dict):
        return raw
    service = _Service(name, without_extensions(raw, ("services", name), findings), findings)
    for key, understand in UNDERSTOOD.items():
        if key in service.keys:
            understand(service, service.keys.pop(key))
    return service.keys


def _restart(service: _Service, value: object) -> None:
    written = "no" if value is False else value
    found = ON_FAILURE.match(written) if isinstance(written, str) else None
    condition = "on-failure" if found else RESTARTS.get(written) if isinstance(written, str) else None
    loc = service.loc("restart")
    if condition is None:
        service.findings.problems.append(problem(loc, "not_one_of", words=RESTART_WORDS, value=value))
        return
    deploy = service.keys.get("deploy", {})
    if not isinstance(deploy, dict):
        return
    if "restart_policy" in deploy:
        service.findings.notes.append(note(loc, "restart_overridden"))
        return
    policy: dict[str, object] = {"condition": condition}
    if found and found[1] and int(found[1]):
        policy["max_attempts"] = int(found[1])
    service.keys["deploy"] = deploy | {"restart_policy": policy}
    service.findings.notes.append(note(loc, "restart_translated", value=written, name=condition))


def _leave_out(key: str, code: str) -> Callable[[_Service, object], None]:
    def understand(service: _Service, _value: object) -> None:
        service.findings.notes.append(note(service.loc(key), code, name=service.name))

    return understand


def _build(service: _Service, _value: object) -> None:
    image = service.keys.get("image")
    if image is None:
        service.findings.problems.append(refusal(service.loc("build")))
    else:
        service.findings.notes.append(note(service.loc("build"), "build_left_out", name=image))


def _networks(service: _Service, value: object) -> None:
    loc = service.loc("networks")
    options = value if isinstance(value, dict) else {}
    if not isinstance(value, dict | list):
        service.findings.problems.append(problem(loc, "not_list_or_map"))
        return
    wrong = [
        refusal((*loc, network, key))
        for network, wanted in options.items()
        if isinstance(wanted, dict)
        for key, written in wanted.items()
        if key != "aliases" or written not in ([], [service.name])
    ]
    service.findings.problems += wrong
    if not wrong:
        service.findings.notes.append(note(loc, "network_shared"))


UNDERSTOOD: dict[str, Callable[[_Service, object], None]] = {
    "restart": _restart,
    "container_name": _leave_out("container_name", "container_name_left_out"),
    "hostname": _leave_out("hostname", "hostname_left_out"),
    "stop_signal": _leave_out("stop_signal", "stop_signal_left_out"),
    "platform": _leave_out("platform", "platform_left_out"),
    "build": _build,
    "networks": _networks,
}
