"""What our objects are called and how they are marked."""

from collections.abc import Mapping
from typing import Any

from backends.contract import ServiceRef

MANAGER = "berth"  # as whom we apply
MANAGED = "app.kubernetes.io/managed-by"
ENVIRONMENT = "berth/environment"
APP = "berth/app"
SERVICE = "berth/service"
REVISION = "berth/revision"
IMAGE = "berth/image"  # an annotation: the image as the person wrote it, for words only
MONITOR = "berth/monitor-seconds"  # an annotation: so long an instance without a check must last to count as there
LABELS = "berth/labels"  # an annotation: the person's own, as JSON; they need not keep to the engine's alphabet
LAYOUT = "berth/layout"  # an annotation of namespaces: which state of our own objects they hold
CONTAINER = "app"
ACCOUNT = "app"
OURS = f"{MANAGED}={MANAGER}"

Raw = Mapping[str, Any]


def identity(ref: ServiceRef) -> dict[str, str]:
    return {ENVIRONMENT: ref.environment, APP: ref.app, SERVICE: ref.service}


def common(ref: ServiceRef) -> dict[str, str]:
    """Labels of every object of a service."""
    usual = {MANAGED: MANAGER, "app.kubernetes.io/name": ref.service, "app.kubernetes.io/part-of": ref.app}
    return usual | identity(ref)


def chosen(ref: ServiceRef) -> dict[str, str]:
    """The labels by which a service finds its instances; they never change."""
    return {APP: ref.app, SERVICE: ref.service}


def selector(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in labels.items())


def ref_of(thing: Raw) -> ServiceRef | None:
    """None: not one of ours."""
    labels: Raw = thing["metadata"].get("labels") or {}
    if labels.get(MANAGED) != MANAGER or SERVICE not in labels:
        return None
    return ServiceRef(labels.get(ENVIRONMENT, ""), labels.get(APP, ""), labels[SERVICE])


def note(thing: Raw, name: str) -> str:
    """One of our annotations."""
    return str((thing["metadata"].get("annotations") or {}).get(name, ""))
