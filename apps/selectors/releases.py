"""Releases of an app: what they are made of, where they serve, and what differs between two of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.models import App, AppEnvironment, Environment, Release
from apps.selectors.paging import Page, page_of
from apps.specification import differences, stored

SHORT = 19  # characters of a digest that people compare: sha256: and twelve more


@dataclass(frozen=True)
class ReleaseLine:
    """`serves`: the environments where it is deployed now. `images`: "image" of each service, in their order."""

    release: Release
    images: list[str]
    serves: list[Environment]


@dataclass(frozen=True)
class Comparison:
    """Texts of two releases, the earlier one first; `count` differences in their specifications."""

    before: Release
    after: Release
    images: tuple[str, str]
    yaml: tuple[str, str]
    count: int

    @property
    def same_images(self) -> bool:
        return self.images[0] == self.images[1]


def releases_page(
    app: App, places: Iterable[AppEnvironment], *, cursor: str
) -> tuple[list[ReleaseLine], Page[Release]]:
    """Newest first, with their images; two queries."""
    page = page_of(app.releases.prefetch_related("images"), key="number", cursor=cursor)
    return [line_of(release, places) for release in page.rows], page


def line_of(release: Release, places: Iterable[AppEnvironment]) -> ReleaseLine:
    serves = [place.environment for place in places if place.release_id == release.pk]
    return ReleaseLine(release, list(images_of(release).values()), serves)


def images_of(release: Release) -> dict[str, str]:
    """{service: image as it was written}, from the stored document."""
    services = release.specification.get("services", {})
    return {name: str(service.get("image", "")) for name, service in services.items()}


def image_lines(release: Release) -> str:
    """One line a service with its image and what it was pinned to."""
    digests = {row.service: row.digest for row in release.images.all()}
    names = images_of(release)
    width = max((len(name) for name in names), default=0)
    return "\n".join(
        f"{name.ljust(width)}  {image}  {digests.get(name, '')[:SHORT] or _('not pinned yet')}"
        for name, image in names.items()
    )


def compare(before: Release, after: Release) -> Comparison:
    old, new = stored(before.specification), stored(after.specification)
    return Comparison(
        before,
        after,
        images=(image_lines(before), image_lines(after)),
        yaml=(old.to_yaml(), new.to_yaml()),
        count=len(differences(old, new)),
    )
