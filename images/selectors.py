"""Which images somebody may choose, and what is known of one."""

import uuid

from django.db.models import Q, QuerySet

from images.models import Artifact, Repository, Tag


def offered_to(tenant_id: uuid.UUID) -> Q:
    """On Repository: the tenant's own and those the platform offers to all."""
    return Q(tenant_id=tenant_id) | Q(tenant__isnull=True)


def repositories(tenant_id: uuid.UUID) -> QuerySet[Repository]:
    return Repository.objects.filter(offered_to(tenant_id)).order_by("name")


def tags(tenant_id: uuid.UUID, *, search: str = "") -> QuerySet[Tag]:
    """Tags one may choose, newest first; `search` is found anywhere in `repository:tag`."""
    repository = Repository.objects.filter(offered_to(tenant_id))
    found = Tag.objects.filter(repository__in=repository).select_related("repository", "artifact")
    for word in search.replace(":", " ").split():
        found = found.filter(Q(repository__name__icontains=word) | Q(name__icontains=word))
    return found.order_by("repository__name", "-moved_at", "-name")


def find(tenant_id: uuid.UUID, *, repository: str, tag: str = "", digest: str = "") -> Artifact | None:
    """The artifact that a reference names, if the tenant may use it."""
    own = Repository.objects.filter(offered_to(tenant_id), name=repository)
    if digest:
        return Artifact.objects.filter(repository__in=own, digest=digest).select_related("repository").first()
    row = Tag.objects.filter(repository__in=own, name=tag or "latest").select_related("artifact__repository").first()
    return row.artifact if row else None
