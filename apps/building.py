"""From what is declared to what a driver is asked for. Every path to an engine goes through `services_of`."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from apps.models import AppEnvironment, Release, ReleaseImage, ServiceName
from apps.specification import BuildContext, Specification, build, stored
from backends.contract import Ceiling, Credentials, EnvironmentRef, HealthCheck, ServiceRef, ServiceSpec
from images.models import Artifact
from images.registry.accounts import credentials_for


def environment_ref(place: AppEnvironment, *, ceiling: Ceiling, pull: Credentials | None) -> EnvironmentRef:
    return EnvironmentRef(place.environment.engine_name, ceiling=ceiling, pull=pull)


def pull_of(place: AppEnvironment) -> Credentials | None:
    """By which the hosts of this environment fetch what was pushed to our registry; made at the first question."""
    return credentials_for(place.project, place=place.environment.engine_name, stage=place.environment.stage)


def specification_of(release: Release) -> Specification:
    """The release's own document, checked again: stored text is not trusted more than sent text."""
    return stored(release.specification)


def pinned_images(release: Release) -> dict[str, str]:
    return dict(ReleaseImage.objects.filter(release=release).values_list("service", "pinned"))


def services_of(place: AppEnvironment, release: Release, *, pinned: Mapping[str, str]) -> tuple[ServiceSpec, ...]:
    """What this release means in this place, in the order of its dependencies."""
    specification = specification_of(release)
    built = build(
        specification,
        context=BuildContext(
            environment=place.environment.engine_name,
            app=place.engine_name,
            pinned=dict(pinned),
            volume_name=lambda name: engine_label(place, "volume", name),
            file_name=lambda kind, name, content: engine_label(place, kind, name, content),
            instances=dict(place.instances),
            restarts=dict(place.restarts),
            stopped=place.stopped,
            aliases=aliases_of(place, list(specification.services)),
        ),
    )
    checks = own_checks([spec.image for spec in built if spec.health is None])
    return tuple(replace(spec, health=spec.health or checks.get(spec.image)) for spec in built)


def own_checks(pinned: list[str]) -> dict[str, HealthCheck]:
    """The health checks that images bring themselves, as far as our list knows: {pinned: check}.

    They are said to the engine as ours, so that it can tell when an instance has passed.
    """
    if not pinned:
        return {}
    known = Artifact.objects.filter(pinned__in=pinned, health__isnull=False).values_list("pinned", "health")
    return {image: HealthCheck(**kept | {"command": tuple(kept["command"])}) for image, kept in known if kept}


def aliases_of(place: AppEnvironment, services: list[str]) -> dict[str, tuple[str, ...]]:
    """`app-service` always answers inside the environment; the short name only for the app that holds it."""
    held = set(ServiceName.objects.filter(environment=place.environment, app=place.app).values_list("name", flat=True))
    return {name: tuple(n for n in (f"{place.app.name}-{name}", name) if n in held) for name in services}


def engine_label(
    place: AppEnvironment, kind: Literal["volume", "config", "secret"], name: str, content: bytes = b""
) -> str:
    """A name for something of this place: from our id and a hash, so that other content is another thing."""
    seed = b"\0".join([place.id.bytes, kind.encode(), name.encode(), content])
    return f"{place.engine_name}-{base64.b32encode(hashlib.sha256(seed).digest()).decode().lower()[:20]}"


def ref_of(place: AppEnvironment, service: str) -> ServiceRef:
    return ServiceRef(environment=place.environment.engine_name, app=place.engine_name, service=service)
