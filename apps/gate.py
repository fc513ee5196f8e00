"""What may start where: images that the stage of an environment has not approved are kept out, by whichever way.

Commands ask early, so that somebody is told at once; whoever talks to an engine asks again at the last moment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from apps.models import AppEnvironment, Environment, Release, ReleaseImage
from backends.contract import ServiceSpec
from core.errors import Conflict
from images.promotion import laying, places, words
from images.promotion.models import Approval
from images.promotion.standing import Refusal, by_approval_only, holds, refused
from images.registry import names

CODE = "image_not_approved"


@dataclass(frozen=True)
class Kept:
    """One service whose image may not start here."""

    service: str
    image: str
    found: Refusal
    environment: Environment

    @property
    def sentence(self) -> str:
        return words.refusal(self.found, image=self.image, stage=self.environment.get_stage_display())

    @property
    def hint(self) -> str:
        return words.next_step(self.found)


def is_gated(environment: Environment) -> bool:
    """Whether images come into it by approval only."""
    return by_approval_only(environment.project_id, environment.stage)


def kept_out(environment: Environment, images: Mapping[str, tuple[str, str]]) -> list[Kept]:
    """`images`: {service: (reference, digest)}, with an empty digest where nobody knows it."""
    found = refused(environment.project_id, environment.stage, {digest for _image, digest in images.values()})
    return [
        Kept(service, image, found[digest], environment)
        for service, (image, digest) in images.items()
        if digest in found
    ]


def images_of(release: Release, services: Iterable[str] | None = None) -> dict[str, tuple[str, str]]:
    """What the services of a release are pinned to; a service that is not pinned yet has no digest."""
    document = release.specification["services"]
    pins = dict(ReleaseImage.objects.filter(release=release).values_list("service", "digest"))
    wanted = document if services is None else [name for name in document if name in set(services)]
    return {name: (str(document[name].get("image", "")), pins.get(name, "")) for name in wanted}


def kept_of(place: AppEnvironment, release: Release, services: Iterable[str] | None = None) -> list[Kept]:
    """Which of a release's services (or of those named) may not start in this place."""
    return kept_out(place.environment, images_of(release, services))


def refuse_unapproved(place: AppEnvironment, release: Release, services: Iterable[str] | None = None) -> None:
    """Raises Conflict where a service may not start here."""
    if kept := kept_of(place, release, services):
        extra = {"services": [one.service for one in kept]}
        raise Conflict(" ".join(one.sentence for one in kept), code=CODE, hint=kept[0].hint, extra=extra)


def as_laid_out(place: AppEnvironment, specs: Iterable[ServiceSpec]) -> list[ServiceSpec]:
    """Each with the name under which this stage's hosts may fetch its image; the same image, and the same revision.

    Lays it out first where that failed before. Raises Unavailable while the registry does not answer, and Conflict
    where the image is not there any more.
    """
    here = list(specs)
    if not is_gated(place.environment):
        return here
    whose = {"project_id": place.project_id, "stage": place.environment.stage}
    digests = {spec.image.rpartition("@")[2] for spec in here}
    rows = Approval.objects.filter(holds(), digest__in=digests, **whose).exclude(path="")
    for row in rows.filter(laid=False):
        laying.lay_out(row)
    home = names.reference(places.path_of(place.project_id, place.environment.stage))
    laid = set(rows.values_list("digest", flat=True))
    return [_from(home, spec) if _is_ours(spec.image, laid) else spec for spec in here]


def _is_ours(image: str, laid: set[str]) -> bool:
    name, _at, digest = image.rpartition("@")
    return digest in laid and names.path_of(name) is not None


def _from(home: str, spec: ServiceSpec) -> ServiceSpec:
    digest = spec.image.rpartition("@")[2]
    return replace(spec, image=f"{home}@{digest}", same_as=spec.image)
