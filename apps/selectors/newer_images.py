"""“A newer version of what runs is there”: the same tag was pushed anew, or a higher version lies beside it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.models import AppEnvironment, ReleaseImage
from apps.selectors.image_versions import newest_of
from apps.specification import BadImageReference, parse_image
from apps.specification.image_reference import ImageReference
from core import access
from core.access import Actor
from images.models import Tag
from images.promotion.selectors import choosable_tags
from images.selectors import repositories
from tenants.models import Project

MOST_TAGS = 1000  # of all repositories together, the ones that moved last


@dataclass(frozen=True)
class Runs:
    """What one service runs: the image as it is written, and what that meant when it was released."""

    service: str
    reference: str
    digest: str


@dataclass(frozen=True)
class Newer:
    """`reference` is what to write as `image`. `pushed`: the tag is the same, what it means is another image."""

    service: str
    reference: str
    before: str
    digest: str
    pushed: bool
    at: datetime
    by: str

    @property
    def title(self) -> str:
        words = {"image": self.reference.partition("@")[0], "before": self.before, "service": self.service}
        if self.pushed:
            return _("%(image)s was pushed anew since %(service)s was released with it") % words
        return _("%(image)s is newer than what %(service)s runs, %(before)s") % words


def newer_there(actor: Actor, place: AppEnvironment) -> list[Newer]:
    """For each service of what is declared to run in a place, to who may see images. At most three queries."""
    if place.release_id is None or not access.may(actor, "image.view", place):
        return []
    rows = ReleaseImage.objects.filter(release=place.release_id).order_by("service")
    known = [Runs(*row) for row in rows.values_list("service", "reference", "digest")]
    return newer_images(actor, place.project, known)


def newer_images(actor: Actor, project: Project, running: Iterable[Runs]) -> list[Newer]:
    """A higher version first; else the same tag anew. Of what no list here knows nothing can be said.

    Who only tests is told of what was released to test.
    """
    parsed = {one: found for one in running if (found := _parsed(one.reference)) is not None and found.tag}
    if not parsed:
        return []
    tags = _tags(actor, project, {found.short_name for found in parsed.values()}, parsed)
    newer = (_newer(one, reference, tags[reference.short_name]) for one, reference in parsed.items())
    return [one for one in newer if one is not None]


def _parsed(reference: str) -> ImageReference | None:
    try:
        return parse_image(reference)
    except BadImageReference:
        return None


Tags = Mapping[str, Tag]  # by name


def _tags(actor: Actor, project: Project, names: set[str], parsed: Mapping[Runs, ImageReference]) -> Mapping[str, Tags]:
    """By repository: those that moved last, and those that are run, however long ago they moved."""
    named = Tag.objects.filter(repository__in=repositories(project).order_by().filter(name__in=names))
    offered = choosable_tags(actor, project, named)
    own = {found.tag for found in parsed.values()}
    tags: dict[str, dict[str, Tag]] = defaultdict(dict)
    recent = _shown(offered.order_by("-moved_at"))[:MOST_TAGS]
    for row in recent:
        tags[row.repository.name].setdefault(row.name, row)
    if len(recent) == MOST_TAGS:
        for row in _shown(offered.filter(name__in=own)):
            tags[row.repository.name].setdefault(row.name, row)
    return tags


def _shown(rows: QuerySet[Tag]) -> QuerySet[Tag]:
    columns = ("name", "moved_at", "moved_by", "repository__name", "artifact__digest")
    return rows.select_related("repository", "artifact").only(*columns)


def _newer(one: Runs, reference: ImageReference, tags: Tags) -> Newer | None:
    tag = reference.tag or ""
    higher = newest_of(tag, list(tags))
    if higher:
        return _made(one, reference, tags[higher])
    same = tags.get(tag)
    return _made(one, reference, same) if same is not None and same.artifact.digest != one.digest else None


def _made(one: Runs, reference: ImageReference, row: Tag) -> Newer:
    """Who wrote a digest gets one again; who wrote a tag gets a tag, which becomes a digest at the release."""
    named = f"{reference.short_name}:{row.name}"
    return Newer(
        service=one.service,
        reference=f"{named}@{row.artifact.digest}" if reference.digest else named,
        before=reference.tag or "",
        digest=row.artifact.digest,
        pushed=row.name == reference.tag,
        at=row.moved_at,
        by=row.moved_by,
    )


def shown_newer(one: Newer) -> dict[str, object]:
    return {name: getattr(one, name) for name in ("service", "reference", "before", "digest", "pushed", "at", "by")}
