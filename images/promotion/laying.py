"""Puts what is approved for a stage where that stage's hosts fetch from, and takes it away when it may not run there.

No byte of a layer is moved: the registry has each once, and the stage's repository names it as well.
"""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from core.errors import Conflict
from images.models import Repository
from images.promotion import places
from images.promotion.models import Approval
from images.promotion.standing import holds
from images.registry import client

MOST_PARTS = 64  # of one image for several platforms
MOST_LAYERS = 512
MOST_SOURCES = 5


def lay_out(approval: Approval) -> None:
    """Nothing to do for what lies in no registry of ours. Raises Unavailable while the registry does not answer,
    and Conflict where the image, or a part of it, is not there any more.
    """
    if approval.laid or not approval.path:
        return
    _carry_from_any(approval, places.path_of(approval.project_id, approval.stage))
    still = Approval.objects.filter(holds(), pk=approval.pk).update(laid=True)
    if not still:
        take_away(approval)  # suspended while it was laid out


def _carry_from_any(approval: Approval, target: str) -> None:
    """From where it was when somebody asked, else from another repository of the project that has the same image."""
    rows = Repository.objects.filter(project_id=approval.project_id, artifacts__digest=approval.digest)
    others = rows.exclude(path=approval.path).order_by("path").values_list("path", flat=True)[:MOST_SOURCES]
    failed: Conflict | None = None
    for source in (approval.path, *others):
        try:
            return _carry(source, approval.digest, target, depth=1)
        except Conflict as error:
            failed = failed or error
    raise failed or _gone(approval.path, approval.digest)


def take_away(approval: Approval) -> None:
    """What its index names goes with it, and goes first: whoever is cut off here finds it by the index again.

    A part that is approved by itself, or that another approved index names, stays.
    """
    target = places.path_of(approval.project_id, approval.stage)
    found = client.written(target, approval.digest)
    parts = set(_parts(found.body)) if found else set()
    for part in sorted(parts - _needed(approval, target) if parts else ()):
        client.delete(target, part)
    client.delete(target, approval.digest)
    Approval.objects.filter(pk=approval.pk).update(laid=False)


def _needed(approval: Approval, target: str) -> set[str]:
    """What the other images that may run there consist of, also those that are only being laid out."""
    same = {"project_id": approval.project_id, "stage": approval.stage, "project__purged_at__isnull": True}
    others = Approval.objects.filter(holds(), **same).exclude(pk=approval.pk)
    found: set[str] = set()
    for digest, source in others.exclude(path="").values_list("digest", "path"):
        written = client.written(target, digest) or client.written(source, digest)
        found |= {digest, *(_parts(written.body) if written else ())}
    return found


def _carry(source: str, digest: str, target: str, *, depth: int) -> None:
    found = client.written(source, digest)
    if found is None:
        raise _gone(source, digest)
    for part in _parts(found.body):
        if depth > 0:
            _carry(source, part, target, depth=depth - 1)
    for layer in _layers(found.body):
        if not client.mount(target, layer, source=source):
            raise _gone(source, layer)
    if not client.write(target, digest, found):
        raise _gone(source, digest)


def _parts(body: dict[str, Any]) -> Iterator[str]:
    """The images for single platforms, of an index."""
    yield from (str(one.get("digest", "")) for one in _listed(body, "manifests", MOST_PARTS))


def _layers(body: dict[str, Any]) -> Iterator[str]:
    """What a manifest is made of; layers that lie at an address of their own are nobody's to carry."""
    if isinstance(config := body.get("config"), dict):
        yield str(config.get("digest", ""))
    for one in _listed(body, "layers", MOST_LAYERS):
        if not one.get("urls"):
            yield str(one.get("digest", ""))


def _listed(body: dict[str, Any], key: str, most: int) -> list[dict[str, Any]]:
    """Whoever pushes an image writes into it what they like: what is of another form is nothing."""
    found = body.get(key)
    return [one for one in found[:most] if isinstance(one, dict)] if isinstance(found, list) else []


def _gone(path: str, digest: str) -> Conflict:
    text = _("%(image)s is not in the registry any more.") % {"image": f"{path}@{digest[:19]}"}
    return Conflict(text, code="image_gone", hint=_("Push it again, or choose another image."))
