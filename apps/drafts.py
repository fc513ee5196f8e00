"""What the deploy form holds of a specification: one service's image, size, ports, variables and health check.

A draft is laid over a base document, so that what the form does not show stays as it was.
"""

import re
import shlex
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from apps.specification import BadImageReference, Specification, parse_image, read_data, size_text
from core.names import is_label
from images.models import Artifact

OWN, HTTP, TCP, COMMAND, NONE, KEPT = "image", "http", "tcp", "command", "none", "kept"
MEBIBYTE = 1 << 20
FEW_CHECKED, FEW = 3, 1  # instances of a first deploy: several only where a check tells which of them serve
LONGEST_NAME = 40


@dataclass(frozen=True)
class Draft:
    """Texts as a person types them. `ports`: "8080, 53/udp". `cpu` in cores, `memory` in MiB, empty: no limit.
    `storage`: the service's volumes with their sizes, "data 10Gi, media 1Gi"; None: nothing is said of them.

    `health`: image, http, tcp, command, none, or kept for a check that only the text form can show.
    """

    image: str = ""
    instances: int | str = FEW
    ports: str = ""
    cpu: str = ""
    memory: str = ""
    storage: str | None = None
    health: str = OWN
    path: str = ""
    command: str = ""
    variables: tuple[tuple[str, str], ...] = ()


def draft_of(spec: Specification, service: str) -> Draft:
    """The draft that changes nothing."""
    one = spec.services[service]
    limits = one.deploy.resources.limits
    health, path, command = _health_of(spec, service)
    return Draft(
        image=str(one.image),
        instances=one.deploy.replicas,
        ports=", ".join(port.short() for port in one.published_ports),
        cpu="" if limits.cpus is None else f"{limits.cpus / 1000:g}",
        memory="" if limits.memory is None else f"{limits.memory / MEBIBYTE:g}",
        storage=", ".join(f"{name} {size_text(spec.volumes[name].size)}" for name in _volumes_of(spec, service))
        or None,
        health=health,
        path=path,
        command=command,
        variables=tuple(one.environment.items()),
    )


def _volumes_of(spec: Specification, service: str) -> list[str]:
    return sorted({mount.source for mount in spec.services[service].named_volumes})


def sizes_of(text: str) -> dict[str, str]:
    """ "data 10Gi, media 1Gi" by names; a name alone has no size."""
    parts = [part.strip().partition(" ") for part in text.split(",") if part.strip()]
    return {name.rstrip(":"): size.strip() for name, _space, size in parts}


def _health_of(spec: Specification, service: str) -> tuple[str, str, str]:
    one = spec.services[service]
    berth, check = one.x_berth.health, one.healthcheck
    first = next((port.target for port in one.published_ports), None)
    if berth is not None and berth.http is not None:
        return (HTTP, berth.http.path, "") if berth.http.port == first else (KEPT, "", "")
    if berth is not None:
        return TCP if berth.tcp is not None and berth.tcp.port == first else KEPT, "", ""
    if check is None:
        return OWN, "", ""
    if check.off:
        return NONE, "", ""
    words = check.test or ()
    return COMMAND, "", words[1] if words[:1] == ("CMD-SHELL",) else shlex.join(words[1:])


def read_from(artifact: Artifact | None, draft: Draft) -> Draft:
    """What an image says of itself, put into a draft: its ports, its check, and how many instances make sense."""
    if artifact is None:
        return draft
    ports = ", ".join(port.removesuffix("/tcp") for port in artifact.ports)
    checked = bool(artifact.health)
    return replace(
        draft, ports=ports, health=OWN if checked or not ports else draft.health,
        instances=FEW_CHECKED if checked else FEW,
    )  # fmt: skip


def name_from(image: str) -> str:
    """The last part of an image's name as a name for an app; empty where that makes none."""
    try:
        last = parse_image(image).repository.rpartition("/")[2]
    except BadImageReference:
        return ""
    name = re.sub(r"[^a-z0-9]+", "-", last.lower()).strip("-0123456789")[:LONGEST_NAME].rstrip("-")
    return name if is_label(name) else ""


def laid_over(draft: Draft, *, base: Mapping[str, Any] | None, service: str) -> dict[str, Any]:
    """The document of a draft, to be read with `specification_from`. `base` is canonical, or None for a new app."""
    document = deepcopy(dict(base)) if base else {"services": {service: {}}}
    services = document.setdefault("services", {})
    services[service] = _service(draft, services.get(service) or {})
    if draft.storage is not None:
        _put_sizes(document, sizes_of(draft.storage), used_volumes(services[service]))
    return document


def used_volumes(service: Mapping[str, Any]) -> set[str]:
    """The volumes that the canonical form of a service mounts."""
    return {str(one["source"]) for one in service.get("volumes") or () if isinstance(one, dict) and "source" in one}


def _put_sizes(document: dict[str, Any], sizes: Mapping[str, str], used: set[str]) -> None:
    """A volume of the service that has no size any more gets the usual one; those of other services stay."""
    volumes = document.setdefault("volumes", {})
    for name in used | sizes.keys():
        own = {key: value for key, value in ((volumes.get(name) or {}).get("x-berth") or {}).items() if key != "size"}
        volumes[name] = {"x-berth": own | ({"size": sizes[name]} if sizes.get(name) else {})}


def specification_from(document: Mapping[str, Any]) -> Specification:
    """Raises SpecificationError with paths such as services.web.ports[0]."""
    return read_data(dict(document)).specification


def _service(draft: Draft, old: Mapping[str, Any]) -> dict[str, Any]:
    new = dict(old) | {
        "image": _literal(draft.image),
        "environment": {name: _literal(value) for name, value in draft.variables},
        "ports": [port for port in re.split(r"[,\s]+", draft.ports) if port],
        "deploy": _deploy(draft, old.get("deploy") or {}),
    }
    if draft.health != KEPT:
        new = _checked(draft, new, old)
    return {key: value for key, value in new.items() if value not in ({}, [])}


def _deploy(draft: Draft, old: Mapping[str, Any]) -> dict[str, Any]:
    resources = dict(old.get("resources") or {})
    limits = dict(resources.get("limits") or {})
    for key, value in (("cpus", draft.cpu), ("memory", f"{draft.memory}Mi" if draft.memory else "")):
        limits.pop(key, None)
        if value:
            limits[key] = value
    resources["limits"] = limits
    return dict(old) | {"replicas": draft.instances, "resources": resources}


def _checked(draft: Draft, new: dict[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """The check in place of the one before; how often it is made stays."""
    own = {key: value for key, value in (old.get("x-berth") or {}).items() if key != "health"}
    before = (old.get("x-berth") or {}).get("health") or old.get("healthcheck") or {}
    rhythm = {key: before[key] for key in ("interval", "timeout", "retries", "start_period") if key in before}
    new.pop("healthcheck", None)
    port = next((part for part in new["ports"] if part.isdigit()), "")
    if draft.health == HTTP:
        own["health"] = {"http": {"port": port, "path": draft.path or "/"}, **rhythm}
    elif draft.health == TCP:
        own["health"] = {"tcp": {"port": port}, **rhythm}
    elif draft.health == COMMAND:
        new["healthcheck"] = {"test": _test(draft.command, old), **rhythm}
    elif draft.health == NONE:
        new["healthcheck"] = {"test": ["NONE"]}
    new["x-berth"] = own
    return new


def _test(command: str, old: Mapping[str, Any]) -> list[str]:
    """A line for the shell; the list of words of before where the line still says the same."""
    words = list((old.get("healthcheck") or {}).get("test") or [])
    if words[:1] == ["CMD"] and shlex.join(word.replace("$$", "$") for word in words[1:]) == command:
        return words
    return ["CMD-SHELL", _literal(command)]


def _literal(text: str) -> str:
    """What is typed into a field is meant as it stands; in the document a dollar sign is written twice."""
    return text.replace("$", "$$")
