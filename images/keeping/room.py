"""How much a project's images take: each layer once, counted from rows; and the refusal where no more fits."""

import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Now
from django.dispatch import receiver
from django.utils.translation import gettext as _

from core.clock import from_now
from core.errors import Conflict
from images import happening
from images.happening import Happened
from images.keeping.gate import Part, Question, rule
from images.keeping.models import ImagePart, StoredBlob
from images.models import Artifact
from images.registry import client
from tenants.models import Project
from tenants.quota import claiming, counting
from tenants.quota.claiming import Where
from tenants.quota.counting import Held
from tenants.quota.resources import Resource, amount_text

UNSEEN = timedelta(hours=1)  # so long what was let in waits for word that it is there
PARTS = ("digest", "size_bytes", "layers")
_later: ContextVar[bool] = ContextVar("count_stored_later", default=False)
NAMESPACE = uuid.UUID("6f5a1b0e-57d1-4a5e-9c43-3f6d2f7d1c55")


def holder_of(project: uuid.UUID) -> uuid.UUID:
    """Under which id a project's images stand among what holds quota: the project's own stands for the project."""
    return uuid.uuid5(NAMESPACE, str(project))


def stored(project: uuid.UUID) -> int:
    """Bytes of all that lies there, each layer once."""
    return StoredBlob.objects.filter(project=project).aggregate(total=Sum("size"))["total"] or 0


@rule("upload")
def refuse_where_full(question: Question) -> None:
    """Before gigabytes are sent for nothing."""
    where = Where(question.project.tenant_id, question.project.pk)
    for row in claiming.limited(where):
        if row.resource == Resource.IMAGES and not row.left:
            words = {
                "place": claiming.name_of(where, row.project_id),
                "limit": amount_text(row.resource, row.whole or 0),
            }
            raise Conflict(
                _("%(place)s has no room for more images: all of its %(limit)s are taken.") % words,
                code=claiming.EXCEEDED,
                hint=_("Delete images that nobody needs, or ask for more on the quota page."),
            )


@rule("tag")
def take_room(question: Question) -> None:
    """What is new to the project is counted as large as it lies there, whatever the manifest says of it."""
    path, project = str(question.path), question.project
    config = _as_stored(path, [question.config])[0] if question.config else None
    own = Part(question.digest, question.size + (config.size if config else 0))
    known = _known(project, [one.digest for one in question.layers])
    layers = [one for one in question.layers if one.digest in known]
    layers += _as_stored(path, [one for one in question.layers if one.digest not in known])
    where = Where(project.tenant_id, project.pk)
    with transaction.atomic():
        claiming.make_rows(where, [Resource.IMAGES])
        claiming.lock(project.tenant_id)
        _add(project, [own, *layers], refuse=True)
    parts = [ImagePart(path=path, whole=question.digest, digest=digest) for digest in question.images]
    ImagePart.objects.bulk_create(parts, ignore_conflicts=True)


def _as_stored(path: str, parts: Collection[Part]) -> list[Part]:
    """What is not there at all counts nothing: the registry refuses it, or it lies elsewhere."""
    return [Part(one.digest, client.size_of(path, one.digest) or 0) for one in parts]


def _known(project: Project, digests: Collection[str]) -> set[str]:
    rows = StoredBlob.objects.filter(project=project, digest__in=digests)
    return set(rows.values_list("digest", flat=True))


def _add(project: Project, parts: Collection[Part], *, refuse: bool) -> None:
    """Within a transaction that holds the tenant's rows, so that nobody counts the same twice."""
    sizes = {one.digest: one.size for one in parts}
    known = _known(project, list(sizes))
    StoredBlob.objects.filter(project=project, digest__in=known).update(seen_at=Now())
    rows = [
        StoredBlob(tenant_id=project.tenant_id, project=project, digest=digest, size=size)
        for digest, size in sizes.items()
        if digest not in known
    ]
    StoredBlob.objects.bulk_create(rows)
    where, needs = Where(project.tenant_id, project.pk), {Resource.IMAGES.value: stored(project.pk)}
    if refuse and rows:
        claiming.widen(holder_of(project.pk), where, needs)
    else:
        claiming.settle(holder_of(project.pk), where, needs)


def recount(project: Project) -> None:
    """Of what lies there by our rows of images nothing is missing, and nothing else is counted for long."""
    wanted = {part.digest: part for part in _needed(project)}
    with transaction.atomic():
        claiming.make_rows(Where(project.tenant_id, project.pk), [Resource.IMAGES])
        claiming.lock(project.tenant_id)
        rows = StoredBlob.objects.filter(project=project, seen_at__lt=from_now(-UNSEEN))
        gone = [pk for pk, digest in rows.values_list("pk", "digest") if digest not in wanted]
        for first in range(0, len(gone), 500):
            StoredBlob.objects.filter(pk__in=gone[first : first + 500]).delete()
        known = set(StoredBlob.objects.filter(project=project).values_list("digest", flat=True))
        _add(project, [part for digest, part in wanted.items() if digest not in known], refuse=False)


def _needed(project: Project) -> Iterator[Part]:
    for row in Artifact.objects.filter(repository__project=project).values_list(*PARTS).iterator(chunk_size=500):
        yield from _parts(*row)


def _parts(digest: str, size: int | None, layers: list[dict[str, Any]]) -> list[Part]:
    """The layers; and manifest and configuration together, under the manifest's digest."""
    parts = [Part(str(layer["digest"]), int(layer["size"])) for layer in layers]
    return [*parts, Part(digest, max((size or 0) - sum(part.size for part in parts), 0))]


def recount_all() -> None:
    for project in Project.objects.filter(repositories__isnull=False, deleted_at__isnull=True).distinct():
        recount(project)


@receiver(happening.happened)
def follow(told: Happened, **_more: object) -> None:
    """What was pushed past the gate counts too, and what was deleted counts no more."""
    project = told.repository.project
    if project is None or told.kind not in ("pushed", "deleted"):
        return
    if told.kind == "pushed":
        _count_in(project, told)
        return
    _let_go(project, told)
    if not _later.get():
        recount(project)


@contextmanager
def counted_later() -> Iterator[None]:
    """Whoever deletes many counts once, afterwards."""
    token = _later.set(True)
    try:
        yield
    finally:
        _later.reset(token)


def _count_in(project: Project, told: Happened) -> None:
    rows = Artifact.objects.filter(repository=told.repository, digest=told.digest)
    parts = [part for row in rows.values_list(*PARTS) for part in _parts(*row)]
    with transaction.atomic():
        claiming.make_rows(Where(project.tenant_id, project.pk), [Resource.IMAGES])
        claiming.lock(project.tenant_id)
        _add(project, parts, refuse=False)


def _let_go(project: Project, told: Happened) -> None:
    """At once, not only after a while: what went was there, so it is not waited for."""
    layers = told.detail.get("layers")
    digests = [told.digest, *(str(one) for one in (layers if isinstance(layers, list) else ()))]
    StoredBlob.objects.filter(project=project, digest__in=digests).update(seen_at=from_now(-2 * UNSEEN))
    ImagePart.objects.filter(path=told.repository.path, whole=told.digest).delete()


def _count(tenant: uuid.UUID, holders: Collection[uuid.UUID] | None) -> Iterator[Held]:
    totals = dict(
        StoredBlob.objects.filter(tenant_id=tenant).values_list("project").annotate(total=Sum("size")).order_by()
    )
    for project, total in totals.items():
        holder = holder_of(project)
        if total and (holders is None or holder in holders):
            yield Held(holder, project, {Resource.IMAGES: total})


counting.register("images", _count)
