"""A specification as documents that `kubectl apply` takes, under the names people know. Pure; secrets stay empty."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backends.contract.documents import Written
from backends.contract.spec import VOLUME_BYTES
from backends.kubernetes.kinds import quantity
from backends.kubernetes.pods import FILES_GROUP
from backends.kubernetes.reading.workloads import REST

_APIS = {"Deployment": "apps/v1", "StatefulSet": "apps/v1"}
_PART, _NAME = "app.kubernetes.io/part-of", "app.kubernetes.io/name"
_FILL_IN = "FILL-IN"
_SECRET_NOTE = _("Write the value of the secret {name} in place of FILL-IN before you apply this.")
_VOLUME_NOTE = _("The volume {name} is empty at first.")

Document = dict[str, Any]


def written(app: str, specification: Mapping[str, Any]) -> list[Written]:
    """`specification`: its canonical form with its dollars as they are meant."""
    services: Mapping[str, Any] = specification.get("services", {})
    made = [
        *(_config(app, name, one) for name, one in specification.get("configs", {}).items()),
        *(_secret(app, name) for name in specification.get("secrets", {})),
    ]
    users = _users(services)
    sizes = {name: _size(one) for name, one in specification.get("volumes", {}).items()}
    for name, size in sizes.items():
        if len(users.get(name, ())) != 1:
            made.append(Written(_volume(app, name, size), note=format_lazy(_VOLUME_NOTE, name=name)))
    own = {name: sizes[name] for name, found in users.items() if len(found) == 1}
    for name, service in services.items():
        made.append(Written(_workload(app, name, service, own), service=name))
        made += _ways_in(app, name, service, taken=services)
    return made


def with_rest(one: Written, rest: Mapping[str, Any]) -> Written:
    """A workload's document with what its own fields cannot say."""
    about = one.document["metadata"]
    notes = about.get("annotations", {}) | {REST: json.dumps(rest, sort_keys=True, ensure_ascii=False)}
    return replace(one, document=one.document | {"metadata": about | {"annotations": notes}})


def _users(services: Mapping[str, Any]) -> dict[str, set[str]]:
    """Which services use a volume."""
    found: dict[str, set[str]] = {}
    for name, service in services.items():
        for one in service.get("volumes", ()):
            found.setdefault(one["source"], set()).add(name)
    return found


def _thing(app: str, kind: str, name: str, **fields: Any) -> Document:
    about = {"name": name, "labels": {_PART: app}}
    return {"apiVersion": _APIS.get(kind, "v1"), "kind": kind, "metadata": about, **fields}


def _config(app: str, name: str, one: Mapping[str, Any]) -> Written:
    return Written(_thing(app, "ConfigMap", name, data={"content": one["content"]}))


def _secret(app: str, name: str) -> Written:
    made = _thing(app, "Secret", name, type="Opaque", stringData={"content": _FILL_IN})
    return Written(made, note=format_lazy(_SECRET_NOTE, name=name))


def _size(volume: Mapping[str, Any]) -> str:
    return str(volume.get("x-berth", {}).get("size", quantity(VOLUME_BYTES)))


def _claim(size: str) -> Document:
    return {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}


def _volume(app: str, name: str, size: str) -> Document:
    return _thing(app, "PersistentVolumeClaim", name, spec=_claim(size))


def _workload(app: str, name: str, service: Mapping[str, Any], own: Mapping[str, str]) -> Document:
    """`own`: sizes of the volumes that no other service uses."""
    mine = sorted({one["source"] for one in service.get("volumes", ()) if one["source"] in own})
    chosen = {_PART: app, _NAME: name}
    template = {"metadata": {"labels": chosen | _labels(service)}, "spec": _pod(name, service, own)}
    body: Document = {"replicas": service["deploy"]["replicas"], "selector": {"matchLabels": chosen}}
    if mine:
        claims = [{"metadata": {"name": one}, "spec": _claim(own[one])} for one in mine]
        more: Document = {"serviceName": name, "template": template, "volumeClaimTemplates": claims}
        return _thing(app, "StatefulSet", name, spec=body | more)
    strategy = {"strategy": _strategy(service)} if "update_config" in service["deploy"] else {}
    return _thing(app, "Deployment", name, spec=body | strategy | {"template": template})


def _labels(service: Mapping[str, Any]) -> dict[str, str]:
    """Those that the engine takes too; the others go with the rest."""
    return {name: value for name, value in service.get("labels", {}).items() if _is_label(name, value)}


def _is_label(name: str, value: str) -> bool:
    prefix, _slash, last = name.rpartition("/")
    plain = last.replace(".", "").replace("_", "").replace("-", "")
    texts = (plain.isalnum() and plain.isascii(), last[:1].isalnum(), last[-1:].isalnum(), len(last) <= 63)
    return not prefix and all(texts) and (not value or value.isascii() and value.isalnum() and len(value) <= 63)


def _strategy(service: Mapping[str, Any]) -> Document:
    wanted = service["deploy"].get("update_config", {})
    step = wanted.get("parallelism", 1)
    first = wanted.get("order", "stop-first" if service.get("volumes") else "start-first") == "start-first"
    rolling = {"maxSurge": step, "maxUnavailable": 0} if first else {"maxSurge": 0, "maxUnavailable": step}
    return {"type": "RollingUpdate", "rollingUpdate": rolling}


def _known(plain: Document) -> Document:
    return {name: value for name, value in plain.items() if value not in (None, [], {})}


def _pod(name: str, service: Mapping[str, Any], own: Mapping[str, str]) -> Document:
    grace = service.get("stop_grace_period")
    constraints = service["deploy"].get("placement", {}).get("constraints", ())
    wanted = [one.removeprefix("node.labels.").partition(" == ") for one in constraints]
    return _known(
        {
            "automountServiceAccountToken": False,
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}} | _user(service) | _group(service),
            "terminationGracePeriodSeconds": None if grace is None else math.ceil(_seconds(grace)),
            "nodeSelector": {key: value for key, _is, value in wanted if _is_label(key, value)},
            "containers": [_container(name, service)],
            "volumes": _volumes(service, own),
        }
    )


def _user(service: Mapping[str, Any]) -> Document:
    """Names of users are known to the image alone. Root is not asked for; it goes with the rest."""
    user, _colon, group = str(service.get("user", "")).partition(":")
    numbers = all(part.isdecimal() and part.isascii() and len(part) < 10 for part in (user, group or "1"))
    if numbers and int(user) == 0:
        return {}
    if not numbers:
        return {"runAsNonRoot": True}
    return {"runAsNonRoot": True, "runAsUser": int(user), **({"runAsGroup": int(group)} if group else {})}


def _group(service: Mapping[str, Any]) -> Document:
    """Volumes and files belong to a group that the program is in."""
    owned = any(service.get(key) for key in ("volumes", "configs", "secrets"))
    return {"fsGroup": _user(service).get("runAsGroup", FILES_GROUP)} if owned else {}


def _container(name: str, service: Mapping[str, Any]) -> Document:
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        **({"readOnlyRootFilesystem": True} if service.get("read_only") else {}),
    }
    ports = [(one["target"], one["protocol"]) for one in service.get("ports", ())] + _inside(service)
    environment = service.get("environment", {})
    return _known(
        {
            "name": name,
            "image": service["image"],
            "command": _literal(service.get("entrypoint")),
            "args": _literal(service.get("command")),
            "workingDir": service.get("working_dir"),
            "env": [{"name": key, "value": _dollars(value)} for key, value in environment.items()],
            "ports": [{"containerPort": port, "protocol": protocol.upper()} for port, protocol in ports],
            "resources": _resources(service),
            "securityContext": security,
            "volumeMounts": _mounts(service),
            **_probes(service),
        }
    )


def _dollars(text: str) -> str:
    """The engine fills in $(NAME) and takes two dollars for one."""
    return text.replace("$", "$$")


def _literal(words: list[str] | None) -> list[str] | None:
    return words and [_dollars(word) for word in words]


def _inside(service: Mapping[str, Any]) -> list[tuple[int, str]]:
    pairs = [one.partition("/") for one in service.get("expose", ())]
    return [(int(port), protocol or "tcp") for port, _slash, protocol in pairs]


def _resources(service: Mapping[str, Any]) -> Document:
    wanted = service["deploy"].get("resources", {})
    sides = (("limits", "limits"), ("requests", "reservations"))
    found = {
        key: _known({"cpu": wanted.get(kept, {}).get("cpus"), "memory": wanted.get(kept, {}).get("memory")})
        for key, kept in sides
    }
    return _known(found)


def _probes(service: Mapping[str, Any]) -> Document:
    test = service.get("healthcheck", {}).get("test", ["NONE"])
    health = service.get("x-berth", {}).get("health", {})
    if health:
        check, rhythm = _asked(health), health
    elif test[0] == "NONE":
        return {}
    else:
        words = test[1:] if test[0] == "CMD" else ["/bin/sh", "-c", test[1]]
        check, rhythm = {"exec": {"command": _literal(words)}}, service["healthcheck"]
    every = check | {
        "periodSeconds": max(1, math.ceil(_seconds(rhythm["interval"]))),
        "timeoutSeconds": max(1, math.ceil(_seconds(rhythm["timeout"]))),
        "failureThreshold": rhythm["retries"],
        "initialDelaySeconds": math.ceil(_seconds(rhythm["start_period"])),
    }
    return {"readinessProbe": every, "livenessProbe": dict(every)}


def _asked(health: Mapping[str, Any]) -> Document:
    if "http" in health:
        return {"httpGet": {"port": health["http"]["port"], "path": health["http"].get("path", "/")}}
    return {"tcpSocket": {"port": health["tcp"]["port"]}}


def _seconds(text: str) -> float:
    """A length of time as a specification says it: 90s or 250ms."""
    return float(text.removesuffix("ms")) / 1000 if text.endswith("ms") else float(text.removesuffix("s"))


def _files(service: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
    return [
        (f"0-{kind}-{at}", kind, one)  # begins with a digit, as no name of a volume does
        for kind, key in (("config", "configs"), ("secret", "secrets"))
        for at, one in enumerate(service.get(key, ()))
    ]


def _volumes(service: Mapping[str, Any], own: Mapping[str, str]) -> list[Document]:
    shared = sorted({one["source"] for one in service.get("volumes", ())} - own.keys())
    made: list[Document] = [{"name": one, "persistentVolumeClaim": {"claimName": one}} for one in shared]
    for at, text in enumerate(service.get("tmpfs", ())):
        _path, _colon, size = text.partition(":size=")
        made.append(
            {"name": f"0-memory-{at}", "emptyDir": {"medium": "Memory", **({"sizeLimit": size} if size else {})}}
        )
    for name, kind, one in _files(service):
        mode = {"defaultMode": int(one["mode"], 8)} if "mode" in one else {}
        source = {"secretName": one["source"]} if kind == "secret" else {"name": one["source"]}
        made.append({"name": name, "secret" if kind == "secret" else "configMap": source | mode})
    return made


def _mounts(service: Mapping[str, Any]) -> list[Document]:
    made: list[Document] = [
        {"name": one["source"], "mountPath": one["target"], **({"readOnly": True} if one.get("read_only") else {})}
        for one in service.get("volumes", ())
    ]
    made += [
        {"name": f"0-memory-{at}", "mountPath": text.partition(":size=")[0]}
        for at, text in enumerate(service.get("tmpfs", ()))
    ]
    made += [
        {"name": name, "mountPath": one["target"], "subPath": "content", "readOnly": True}
        for name, _kind, one in _files(service)
    ]
    return made


def _ways_in(app: str, name: str, service: Mapping[str, Any], *, taken: Mapping[str, Any]) -> list[Written]:
    """The service under its own name; where only some of its ports are published, those under another too."""
    published = [(one["target"], one["protocol"]) for one in service.get("ports", ())]
    inside = _inside(service)
    made = []
    if published or inside:
        kind = "ClusterIP" if inside else "NodePort"
        made.append(_service(app, name, name, kind, sorted({*published, *inside})))
    if published and inside:
        free = f"{name[:32].rstrip('-')}-outside"
        while free in taken:
            free += "-1"
        made.append(_service(app, free, name, "NodePort", published))
    return made


def _service(app: str, name: str, leads_to: str, kind: str, ports: list[tuple[int, str]]) -> Written:
    listed = [
        {"name": f"{protocol}-{port}", "port": port, "targetPort": port, "protocol": protocol.upper()}
        for port, protocol in ports
    ]
    chosen = {_PART: app, _NAME: leads_to}
    return Written(_thing(app, "Service", name, spec={"type": kind, "selector": chosen, "ports": listed}))
