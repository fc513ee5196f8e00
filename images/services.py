"""How images get into the list."""

from dataclasses import asdict
from typing import Any

from audit.commands import command, describe
from backends.contract import ImageInfo
from backends.models import Cluster
from core.access import Actor
from images.models import Artifact, Repository, Tag


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
