"""What the pages of images share: the project, the repository that an address names, addresses and commands."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.selectors.running_images import Use
from apps.views.app_frame import why_not
from apps.views.found import actor_of, project_of
from apps.views.project_frame import image_tabs
from core import access
from core.access import Actor
from core.api.inputs import LONGEST_SEARCH
from core.errors import NotFound
from images.models import Repository
from images.registry import names as registry
from images.repositories import selectors
from tenants.models import Project

SHORT = 19  # characters of a digest that people compare: sha256: and twelve more


@dataclass(frozen=True)
class ImageFrame:
    """A project's images as somebody sees them; with a repository on its own pages."""

    actor: Actor
    project: Project
    repository: Repository | None = None

    @property
    def names(self) -> dict[str, str]:
        return {"tenant": self.project.tenant.name, "project": self.project.name}

    @property
    def list_url(self) -> str:
        return reverse("project_images", kwargs=self.names)

    @property
    def tabs(self) -> list[dict[str, Any]]:
        return image_tabs(self.project, "project_images")

    @property
    def row(self) -> Repository:
        """On the pages of one repository."""
        if self.repository is None:
            raise NotFound()
        return self.repository

    @property
    def ours(self) -> bool:
        """It was pushed to this very project."""
        return self.repository is not None and self.repository.project_id == self.project.pk

    @property
    def name(self) -> str:
        return selectors.short_name(self.project, self.repository).removeprefix("-/") if self.repository else ""

    @property
    def url(self) -> str:
        return self.address("repository", self.repository) if self.repository else ""

    @property
    def why_not_share(self) -> str:
        return why_not(self.actor, ("project.manage",), self.project)

    @property
    def why_not_delete(self) -> str:
        return why_not(self.actor, ("image.delete",), self.project)

    def address(self, page: str, repository: Repository, **more: str) -> str:
        """A page of this or another repository, seen from this project."""
        named = {"repository": selectors.short_name(self.project, repository)}
        return reverse(page, kwargs=self.names | named | more)

    def digest_url(self, digest: str) -> str:
        return self.address("image_digest", self.repository, digest=digest) if self.repository else ""

    def context(self, **more: Any) -> dict[str, Any]:
        return {"page": self, "project": self.project, "repository": self.repository, **more}


def image_frame(request: HttpRequest, tenant: str, project: str, repository: str = "") -> ImageFrame:
    """Raises NotFound for what is not to be seen here."""
    actor, home = actor_of(request), project_of(request, tenant, project)
    access.check(actor, "image.view", home)
    if not repository:
        return ImageFrame(actor, home)
    row = None if "\0" in repository else selectors.find(home, repository)
    if row is None:
        raise NotFound()
    return ImageFrame(actor, home, row)


def searched(request: HttpRequest) -> str:
    return request.GET.get("search", "").replace("\0", "").strip()[:LONGEST_SEARCH]


def shown_uses(uses: list[Use]) -> list[dict[str, Any]]:
    """Each app and environment once, with its page."""
    found: dict[tuple[Any, Any], dict[str, Any]] = {}
    for use in uses:
        names = {"tenant": use.project.tenant.name, "project": use.project.name, "app": use.app.name}
        query = urlencode({"environment": use.environment.name})
        known = found.setdefault(
            (use.app.pk, use.environment.pk),
            {"use": use, "url": f"{reverse('app', kwargs=names)}?{query}", "services": []},
        )
        if use.service not in known["services"]:
            known["services"].append(use.service)
    return list(found.values())


def push_commands(frame: ImageFrame, name: str = "web") -> list[dict[str, str]]:
    """What somebody types who pushes; nothing where there is no registry."""
    address = registry.address()
    if not address:
        return []
    image = f"{registry.reference(str(frame.project))}/{name}:1"
    local = f"{name.rpartition('/')[2]}:1"
    return [
        _sign_in(frame),
        {"label": _("Name the image"), "text": f"docker tag {local} {image}"},
        {"label": _("Push it"), "text": f"docker push {image}"},
    ]


def pull_commands(frame: ImageFrame, *, tag: str = "", digest: str = "") -> list[dict[str, str]]:
    """What somebody types who fetches it: by a tag that may move, and by the digest that does not."""
    row, address = frame.repository, registry.address()
    if row is None or not row.path or not address:
        return []
    found = [_sign_in(frame)]
    if tag:
        found.append({"label": _("Pull by its tag"), "text": f"docker pull {row.name}:{tag}"})
    if digest:
        found.append({"label": _("Pull exactly this"), "text": f"docker pull {row.name}@{digest}"})
    by = f"--creds {frame.actor.name}"
    plain = " --tls-verify=false" if registry.plain() else ""
    image = f"docker://{row.name}@{digest}" if digest else f"docker://{row.name}:{tag}"
    return [*found, {"label": _("Look at it with skopeo"), "text": f"skopeo inspect{plain} {by} {image}"}]


def _sign_in(frame: ImageFrame) -> dict[str, str]:
    return {"label": _("Sign in"), "text": f"docker login --username {frame.actor.name} {registry.address()}"}
