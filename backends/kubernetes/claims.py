"""Volumes of a service that are there already: they grow where their storage can, and none ever shrinks.

What a StatefulSet asks for its volumes cannot be changed, so it is made anew around its instances, which stay.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backends.contract import DriverError, Reason, ReasonCode, ServiceSpec, VolumeMount
from backends.failing import shortened
from backends.kubernetes import kinds, names
from backends.kubernetes.client import ApiServer
from backends.kubernetes.errors import RefusedError
from backends.kubernetes.hosts import quantity

Raw = Mapping[str, Any]

_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_BY_HANDS = "FileSystemResizePending"  # larger already; the host sees to the rest
_KNOWN_SECONDS = 60.0
_FAILED = ("ControllerResizeError", "NodeResizeError")


@dataclass(frozen=True)
class Claim:
    """One instance's own volume, and what is wanted of it."""

    thing: Raw
    mount: VolumeMount

    @property
    def name(self) -> str:
        return str(self.thing["metadata"]["name"])

    @property
    def instance(self) -> str:
        return self.name.removeprefix(f"{self.mount.volume}-")

    @property
    def asked(self) -> int:
        return _bytes(self.thing["spec"]["resources"]["requests"])

    @property
    def bound(self) -> bool:
        """Whether there is a volume with data in it yet."""
        return bool(self.thing["spec"].get("volumeName"))

    @property
    def growing(self) -> bool:
        status: Raw = self.thing.get("status") or {}
        there = _bytes(status.get("capacity") or {})
        told = {one["type"] for one in status.get("conditions") or () if one.get("status") == "True"}
        return self.bound and there < self.mount.size_bytes and _BY_HANDS not in told

    @property
    def failed(self) -> str:
        """What the engine says of a growth that went wrong."""
        conditions = (self.thing.get("status") or {}).get("conditions") or ()
        told = [one for one in conditions if one["type"] in _FAILED and one.get("status") == "True"]
        return str(told[0].get("message") or told[0]["type"]) if told and self.growing else ""


def _bytes(amounts: Raw) -> int:
    return int(quantity(amounts.get("storage", "0")))


def wanted(spec: ServiceSpec) -> dict[str, int]:
    return {one.volume: one.size_bytes for one in spec.volumes}


def templates(workload: Raw) -> dict[str, int]:
    """What a workload asks for the volumes of an instance that it makes, in bytes."""
    found = workload["spec"].get("volumeClaimTemplates") or ()
    return {one["metadata"]["name"]: _bytes(one["spec"]["resources"]["requests"]) for one in found}


def resized(spec: ServiceSpec, workload: Raw | None) -> bool:
    """Whether the same volumes are asked for in other sizes."""
    if workload is None:
        return False
    now, then = wanted(spec), templates(workload)
    return now.keys() == then.keys() and now != then


def prepare(api: ApiServer, spec: ServiceSpec, *, known: bool) -> None:
    """Brings the volumes that are there to at least their sizes. Errors: VOLUME_KEEPS_SIZE, before any is touched."""
    found = _found(api, spec, known=known)
    small = [one for one in found if one.bound and one.asked < one.mount.size_bytes]
    if small:
        able = growing_classes(api)
        if any(one.thing["spec"].get("storageClassName") not in able for one in small):
            raise DriverError(Reason(ReasonCode.VOLUME_KEEPS_SIZE, {"service": spec.ref.service}), permanent=True)
    for one in small:
        asked = {"resources": {"requests": {"storage": kinds.quantity(one.mount.size_bytes)}}}
        api.merge(kinds.path("PersistentVolumeClaim", spec.ref.environment, one.name), {"spec": asked})


def drop_unborn(api: ApiServer, spec: ServiceSpec, *, known: bool) -> None:
    """Volumes of another size that never came hold nothing, and would be waited for for ever. To be done while no
    workload is there, which would make them again as they were.
    """
    place = spec.ref.environment
    for one in _found(api, spec, known=known):
        if not one.bound and one.asked != one.mount.size_bytes:
            api.delete(kinds.path("PersistentVolumeClaim", place, one.name))
            api.delete(kinds.path("Pod", place, one.instance))


def _found(api: ApiServer, spec: ServiceSpec, *, known: bool) -> list[Claim]:
    """`known`: the service is there, in other sizes. Of a new one there is rarely any volume from before, so nothing
    fails where nobody may see them.
    """
    try:
        return list(_claims(api, spec))
    except RefusedError:
        if known:
            raise
        return []


def growth(api: ApiServer, spec: ServiceSpec) -> tuple[bool, Reason | None]:
    """Whether volumes are still on the way to their size, and why one does not get there."""
    try:
        found = list(_claims(api, spec))
    except RefusedError:
        return False, None  # nobody gave us the right to see them
    said = next((one.failed for one in found if one.failed), "")
    if said:
        return True, Reason(ReasonCode.VOLUME_NOT_GROWN, {"service": spec.ref.service, "said": shortened(said)})
    return any(one.growing for one in found), None


def _claims(api: ApiServer, spec: ServiceSpec) -> Iterator[Claim]:
    kind, ref = "PersistentVolumeClaim", spec.ref
    for thing in api.items(kind, ref.environment, labelSelector=names.selector(names.identity(ref))):
        for mount in spec.volumes:
            if str(thing["metadata"]["name"]).startswith(f"{mount.volume}-{ref.engine_name}-"):
                yield Claim(thing, mount)


def growing_classes(api: ApiServer) -> set[str]:
    """The storage that can make a volume larger."""
    return {one["metadata"]["name"] for one in api.items("StorageClass") if one.get("allowVolumeExpansion") is True}


def default_grows(api: ApiServer) -> bool | None:
    """Whether the storage that new volumes lie on can; None: nobody knows."""
    try:
        usual = [one for one in api.items("StorageClass") if _is_default(one)]
    except RefusedError:
        return None
    return any(one.get("allowVolumeExpansion") is True for one in usual) if usual else None


class Storage:
    """The same, asked for now and then only: nobody changes it every day."""

    def __init__(self, api: ApiServer) -> None:
        self._api = api
        self._known: bool | None = None
        self._until = 0.0

    def grows(self) -> bool | None:
        if time.monotonic() >= self._until:
            self._known, self._until = default_grows(self._api), time.monotonic() + _KNOWN_SECONDS
        return self._known


def _is_default(one: Raw) -> bool:
    return (one["metadata"].get("annotations") or {}).get(_DEFAULT) == "true"
