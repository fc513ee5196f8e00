"""What the pages of images show: repositories with what lies in them, tags, and one image whole."""

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery, Sum

from core.access import Actor, visible
from core.clock import database_now
from images.models import Artifact, ArtifactPart, ArtifactPulls, Repository, Scan, Tag
from images.selectors import offered_to, pushed_to, shared_with
from tenants.models import Project

OTHERS = "-/"  # no name of a repository of ours begins so
DIGEST = re.compile(r"(?:sha256:)?[0-9a-f]{6,64}\Z", re.ASCII)
OF_TAG = ("name", "moved_at", "moved_by", "repository_id", "artifact__digest", "artifact__size_bytes")
OF_ARTIFACT = ("digest", "size_bytes", "platform", "pushed_by", "created_at", "repository_id")
LONG = ("history", "configuration", "layers", "labels", "health", "ports")  # columns of an image that no list shows
LATELY = timedelta(days=30)


@dataclass(frozen=True)
class Amount:
    """`size_bytes`: of all images of a repository together, layers that they share counted with each."""

    tags: int
    size_bytes: int


@dataclass(frozen=True)
class Contents(Amount):
    last: Tag | None


@dataclass(frozen=True)
class Pulls:
    """`lately`: in the last 30 days."""

    lately: int
    ever: int
    last: Any = None


@dataclass(frozen=True)
class Step:
    """One step of how an image was built, with the layer it made, if it made one."""

    created_by: str
    comment: str
    created_at: str
    size: int | None
    digest: str


def own(project: Project, *, search: str = "") -> QuerySet[Repository]:
    """What was pushed to the project."""
    return _named(pushed_to(project), search)


def others(project: Project, *, search: str = "") -> QuerySet[Repository]:
    """What it may use and did not push: the tenant's, those of others that are open to it, the platform's."""
    return _named(Repository.objects.filter(offered_to(project)).exclude(project=project), search)


def visible_to(actor: Actor, *, search: str = "") -> QuerySet[Repository]:
    """Whatever lies in our registry and may be looked at: in the actor's projects, and open to their tenants."""
    rows = Repository.objects.exclude(path="").filter(project__deleted_at__isnull=True)
    seen = visible(actor, rows).values("pk")
    tenants, projects = actor.rights.places("image.view")
    there = [*tenants, *Project.objects.filter(pk__in=projects).values_list("tenant_id", flat=True)]
    return _named(rows.filter(Q(pk__in=seen) | (shared_with(there) if there else Q(pk__in=[]))), search)


def by_words(actor: Actor, words: Sequence[str], *, most: int) -> tuple[list[Repository], list[Tag]]:
    """Of the actor's projects: repositories with all words in their name, and tags, found by `web 1.4` or by `1.4`."""
    rows = visible(actor, Repository.objects.exclude(path="").filter(project__deleted_at__isnull=True))
    near = rows.filter(reduce(or_, (Q(path__icontains=word) for word in words)))
    found = rows.filter(reduce(and_, (Q(path__icontains=word) for word in words)))
    both = (Q(repository__path__icontains=word) | Q(name__icontains=word) for word in words)
    tags = (
        Tag.objects.filter(reduce(and_, both), repository__in=near)
        if len(words) > 1
        else Tag.objects.filter(name=words[0], repository__in=rows)
    )
    whole = tags.select_related("repository__project__tenant", "artifact").defer(*(f"artifact__{one}" for one in LONG))
    return list(found.select_related("project__tenant").order_by("path")[:most]), list(whole.order_by("-pk")[:most])


def find(project: Project, text: str) -> Repository | None:
    """The repository that a page's address names: by its name in the project, or whole after `-/` where another's."""
    if text.startswith(OTHERS):
        found = others(project).filter(name=text.removeprefix(OTHERS))
        return found.select_related("project__tenant").order_by("pk").first()
    path = f"{project.tenant.name}/{project.name}/{text}"
    row = pushed_to(project).filter(path=path).first()
    if row is not None:
        row.project = project  # with its tenant, which need not be read once more
    return row


def short_name(project: Project, row: Repository) -> str:
    """How a page's address names it; see `find`."""
    if row.project_id == project.pk and row.path:
        return row.path.split("/", 2)[2]
    return f"{OTHERS}{row.name}"


def contents(repositories: Iterable[uuid.UUID]) -> dict[uuid.UUID, Contents]:
    """What lies in each of them; four queries for all."""
    keys = list(repositories)
    newest = Tag.objects.filter(repository=OuterRef("pk")).order_by("-moved_at", "-id").values("pk")[:1]
    last = Repository.objects.filter(pk__in=keys).annotate(last=Subquery(newest)).values_list("last", flat=True)
    found = {tag.repository_id: tag for tag in Tag.objects.filter(pk__in=[key for key in last if key])}
    rows = {"repository__in": keys}
    counts = dict(Tag.objects.filter(**rows).order_by().values_list("repository").annotate(Count("pk")))
    sizes = dict(Artifact.objects.filter(**rows).order_by().values_list("repository").annotate(Sum("size_bytes")))
    return {key: Contents(counts.get(key, 0), sizes.get(key) or 0, found.get(key)) for key in keys}


def amount(repository: Repository) -> Amount:
    """How much lies in one of them. Two queries; those for many take twice as long, for they group."""
    images = Artifact.objects.filter(repository=repository).aggregate(size_bytes=Sum("size_bytes"))
    return Amount(Tag.objects.filter(repository=repository).count(), images["size_bytes"] or 0)


def tags(repository: Repository, *, search: str = "") -> QuerySet[Tag]:
    """With what a list says of each; `search` is found in the name, or begins the digest."""
    rows = Tag.objects.filter(repository=repository)
    if search:
        rows = rows.filter(Q(name__icontains=search) | _digest(search, "artifact__"))
    shown = rows.select_related("artifact").only(*OF_TAG, "artifact__platform", "artifact__created_at")
    return shown.annotate(rating=newest_rating("artifact"))


def untagged(repository: Repository, *, search: str = "") -> QuerySet[Artifact]:
    """Images that no tag means, nor a list of images for several platforms."""
    parts = ArtifactPart.objects.filter(digest=OuterRef("digest"), artifact__repository=OuterRef("repository"))
    rows = Artifact.objects.filter(~Exists(Tag.objects.filter(artifact=OuterRef("pk"))), repository=repository)
    if search:
        rows = rows.filter(_digest(search))
    return rows.exclude(Exists(parts)).only(*OF_ARTIFACT).annotate(rating=newest_rating("pk"))


def artifact(repository: Repository, digest: str) -> Artifact | None:
    """One image whole."""
    return Artifact.objects.select_related("repository").filter(repository=repository, digest=digest).first()


def platforms(artifacts: Sequence[Artifact]) -> dict[Any, list[str]]:
    """{artifact: the platforms of its images}, for those that are lists of images. One query."""
    found: dict[Any, list[str]] = {}
    rows = ArtifactPart.objects.filter(artifact__in=[row.pk for row in artifacts]).exclude(platform="")
    for key, platform in rows.order_by("pk").values_list("artifact", "platform"):
        found.setdefault(key, []).append(platform)
    return found


def lists_with(artifact: Artifact) -> QuerySet[Artifact]:
    """Those of the same repository in which it is one platform's image; found by the digest, which has an index."""
    whole = list(ArtifactPart.objects.filter(digest=artifact.digest).values_list("artifact", flat=True))
    rows = Artifact.objects.filter(repository=artifact.repository_id, pk__in=whole)
    return rows.only(*OF_ARTIFACT).order_by("-pk")


def parts(artifact: Artifact) -> list[dict[str, Any]]:
    """Each platform's image, with what is known of it. Two queries."""
    rows = list(artifact.parts.order_by("pk"))
    known = Artifact.objects.filter(repository=artifact.repository_id, digest__in=[row.digest for row in rows])
    sizes = dict(known.values_list("digest", "size_bytes"))
    return [{"digest": row.digest, "platform": row.platform, "size_bytes": sizes.get(row.digest)} for row in rows]


def pulls(artifact: Artifact) -> Pulls:
    rows = ArtifactPulls.objects.filter(artifact=artifact)
    found = rows.aggregate(ever=Sum("count"), last=Max("day"))
    recent = rows.filter(day__gt=database_now().date() - LATELY).aggregate(count=Sum("count"))
    return Pulls(recent["count"] or 0, found["ever"] or 0, found["last"])


def rating(artifact: Artifact) -> str:
    """Of the newest scan; empty where nobody looked yet."""
    newest = Scan.objects.filter(artifact=artifact).order_by("-created_at", "-pk")
    return newest.values_list("rating", flat=True).first() or ""


def steps(artifact: Artifact) -> list[Step]:
    """How it was built, each step with its layer; the layers alone where the image does not tell it so."""
    layers = list(artifact.layers)
    made = [one for one in artifact.history if not one["empty"]]
    if len(made) != len(layers):
        return [Step("", "", "", one["size"], one["digest"]) for one in layers]
    waiting = iter(layers)
    found = []
    for one in artifact.history:
        layer = None if one["empty"] else next(waiting)
        size, digest = (layer["size"], layer["digest"]) if layer else (None, "")
        found.append(Step(one["created_by"], one["comment"], one["created_at"], size, digest))
    return found


def _named(rows: QuerySet[Repository], search: str) -> QuerySet[Repository]:
    """Each word of `search` in the name or the title; what follows a colon is a tag and searched for elsewhere."""
    for word in search.partition(":")[0].split():
        rows = rows.filter(Q(name__icontains=word) | Q(title__icontains=word))
    return rows.order_by("name", "pk")


def _digest(search: str, prefix: str = "") -> Q:
    text = search.strip().lower()
    if not DIGEST.match(text):
        return Q(pk__in=[])
    whole = text if text.startswith("sha256:") else f"sha256:{text}"
    return Q(**{f"{prefix}digest__startswith": whole})


def newest_rating(artifact: str) -> Subquery:
    """Of whichever column holds an artifact; null where nobody looked yet."""
    newest = Scan.objects.filter(artifact=OuterRef(artifact)).order_by("-created_at", "-pk")
    return Subquery(newest.values("rating")[:1])
