"""Which images somebody may choose, and what is known of one."""

import uuid
from collections.abc import Iterable

from django.db.models import Q, QuerySet

from images.models import Artifact, Repository, Share, Tag
from tenants.models import Project, Tenant


def shared_with(tenants: Iterable[uuid.UUID]) -> Q:
    """On Repository: open to somebody who is in these tenants, though they are not in its project."""
    known = list(tenants)
    named = Share.objects.filter(name__in=Tenant.objects.filter(pk__in=known).values("name")).values("repository")
    return (
        Q(visible=Repository.Visible.EVERYONE)
        | Q(visible=Repository.Visible.TENANT, tenant__in=known)
        | Q(visible=Repository.Visible.NAMED, pk__in=named)
    )


def shared_by_name(repository: Repository) -> list[str]:
    """The tenants it is open to by name."""
    return list(repository.shares.order_by("name").values_list("name", flat=True))


def pushed_to(project: Project) -> QuerySet[Repository]:
    """What lies in our registry as this project's own."""
    return Repository.objects.filter(project=project).order_by("path")


def offered_to(project: Project) -> Q:
    """On Repository: the project's own, its tenant's, those of others that are open to it, and the platform's."""
    own = Q(project=project) | Q(tenant_id=project.tenant_id, project__isnull=True) | Q(tenant__isnull=True)
    return own | Q(project__isnull=False) & shared_with([project.tenant_id])


def repositories(project: Project) -> QuerySet[Repository]:
    return Repository.objects.filter(offered_to(project)).order_by("name")


def tags(project: Project, *, search: str = "") -> QuerySet[Tag]:
    """Tags one may choose, newest first; `search` is found anywhere in `repository:tag`."""
    repository = Repository.objects.filter(offered_to(project))
    found = Tag.objects.filter(repository__in=repository).select_related("repository", "artifact")
    for word in search.replace(":", " ").split():
        found = found.filter(Q(repository__name__icontains=word) | Q(name__icontains=word))
    return found.order_by("repository__name", "-moved_at", "-name")


def artifacts_by_digest(project: Project, *, search: str, digest: str) -> QuerySet[Artifact]:
    """Images one may choose by a digest that begins like this, newest first, whether a tag means them or not."""
    offered = Repository.objects.filter(offered_to(project))
    for word in search.replace(":", " ").split():
        offered = offered.filter(name__icontains=word)
    found = Artifact.objects.filter(repository__in=offered, digest__startswith=digest)
    return found.select_related("repository").order_by("-created_at", "-pk")


def find(project: Project, *, repository: str, tag: str = "", digest: str = "") -> Artifact | None:
    """The artifact that a reference names, if the project may use it."""
    own = Repository.objects.filter(offered_to(project), name=repository)
    if digest:
        return Artifact.objects.filter(repository__in=own, digest=digest).select_related("repository").first()
    row = Tag.objects.filter(repository__in=own, name=tag or "latest").select_related("artifact__repository").first()
    return row.artifact if row else None


def pushed_tags(project: Project, *, search: str = "") -> QuerySet[Tag]:
    """Tags of the project's own repositories, the last push first."""
    rows = Tag.objects.filter(repository__project=project).select_related("repository", "artifact")
    for word in search.replace(":", " ").split():
        rows = rows.filter(Q(repository__path__icontains=word) | Q(name__icontains=word))
    return rows.order_by("-moved_at", "-pk")
