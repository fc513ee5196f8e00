"""What happens to images, told to whoever wants to act on it: once each, and only when it is really so."""

from dataclasses import dataclass, field
from typing import Literal

from django.db import transaction
from django.dispatch import Signal

from core.access import Actor
from images.models import Repository
from operations.changes import announce, register_kind

CHANGED = register_kind("image", "image.view")
Kind = Literal["pushed", "deleted", "scanned", "promoted", "suspended"]

happening = Signal()  # receivers write rows that are kept or rolled back with it; one that fails makes it fail
happened = Signal()  # receivers take `told: Happened`; one that fails keeps the others from nothing


@dataclass(frozen=True)
class Happened:
    """`digest` is of the image, `tag` the one that was moved by it, if any. `detail` is plain JSON.

    "deleted" with a tag: that tag alone was taken off, the image is still there.
    """

    kind: Kind
    repository: Repository
    digest: str
    who: Actor
    tag: str = ""
    detail: dict[str, object] = field(default_factory=dict)


def tell(told: Happened) -> None:
    """After the transaction in which it happened; never of what was rolled back. Open pages hear of it, too.

    Within it only what must not be lost, should this process end right after.
    """
    home = told.repository
    announce(CHANGED, home.pk, tenant=home.tenant_id, project=home.project_id)
    happening.send(sender=None, told=told)
    transaction.on_commit(lambda: happened.send_robust(sender=None, told=told))
