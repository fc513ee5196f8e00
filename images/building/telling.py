"""That a build changed, for pages that show it."""

from images.building.models import Build
from operations.changes import announce, register_kind

KIND = register_kind("build", "image.view")


def tell(build: Build) -> None:
    announce(KIND, build.pk, tenant=build.tenant_id, project=build.project_id)
