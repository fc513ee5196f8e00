"""All that we ever say to the second engine about a service: the only keys, and the values where a word decides."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from backends.contract import ServiceSpec
from backends.kubernetes.manifests import objects

FREE = {"labels", "annotations", "matchLabels", "data", "binaryData", "nodeSelector", "selector"}  # keys vary below
EVERY = {"apiVersion", "kind", "metadata.name", "metadata.namespace", "metadata.labels.*"}
PROBE = {"exec.command", "failureThreshold", "periodSeconds", "timeoutSeconds"}
CONTAINER = {
    "args", "command", "env.name", "env.valueFrom.secretKeyRef.key", "env.valueFrom.secretKeyRef.name", "image",
    "imagePullPolicy", "lifecycle.preStop.sleep.seconds", "name", "ports.containerPort", "ports.protocol", "workingDir",
    "securityContext.allowPrivilegeEscalation", "securityContext.capabilities.drop",
    "securityContext.readOnlyRootFilesystem", "volumeMounts.mountPath", "volumeMounts.name", "volumeMounts.readOnly",
    "volumeMounts.subPath",
    *(f"resources.{side}.{what}" for side in ("limits", "requests") for what in ("cpu", "memory")),
    *(f"{probe}Probe.{key}" for probe in ("startup", "liveness", "readiness") for key in PROBE),
}  # fmt: skip
AWAY = "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution"
SPREAD = "topologySpreadConstraints"
POD = {
    f"{AWAY}.labelSelector.matchLabels.*", f"{AWAY}.topologyKey", "automountServiceAccountToken", "enableServiceLinks",
    "nodeSelector.*", "securityContext.fsGroup", "securityContext.runAsGroup", "securityContext.runAsNonRoot",
    "securityContext.runAsUser", "securityContext.seccompProfile.type", "serviceAccountName", "shareProcessNamespace",
    "terminationGracePeriodSeconds", "volumes.configMap.defaultMode", "volumes.configMap.name",
    "volumes.emptyDir.medium", "volumes.emptyDir.sizeLimit", "volumes.name", "volumes.secret.defaultMode",
    "volumes.secret.secretName",
    *(f"tolerations.{key}" for key in ("effect", "key", "operator", "tolerationSeconds")),
    *(f"{SPREAD}.{key}" for key in ("labelSelector.matchLabels.*", "matchLabelKeys", "maxSkew", "topologyKey",
                                     "whenUnsatisfiable")),
    *(f"containers.{key}" for key in CONTAINER),
}  # fmt: skip
WORKLOAD = {
    "metadata.annotations.*", "spec.minReadySeconds", "spec.replicas", "spec.revisionHistoryLimit",
    "spec.selector.matchLabels.*", "spec.template.metadata.annotations.*", "spec.template.metadata.labels.*",
    *(f"spec.template.spec.{key}" for key in POD),
}  # fmt: skip
CLAIM = "spec.volumeClaimTemplates"
KEYS: dict[str, set[str]] = {
    "Deployment": WORKLOAD | {"spec.progressDeadlineSeconds", "spec.strategy.type",
        "spec.strategy.rollingUpdate.maxSurge", "spec.strategy.rollingUpdate.maxUnavailable"},
    "StatefulSet": WORKLOAD | {"spec.podManagementPolicy", "spec.serviceName", "spec.updateStrategy.type",
        f"{CLAIM}.metadata.labels.*", f"{CLAIM}.metadata.name", f"{CLAIM}.spec.accessModes",
        f"{CLAIM}.spec.resources.requests.storage"},
    "Service": {"spec.clusterIP", "spec.externalTrafficPolicy", "spec.ports.name", "spec.ports.port",
        "spec.ports.protocol", "spec.ports.targetPort", "spec.selector.*", "spec.type"},
    "NetworkPolicy": {"spec.ingress.from.ipBlock.cidr", "spec.ingress.ports.port", "spec.ingress.ports.protocol",
        "spec.podSelector.matchLabels.*", "spec.policyTypes"},
    "PodDisruptionBudget": {"spec.maxUnavailable", "spec.selector.matchLabels.*"},
    "Secret": {"data.*", "immutable", "type"},
    "ConfigMap": {"binaryData.*", "immutable"},
}  # fmt: skip
IN_A_POD = "spec.template.spec"
WORDS: dict[str, set[Any]] = {
    f"{IN_A_POD}.automountServiceAccountToken": {False},
    f"{IN_A_POD}.enableServiceLinks": {False},
    f"{IN_A_POD}.serviceAccountName": {"app"},
    f"{IN_A_POD}.securityContext.runAsNonRoot": {True},
    f"{IN_A_POD}.securityContext.seccompProfile.type": {"RuntimeDefault"},
    f"{IN_A_POD}.containers.securityContext.allowPrivilegeEscalation": {False},
    f"{IN_A_POD}.containers.securityContext.capabilities.drop": {"ALL"},
    f"{IN_A_POD}.containers.imagePullPolicy": {"Always", "IfNotPresent", "Never"},
    f"{IN_A_POD}.containers.name": {"app"},
    f"{IN_A_POD}.tolerations.key": {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"},
    f"{IN_A_POD}.volumes.emptyDir.medium": {"Memory"},
    "spec.type": {"NodePort"},
    "spec.clusterIP": {"None"},
    "type": {"Opaque"},
}
Leaf = tuple[str, Any]


def said_of(spec: ServiceSpec) -> list[dict[str, Any]]:
    """As it leaves us: through JSON and back."""
    found: list[dict[str, Any]] = json.loads(json.dumps(objects(spec)))
    return found


def leaves(data: Any, path: str = "") -> Iterator[Leaf]:
    """(path without positions, value) of every value; keys that vary are one path."""
    if isinstance(data, dict) and data:
        free = path.rpartition(".")[2] in FREE
        for key, below in data.items():
            plain = free and not isinstance(below, dict)
            yield from leaves(below, f"{path}.{'*' if plain else key}".lstrip("."))
    elif isinstance(data, list) and data:
        for below in data:
            yield from leaves(below, path)
    elif data not in ({}, []):
        yield path, data


def faults_of(spec: ServiceSpec) -> list[str]:
    """What in its objects goes beyond the words above, or beyond its own environment and app."""
    return [fault for one in said_of(spec) for fault in faults_in(one, spec)]


def faults_in(one: dict[str, Any], spec: ServiceSpec) -> list[str]:
    kind, about = one["kind"], one["metadata"]
    found = [f"{kind}: {path} = {value!r}" for path, value in leaves(one) if path not in EVERY | KEYS[kind]]
    found += [f"{kind}: {path} = {value!r}" for path, value in leaves(one) if value not in WORDS.get(path, {value})]
    if about["namespace"] != spec.ref.environment:
        found.append(f"{kind} in {about['namespace']}")
    own = {"berth/environment": spec.ref.environment, "berth/app": spec.ref.app, "berth/service": spec.ref.service}
    if not own.items() <= about["labels"].items():
        found.append(f"{kind} of {about['labels']}")
    alias = kind == "Service" and about["name"] in spec.aliases
    if not alias and not about["name"].startswith(f"{spec.ref.app}-"):
        found.append(f"{kind} called {about['name']}")
    return found


def broken_texts(spec: ServiceSpec, texts: set[str]) -> list[str]:
    """Texts of people that do not stand whole in one string, be it encoded or among a person's own labels."""
    values: set[str] = set()
    for one in said_of(spec):
        values |= {value for _path, value in leaves(one) if isinstance(value, str)}
        values |= {base64.b64decode(value).decode() for value in (one.get("data") or {}).values()}
        notes = one.get("spec", {}).get("template", {}).get("metadata", {}).get("annotations", {})
        values |= set(json.loads(notes.get("berth/labels", "{}")).values())
    return [text for text in texts if not {text, text.replace("$(", "$$(")} & values]
