"""What runs of an image, and taking images and tags out of the registry, over HTTP."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.image_shapes import ImageUsesOutput
from apps.images.breaking import Breaks, breaks_of
from apps.images.removing import remove, take_tag_off
from apps.images.services import remove_image, remove_tag
from audit.commands import check_before
from core.access import Actor
from core.api.endpoint import View, endpoint
from images import listing
from images.api.shapes import ArtifactOutput, TagOutput
from images.models import Repository
from operations.api.changes import ChangeView
from tenants.selectors import project as project_of


def shown_breaks(found: Breaks) -> dict[str, Any]:
    return {
        "runs": [
            {
                "tenant": use.project.tenant.name,
                "project": use.project.name,
                "app": use.app.name,
                "environment": use.environment.name,
                "service": use.service,
                "release_number": use.release,
                "stopped": use.stopped,
                "leaving": use.leaving,
            }
            for use in found.runs
        ],
        "runs_elsewhere": found.elsewhere,
        "deletable": not found.stands,
        "tags": found.tags,
        "lists": [row.digest for row in found.lists],
        "ways_back": [{"app": one.app.name, "release_number": one.number} for one in found.back],
    }


class ArtifactUses(View):
    @endpoint("show_image_uses", answers={200: ImageUsesOutput})
    def get(self, request: Request, tenant: str, project: str, repository: str, digest: str) -> Response:
        """Where an image runs, and what deleting it would break."""
        home = listing.image_project(self.actor, tenant, project)
        row = listing.artifact(home, repository=repository, digest=digest)
        return self.one(shown_breaks(breaks_of(self.actor, row)))


class OneArtifact(ChangeView):
    @endpoint("show_image_artifact", answers={200: ArtifactOutput})
    def get(self, request: Request, tenant: str, project: str, repository: str, digest: str) -> Response:
        """One image by its digest, and what it says of itself."""
        home = listing.image_project(self.actor, tenant, project)
        return self.one(listing.shown_artifact(listing.artifact(home, repository=repository, digest=digest)))

    @endpoint("delete_image", answers={204: None})
    def delete(self, request: Request, tenant: str, project: str, repository: str, digest: str) -> Response:
        """Take an image out of the registry with all its tags. Refused while it runs somewhere."""
        check_before(remove_image, self.actor, project_of(self.actor, tenant, project))
        remove(self.actor, own_repository(self.actor, tenant, project, repository), digest=digest)
        return Response(status=204)


class OneTag(ChangeView):
    @endpoint("show_image_tag", answers={200: TagOutput})
    def get(self, request: Request, tenant: str, project: str, repository: str, tag: str) -> Response:
        """One tag, and the digest it points at."""
        return self.one(listing.tag(self.actor, listing.image_project(self.actor, tenant, project), repository, tag))

    @endpoint("delete_image_tag", answers={204: None})
    def delete(self, request: Request, tenant: str, project: str, repository: str, tag: str) -> Response:
        """Take a tag off. The image it points at stays, by its digest."""
        check_before(remove_tag, self.actor, project_of(self.actor, tenant, project))
        take_tag_off(self.actor, own_repository(self.actor, tenant, project, repository), tag=tag)
        return Response(status=204)


def own_repository(actor: Actor, tenant: str, project: str, repository: str) -> Repository:
    return listing.own_repository(listing.image_project(actor, tenant, project), repository)
