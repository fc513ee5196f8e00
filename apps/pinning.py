"""From an image's name to exactly one image: from our own list at once, else by asking its registry in a worker."""

from typing import Any

from apps.models import Release, ReleaseImage
from apps.specification import Specification, parse_image
from backends.contract import Credentials, Driver
from images import selectors
from images.models import Artifact
from tenants.models import Project


def known(project: Project, reference: str) -> Artifact | None:
    """The artifact of our list that a reference names; None where only a registry can tell."""
    parsed = parse_image(reference)
    return selectors.find(project, repository=parsed.short_name, tag=parsed.tag or "", digest=parsed.digest or "")


def pins_known(project: Project, spec: Specification) -> list[dict[str, Any]]:
    """Columns of `ReleaseImage` for every service whose image our list knows."""
    pins = []
    for name, service in spec.services.items():
        artifact = known(project, service.image)
        if artifact is not None:
            pin = {"digest": artifact.digest, "pinned": artifact.pinned}
            pins.append({"service": name, "reference": service.image} | pin)
    return pins


def pin_rest(
    release: Release, spec: Specification, driver: Driver, *, pull: Credentials | None = None
) -> dict[str, str]:
    """Ask the registry for what is not pinned yet, and keep the answers. Answers {service: pinned}.

    What merely lies on the engine does not count here: it may be another tenant's.
    """
    pinned = dict(ReleaseImage.objects.filter(release=release).values_list("service", "pinned"))
    for name, service in spec.services.items():
        if name not in pinned:
            info = driver.resolve_image(service.image, pull=pull)
            row, _made = ReleaseImage.objects.get_or_create(
                release=release,
                service=name,
                defaults={"reference": service.image, "digest": info.digest, "pinned": info.pinned},
            )
            pinned[name] = row.pinned
    return pinned
