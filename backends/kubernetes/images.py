"""Pinning an image. The API cannot ask a registry; a host can, so a short pod has it fetch the image and tell what
it got. That way only the cluster itself ever calls a registry whose name a person has typed."""

import hashlib
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from backends.contract import Credentials, DriverError, EnvironmentRef, ImageInfo, Reason, ReasonCode
from backends.failing import slow
from backends.kubernetes import environments, kinds, names, reasons
from backends.kubernetes.client import READ_SECONDS, ApiServer
from backends.kubernetes.observe import moment
from backends.references import REFERENCE, full_name

Raw = Mapping[str, Any]

PLACE = EnvironmentRef("berth-images", internal=True)
_LOOK_SECONDS = 0.1
_HELD_SECONDS = 600  # the longest a host may fetch one image before its pod is given up
_NOTHING = "/berth/asks-only-for-the-image"  # no image holds it, so nothing of a stranger's is ever run
_QUESTION = "berth/question"


def resolve(client: ApiServer, reference: str, *, local: bool, pull: Credentials | None = None) -> ImageInfo:
    """Errors: IMAGE_NOT_FOUND, IMAGE_DENIED, REGISTRY_AWAY, BAD_IMAGE; ENGINE_SLOW: ask again, it is on its way."""
    match = REFERENCE.fullmatch(reference)
    if match is None:
        raise DriverError(Reason(ReasonCode.BAD_IMAGE, {"image": reference}), permanent=True)
    nodes = client.items("Node")
    if local and (info := on_hosts(reference, nodes)) is not None:
        return info
    fetched = _fetched(client, reference, pull)  # also one that is named by its digest, which is no proof of a right
    digest = match["digest"] or fetched
    platforms = {node["status"]["nodeInfo"]["architecture"] for node in nodes}
    return ImageInfo(
        reference=reference,
        pinned=f"{match['name']}@{digest}",
        digest=digest,
        platform=f"linux/{platforms.pop()}" if len(platforms) == 1 else "",
    )


def on_hosts(reference: str, nodes: list[dict[str, Any]]) -> ImageInfo | None:
    """What lies on some host under this very name, with the digest under which it is known there."""
    match = REFERENCE.fullmatch(reference)
    if match is None:
        return None
    repository = full_name(match["name"])
    wanted = f"{repository}@{match['digest']}" if match["digest"] else f"{repository}:{match['tag'] or 'latest'}"
    for node in nodes:
        for image in node["status"].get("images") or ():
            known = image.get("names") or ()
            digests = [name.partition("@")[2] for name in known if name.startswith(f"{repository}@")]
            if wanted in known and digests:
                about = node["status"]["nodeInfo"]
                return ImageInfo(
                    reference=reference,
                    pinned=f"{match['name']}@{digests[0]}",
                    digest=digests[0],
                    size_bytes=image.get("sizeBytes"),
                    platform=f"{about['operatingSystem']}/{about['architecture']}",
                )
    return None


def question(reference: str, pull: Credentials | None = None) -> dict[str, Any]:
    """The pod that asks. It never runs anything of the image. Pure.

    Who shows other credentials asks another question, and what they show has the question's own name.
    """
    name = hashlib.sha256("\n".join((reference, *([pull.username] if pull else []))).encode()).hexdigest()[:32]
    container = {
        "name": names.CONTAINER,
        "image": reference,
        "imagePullPolicy": "Always",
        "command": [_NOTHING],
        "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"memory": "32Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": _HELD_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 0,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        **({"imagePullSecrets": [{"name": name}]} if pull else {}),
    }
    labels = {names.MANAGED: names.MANAGER, _QUESTION: "image"}
    made = kinds.thing("Pod", name, PLACE.name, labels=labels, spec=spec)
    made["metadata"]["annotations"] = {names.IMAGE: reference}
    return made


def _fetched(client: ApiServer, reference: str, pull: Credentials | None) -> str:
    """The digest of what a host has fetched."""
    pod = question(reference, pull)
    path = kinds.path_of(pod)
    deadline = time.monotonic() + READ_SECONDS
    forget_old(client)
    if pull:
        client.apply(environments.pull_secret(PLACE.name, pod["metadata"]["name"], pull))
    client.apply(pod)
    while time.monotonic() < deadline:
        found = client.find("Pod", PLACE.name, pod["metadata"]["name"])
        digest, reason = read(found) if found else ("", None)
        if digest or reason:
            client.delete(path, gracePeriodSeconds=0)
            if pull:
                client.delete(kinds.path("Secret", PLACE.name, pod["metadata"]["name"]))
        if reason:
            raise DriverError(reason, permanent=reason.code != ReasonCode.REGISTRY_AWAY)
        if digest:
            return digest
        time.sleep(_LOOK_SECONDS)
    raise slow()


def forget_old(client: ApiServer) -> None:
    """Questions that nobody came back for."""
    before = datetime.now(UTC) - timedelta(seconds=2 * _HELD_SECONDS)
    for pod in client.items("Pod", PLACE.name):
        asked_at = moment(pod["metadata"]["creationTimestamp"])
        if asked_at is not None and asked_at < before:
            client.delete(kinds.path("Pod", PLACE.name, pod["metadata"]["name"]), gracePeriodSeconds=0)
            if pod["spec"].get("imagePullSecrets"):
                client.delete(kinds.path("Secret", PLACE.name, pod["metadata"]["name"]))


def read(pod: Raw) -> tuple[str, Reason | None]:
    """The digest once it is known, or why it will not be."""
    container: Raw = next(iter(pod["status"].get("containerStatuses") or ()), {})
    digest = str(container.get("imageID", "")).partition("@")[2]
    if digest:
        return digest, None
    state = (container.get("state") or {}).get("waiting") or {}
    reason = reasons.waiting(state, pod, service="")
    if reason and reason.code in {ReasonCode.UNKNOWN, ReasonCode.COMMAND_NOT_FOUND}:
        return "", None  # it was not to run at all
    return "", Reason(reason.code, {"image": reason.params.get("image", "")}) if reason else None
