"""Documents of this engine as a specification: whole, or with all that stands in the way. Pure."""

from collections.abc import Sequence
from typing import Any

from backends.contract.documents import Translated
from backends.kubernetes.reading.amounts import LABEL, label
from backends.kubernetes.reading.mounts import Declared, declare
from backends.kubernetes.reading.parcel import WORKLOADS, Document, Parcel, unpacked
from backends.kubernetes.reading.programs import Target
from backends.kubernetes.reading.ways_in import WaysIn, read_ports, tell_ingresses, tell_services
from backends.kubernetes.reading.workloads import read_claim, read_workload


def recognised(documents: Sequence[object]) -> bool:
    return any(isinstance(one, dict) and "apiVersion" in one and "kind" in one for one in documents)


def translated(documents: Sequence[object]) -> Translated:
    parcel = unpacked(documents)
    ways = WaysIn(parcel)
    declared: Declared = {"volumes": {}, "configs": {}, "secrets": {}}
    services: dict[str, Any] = {}
    names: dict[str, str] = {}
    _claims(parcel, declared)
    for one in parcel.of(*WORKLOADS):
        name = names[f"{one.kind}/{one.name}"] = ways.name(one)
        if name in services:
            one.fields.tell("twice", name=name)
            continue
        if name != one.name:
            one.fields.tell("renamed", name=name)
        target = Target(name, parcel)
        read_ports(ways, one, target)
        read_workload(one, target, declared)
        services[name] = target.keys
    _scaling(parcel, services, names)
    tell_services(parcel, ways, names)
    tell_ingresses(parcel)
    _unused(parcel, declared)
    kept = {kind: found for kind, found in declared.items() if found}
    name = parcel.name if LABEL.match(parcel.name) else ""
    remarks = {(one.loc, one.code): one for one in parcel.report.remarks}
    return Translated(name, {"services": services, **kept}, parcel.report.origins, tuple(remarks.values()))


def _claims(parcel: Parcel, declared: Declared) -> None:
    for one in parcel.of("PersistentVolumeClaim"):
        asked = read_claim(one.fields)
        name = label(one.name)
        if name not in declared["volumes"]:
            one.fields.tell("empty_volume", name=name)
        declared["volumes"][name] = asked.volume(name, parcel.report)


def _scaling(parcel: Parcel, services: dict[str, Any], names: dict[str, str]) -> None:
    """The number of instances is the workload's own, else the least that the scaling keeps."""
    for one in parcel.of("HorizontalPodAutoscaler"):
        spec = one.fields.below("spec", "scaling")
        wanted = spec.data.get("scaleTargetRef")
        about = wanted if isinstance(wanted, dict) else {}
        name = names.get(f"{about.get('kind')}/{about.get('name')}", "")
        one.fields.peek("spec")
        if name not in services:
            one.fields.tell("nobody", "spec", "scaleTargetRef")
            continue
        deploy = services[name].setdefault("deploy", {})
        if "replicas" not in deploy and spec.data.get("minReplicas") is not None:
            deploy["replicas"] = spec.data["minReplicas"]
            parcel.report.origins["services", name, "deploy", "replicas"] = (*spec.loc, "minReplicas")
        one.fields.tell("scaling", "spec", name=deploy.get("replicas", 1))
        one.fields.rest()


def _unused(parcel: Parcel, declared: Declared) -> None:
    """What is in no use yet is declared all the same; what only gave values to variables is not."""
    for one in parcel.of("ConfigMap", "Secret"):
        _tell_data(one)
        if not one.used:
            for key in one.texts:
                declare(declared, one, key)


def _tell_data(one: Document) -> None:
    if one.kind == "Secret":
        for key in ("data", "stringData", "type", "immutable"):
            one.fields.peek(key)
    else:
        one.fields.peek("immutable")
        for _key, _text in one.fields.texts("data"):
            pass
        if "binaryData" in one.fields:
            one.fields.tell("binary", "binaryData")
            one.fields.peek("binaryData")
    one.fields.rest()
