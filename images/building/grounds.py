"""What a project may build upon: what it may choose anyway, and images of the public registries that are allowed.

The builder fetches each by its digest with a token for that one repository, good for minutes, before the build begins;
while it builds it holds no token at all.
"""

from collections.abc import Mapping

from django.conf import settings

from backends.contract import Builder, DriverError, Entry, Ground, ReasonCode
from backends.references import REFERENCE, full_name
from core.secrets import Secret
from images import selectors
from images.building.driving import Drive
from images.building.models import Build
from images.building.problems import BuildProblem
from images.building.recipe import check_triggers
from images.registry import names, signing
from images.registry.scopes import REPOSITORY, Scope

FETCH_SECONDS = 240.0
AWAY = (ReasonCode.REGISTRY_AWAY, ReasonCode.ENGINE_SLOW)
DENIED = (ReasonCode.IMAGE_NOT_FOUND, ReasonCode.IMAGE_DENIED, ReasonCode.BAD_IMAGE)


def bring(build: Build, builder: Builder, images: Mapping[str, int], drive: Drive) -> dict[str, str]:
    """The builder's id of each. Errors: BuildProblem with the line; DriverError where something is away."""
    found = {}
    for image, line in images.items():
        try:
            ground = _one(build, builder, image, line, drive)
        except DriverError as error:
            if error.reason.code in DENIED:
                raise BuildProblem("build_base_denied", line=line, image=image) from error
            if error.reason.code in AWAY:
                raise BuildProblem("build_base_away", line=line, image=image) from error
            raise
        check_triggers(ground.triggers, image)
        found[image] = ground.image
    return found


def _one(build: Build, builder: Builder, image: str, line: int, drive: Drive) -> Ground:
    match = REFERENCE.fullmatch(image)
    if match is None:
        raise BuildProblem("recipe_image", line=line, image=image)
    name, tag, digest = match["name"], match["tag"] or "", match["digest"] or ""
    artifact = selectors.find(build.project, repository=name, tag=tag, digest=digest)
    if artifact is not None and artifact.repository.path:
        path = artifact.repository.path
        token = signing.issue(f"build:{build.pk}", [Scope(REPOSITORY, path, ("pull",))])
        entry = Entry(names.address(), Secret(token))
        reference = f"{names.reference(path)}@{artifact.digest}"
        return drive.wait(builder.fetch(reference, entry), seconds=FETCH_SECONDS)
    if artifact is not None and artifact.repository.cluster_id:
        here = artifact.repository.cluster_id == build.cluster_id
        ground = drive.wait(builder.look(artifact.pinned)) if here else None
        if ground is None:
            raise BuildProblem("build_base_elsewhere", line=line, image=image)
        return ground
    whole = full_name(name)
    if whole.partition("/")[0] not in settings.BUILDS["registries"]:
        raise BuildProblem("build_base_denied", line=line, image=image)
    reference = f"{whole}@{digest}" if digest else f"{whole}:{tag or 'latest'}"
    return drive.wait(builder.fetch(reference, None), seconds=FETCH_SECONDS)
