"""Taking something out of the registry: asked for, done there, then forgotten here.

The registry is asked outside of any transaction, so nobody waits for it but whoever asked.
"""

from collections.abc import Callable

from apps.images.services import remove_image, remove_tag
from audit.models import AuditEntry
from audit.services import Line, record
from core.access import Actor
from core.errors import Unavailable
from images.models import Repository
from images.registry import client, taking, untagging


def remove(actor: Actor, repository: Repository, *, digest: str) -> None:
    """An image with all its tags."""
    remove_image(actor, repository, digest=digest)
    _ask(actor, repository, taking.DELETED, {"digest": digest}, lambda: client.delete(repository.path, digest))
    taking.forget(repository.path, digest=digest, who=actor)


def take_tag_off(actor: Actor, repository: Repository, *, tag: str) -> None:
    remove_tag(actor, repository, tag=tag)
    _ask(actor, repository, taking.UNTAGGED, {"tag": tag}, lambda: untagging.untag(repository.path, tag))
    taking.untag(repository.path, tag=tag, who=actor)


def _ask(actor: Actor, repository: Repository, action: str, detail: dict[str, str], act: Callable[[], object]) -> None:
    """What was accepted and could not be done is on record as well."""
    try:
        act()
    except Unavailable as error:
        line = Line(action, detail=detail | {"code": error.code})
        line.name_target(repository)
        record(actor, line, result=AuditEntry.Result.FAILED)
        raise
