"""Services and Ingresses as the ports of services: which are published, which are for the environment alone."""

from typing import Any

from backends.kubernetes.reading.fields import Fields, plain
from backends.kubernetes.reading.parcel import WORKLOADS, Document, Parcel, labels_of
from backends.kubernetes.reading.programs import Target

Port = tuple[Any, str]  # what is reached inside the instance, and the protocol
_OUTSIDE = ("NodePort", "LoadBalancer")


class WaysIn:
    """Which Service leads to which workload; `routed`: by Service the ports that an Ingress leads to."""

    def __init__(self, parcel: Parcel) -> None:
        self.routed: dict[str, set[Any]] = {}
        for one in parcel.of("Ingress"):
            for name, port, _loc in backends_of(one.fields.data):
                self.routed.setdefault(name, set()).add(port)
        self.leads: dict[str, list[Document]] = {}
        workloads = [(one, labels_of(one.fields.data, "spec", "template", "metadata", "labels")) for one in
                     parcel.of(*WORKLOADS)]  # fmt: skip
        for service in parcel.of("Service"):
            wanted = labels_of(service.fields.data, "spec", "selector")
            found = [one for one, labels in workloads if wanted and wanted.items() <= labels.items()]
            for one in found:
                self.leads.setdefault(f"{one.kind}/{one.name}", []).append(service)
            if not found and labels_of(service.fields.data, "spec").get("type") != "ExternalName":
                service.fields.tell("nobody", "spec", "selector")

    def to(self, workload: Document) -> list[Document]:
        return self.leads.get(f"{workload.kind}/{workload.name}", [])

    def name(self, workload: Document) -> str:
        """As others reach it: by the name of a Service, its own if there is one of that name."""
        names = [one.name for one in self.to(workload)]
        return workload.name if workload.name in names or not names else names[0]


def read_ports(ways: WaysIn, workload: Document, target: Target) -> None:
    """`ports` are published, `expose` is for the environment; both point at the instance's own ports."""
    listed = _listed(workload)
    named = {one.scalar("name"): one.scalar("containerPort") for one in listed}
    published: dict[Port, tuple[Fields, str]] = {}
    inside: dict[Port, tuple[Fields, str]] = {}
    for service in ways.to(workload):
        for port, where, out in _of_service(service, named, ways):
            (published if out else inside)[port] = where
    for one in listed:
        one.take("containerPort")
        port = (one.scalar("containerPort"), str(one.peek("protocol", "TCP")).lower())
        one.peek("name")
        one.rest()
        if port not in published:
            inside.setdefault(port, (one, "containerPort"))
    _put(target, "ports", [({"target": one[0], "protocol": one[1]}, way) for one, way in published.items()])
    _put(target, "expose", [(_short(one), way) for one, way in inside.items() if one not in published])


def _short(port: Port) -> str:
    return str(port[0]) if port[1] == "tcp" else f"{port[0]}/{port[1]}"


def _put(target: Target, key: str, entries: list[tuple[Any, tuple[Fields, str]]]) -> None:
    if not entries:
        return
    fields, below = entries[0][1]
    target.put(fields, key, [entry for entry, _way in entries], below=(below,))
    for at, (_entry, (where, name)) in enumerate(entries):
        target.came(where, (name,), key, at)


def _listed(workload: Document) -> list[Fields]:
    spec = workload.fields.below("spec", "workload").below("template").below("spec", "pod")
    containers = spec.each("containers", "container")
    return containers[0].each("ports", "port") if containers else []


def _of_service(service: Document, named: dict[Any, Any], ways: WaysIn) -> list[tuple[Port, tuple[Fields, str], bool]]:
    spec = service.fields.below("spec", "service")
    kind = spec.peek("type", "ClusterIP")
    found = []
    routed = ways.routed.get(service.name, set())
    for one in spec.each("ports", "service_port"):
        own = one.scalar("port")
        wanted = one.scalar("targetPort", own)
        target = named.get(wanted, wanted) if isinstance(wanted, str) else wanted
        protocol = str(one.peek("protocol", "TCP")).lower()
        out = kind in _OUTSIDE or own in routed or one.scalar("name") in routed
        if target != own:
            one.tell("other_port", "targetPort", name=target, other=own)
        found.append(((target, protocol), (one, "port"), out))
    return found


def backends_of(ingress: Any) -> list[tuple[str, Any, tuple[str | int, ...]]]:
    """Service, port and place of everything an Ingress leads to."""
    spec = ingress.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    found: list[tuple[Any, tuple[str | int, ...]]] = [(spec.get("defaultBackend"), ("spec", "defaultBackend"))]
    rules = spec.get("rules")
    for at, rule in enumerate(rules if isinstance(rules, list) else ()):
        http = rule.get("http") if isinstance(rule, dict) else None
        paths = http.get("paths") if isinstance(http, dict) else None
        for number, path in enumerate(paths if isinstance(paths, list) else ()):
            if isinstance(path, dict):
                found.append((path.get("backend"), ("spec", "rules", at, "http", "paths", number, "backend")))
    return [(*named, loc) for backend, loc in found if (named := _named(backend))]


def _named(backend: object) -> tuple[str, Any] | None:
    service = backend.get("service") if isinstance(backend, dict) else None
    name = service.get("name") if isinstance(service, dict) else None
    port = service.get("port") if isinstance(service, dict) else None
    if not isinstance(name, str):
        return None
    return name, plain(port.get("number") or port.get("name")) if isinstance(port, dict) else None


def tell_services(parcel: Parcel, ways: WaysIn, names: dict[str, str]) -> None:
    """`names`: of services, by kind and name of their workloads. What becomes of each Service, once."""
    called = {service.name: names[key] for key, found in ways.leads.items() for service in found}
    for service in parcel.of("Service"):
        spec = service.fields.below("spec", "service")
        kind = spec.peek("type", "ClusterIP")
        if kind in _OUTSIDE:
            spec.tell("published", "type")
        elif kind == "ExternalName":
            spec.tell("external_name", "type")
        spec.peek("selector")
        for one in spec.each("ports", "service_port"):
            _tell_port(one)
        if service.name in called and called[service.name] != service.name:
            service.fields.tell("other_name", name=called[service.name])
        spec.rest()
        service.fields.rest()


def _tell_port(one: Fields) -> None:
    one.take("port")
    for key in ("name", "protocol", "appProtocol", "targetPort"):
        one.peek(key)
    if one.peek("nodePort") is not None:
        one.tell("host_port", "nodePort")
    one.rest()


def tell_ingresses(parcel: Parcel) -> None:
    for one in parcel.of("Ingress"):
        found = backends_of(one.fields.data)
        if not found:
            one.fields.tell("nobody", "spec")
        for name, _port, loc in found:
            known = parcel.find("Service", name) is not None
            one.fields.tell("routes" if known else "nobody", *loc, name=name)
        one.fields.peek("spec")
        one.fields.rest()
