"""How images get into the list."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _

from audit.commands import command, describe
from backends.contract import ImageInfo
from backends.models import Cluster
from core.access import Actor
from core.errors import FieldProblem, Invalid
from core.names import RULE, is_label
from images.models import Artifact, Repository, Share, Tag
from images.selectors import shared_by_name

MOST_SHARES = 50


@command("image.offer", permission="cluster.manage")
def offer_image(actor: Actor, cluster: Cluster, *, repository: str, tag: str, info: ImageInfo) -> Artifact:
    """Offer an image that lies on a cluster's engine to every tenant."""
    home, _made = Repository.objects.update_or_create(
        name=repository,
        tenant=None,
        defaults={
            "cluster": cluster,
            "title": info.labels.get("org.opencontainers.image.title", "")[:100],
            "description": info.labels.get("org.opencontainers.image.description", "")[:500],
        },
    )
    artifact, _made = Artifact.objects.update_or_create(repository=home, digest=info.digest, defaults=_known(info))
    Tag.objects.update_or_create(repository=home, name=tag, defaults={"artifact": artifact})
    describe(target=artifact, after={"tag": f"{repository}:{tag}", "digest": info.digest})
    return artifact


@command("image.share", permission="project.manage")
def share_repository(
    actor: Actor, repository: Repository, *, visible: str, tenants: Sequence[str] | None = None
) -> Repository:
    """Say who may pull beside the project. `tenants`: by name, where it is open to named ones; else none."""
    names = sorted(set(tenants or ()))
    _check_share(visible, names)
    before = {"visible": repository.visible, "tenants": shared_by_name(repository)}
    Repository.objects.filter(pk=repository.pk).update(visible=visible)
    Share.objects.filter(repository=repository).exclude(name__in=names).delete()
    Share.objects.bulk_create([Share(repository=repository, name=name) for name in names], ignore_conflicts=True)
    describe(before=before, after={"visible": visible, "tenants": names})
    repository.refresh_from_db()
    return repository


def _check_share(visible: str, names: list[str]) -> None:
    problems = []
    if visible not in Repository.Visible.values:
        problems.append(FieldProblem("visible", "invalid_choice", _("Choose one of the ways that are offered.")))
    if len(names) > MOST_SHARES or not all(is_label(name) for name in names):
        problems.append(FieldProblem("tenants", "bad_name", RULE))
    if bool(names) != (visible == Repository.Visible.NAMED):
        message = _("Tenants are named where it is open to named ones, and only there.")
        problems.append(FieldProblem("tenants", "not_fitting", message))
    if problems:
        raise Invalid(errors=problems)


def _known(info: ImageInfo) -> dict[str, Any]:
    return {
        "pinned": info.pinned,
        "size_bytes": info.size_bytes,
        "platform": info.platform,
        "ports": list(info.ports),
        "health": asdict(info.health) if info.health else None,
        "user": info.user,
        "labels": dict(info.labels),
        "built_at": info.created_at,
    }
