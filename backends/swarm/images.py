"""Pinning an image: what a registry, or the engine itself, knows of a reference."""

import re
from collections.abc import Mapping
from typing import Any

from backends.contract import Credentials, DriverError, HealthCheck, ImageInfo, Reason, ReasonCode
from backends.references import REFERENCE, shown_for
from backends.swarm.client import EngineClient
from backends.swarm.errors import RefusedError, image_refused
from backends.swarm.observe import moment

Raw = Mapping[str, Any]

_IMAGE_ID = re.compile(r"sha256:[0-9a-f]{64}")
_NANO = 1e9


def resolve(client: EngineClient, reference: str, *, local: bool, pull: Credentials | None = None) -> ImageInfo:
    """Errors: IMAGE_NOT_FOUND, IMAGE_DENIED, REGISTRY_AWAY, BAD_IMAGE, and those of an engine that is away."""
    if local and (here := held(client, reference)) is not None:
        return here
    match = REFERENCE.fullmatch(reference)
    if match is None:
        raise DriverError(Reason(ReasonCode.BAD_IMAGE, {"image": reference}), permanent=True)
    try:
        told = client.get(f"/distribution/{reference}/json", pull=shown_for(reference, pull))
    except DriverError as error:
        raise image_refused(error, image=reference) from error
    return _in_registry(client, reference, match["name"], told)


def held(client: EngineClient, reference: str) -> ImageInfo | None:
    """As it just lies on the engine."""
    found = _inspect(client, reference)
    return None if found is None else on_engine(reference, found)


def _in_registry(client: EngineClient, reference: str, name: str, told: Raw) -> ImageInfo:
    about: Raw = told["Descriptor"]
    pinned = f"{name}@{about['digest']}"
    platforms = [_platform(one) for one in told.get("Platforms") or ()]
    found = _inspect(client, pinned)  # a registry does not tell the configuration this way; the engine may have it
    if found is not None:
        return on_engine(reference, found, pinned=pinned, digest=about["digest"])
    return ImageInfo(
        reference=reference, pinned=pinned, digest=about["digest"], platform=platforms[0] if len(platforms) == 1 else ""
    )


def _inspect(client: EngineClient, reference: str) -> Raw | None:
    if not (REFERENCE.fullmatch(reference) or _IMAGE_ID.fullmatch(reference)):
        raise DriverError(Reason(ReasonCode.BAD_IMAGE, {"image": reference}), permanent=True)
    try:
        found: Raw = client.get(f"/images/{reference}/json")
    except RefusedError as error:
        if error.status == 404:
            return None
        raise
    return found


def on_engine(reference: str, image: Raw, *, pinned: str = "", digest: str = "") -> ImageInfo:
    """Of an image that lies on the engine. One that no registry knows is pinned by its id: a tag that moves later
    changes nothing then, and the engine does not try to fetch it."""
    known = digest or _digest_of(reference, image)
    name = reference.partition("@")[0]
    config: Raw = image.get("Config") or {}
    own = (name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name) if known else ""
    return ImageInfo(
        reference=reference,
        pinned=pinned or (f"{own}@{known}" if known else image["Id"]),
        digest=known or image["Id"],
        size_bytes=image.get("Size"),
        created_at=moment(image.get("Created")),
        platform=f"{image.get('Os', '')}/{image.get('Architecture', '')}",
        ports=tuple(sorted(config.get("ExposedPorts") or {})),
        health=_health(config.get("Healthcheck")),
        user=config.get("User") or "",
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        environment=tuple(_pair(line) for line in config.get("Env") or ()),
        labels=dict(config.get("Labels") or {}),
    )


def _digest_of(reference: str, image: Raw) -> str:
    """The digest under which this very repository holds the image, if it came from (or went to) one."""
    name = reference.partition("@")[0]
    repository = name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name
    held = dict(one.split("@", 1) for one in image.get("RepoDigests") or () if "@" in one)
    short = repository.removeprefix("docker.io/").removeprefix("library/")
    return held.get(repository) or held.get(short) or ""


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name, value


def _platform(raw: Raw) -> str:
    return f"{raw.get('os', '')}/{raw.get('architecture', '')}"


def _health(raw: Raw | None) -> HealthCheck | None:
    test = list((raw or {}).get("Test") or ())
    if raw is None or not test or test[0] == "NONE":
        return None
    command = ("/bin/sh", "-c", *test[1:]) if test[0] == "CMD-SHELL" else tuple(test[1:])
    return HealthCheck(
        command=command,
        interval_seconds=(raw.get("Interval") or 30 * _NANO) / _NANO,
        timeout_seconds=(raw.get("Timeout") or 30 * _NANO) / _NANO,
        retries=raw.get("Retries") or 3,
        start_period_seconds=(raw.get("StartPeriod") or 0) / _NANO,
    )
