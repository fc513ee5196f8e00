"""Whether an image is to be copied at all: what the rule says about labels, and about what is there already."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from images.registry.telling import DIGEST
from images.replication.models import ImageCopy, ReplicationRule
from images.replication.talking import Manifest, Registry

State, Wins = ImageCopy.State, ReplicationRule.Conflict
Verdict = tuple[str, dict[str, Any]] | None
NEVER = datetime(1, 1, 2, tzinfo=UTC)


def verdict(copy: ImageCopy, found: Manifest, *, source: Registry, target: Registry) -> Verdict:
    """None: copy it. Else what becomes of the copy instead, and why.

    Without a rule a person asked for this very image: its tag then means it, as after a push.
    """
    here, there = (copy.path, copy.remote) if copy.outward else (copy.remote, copy.path)
    now = target.digest_of(there, copy.tag or found.digest)
    if now == found.digest:
        return State.SKIPPED, _because("copy_same")
    if copy.rule is None:
        return None
    if copy.rule.labels:
        labels = _own(_said(source, here, found)).get("Labels")
        if not isinstance(labels, Mapping) or any(labels.get(key) != value for key, value in copy.rule.labels.items()):
            return State.SKIPPED, _because("copy_other_labels")
    return _conflict(copy, found, source, target) if now else None


def _conflict(copy: ImageCopy, found: Manifest, source: Registry, target: Registry) -> Verdict:
    """The tag means something else at the other end."""
    wins = copy.rule.conflict if copy.rule else Wins.REFUSE
    if wins in (Wins.OURS, Wins.THEIRS):
        sends_winner = (wins == Wins.OURS) == copy.outward
        return None if sends_winner else (State.SKIPPED, _because("copy_keeps"))
    image = str(copy)
    if wins == Wins.REFUSE:
        return State.REFUSED, _because("copy_conflict", image=image)
    here, there = (copy.path, copy.remote) if copy.outward else (copy.remote, copy.path)
    other = target.manifest(there, copy.tag)
    mine, theirs = _built(source, here, found), _built(target, there, other) if other else NEVER
    if mine == theirs:
        return State.REFUSED, _because("copy_same_age", image=image)
    return None if mine > theirs else (State.SKIPPED, _because("copy_newer_there"))


def _built(registry: Registry, path: str, manifest: Manifest) -> datetime:
    """When an image was built, by its own word; of one for several platforms, the first that says it."""
    try:
        found = parse_datetime(str(_said(registry, path, manifest).get("created", "")))
    except ValueError:
        return NEVER
    return found if found is not None and found.tzinfo is not None else NEVER


def _said(registry: Registry, path: str, manifest: Manifest) -> dict[str, Any]:
    """An image's configuration."""
    document = manifest.document
    listed = document.get("manifests")
    if isinstance(listed, list) and listed and isinstance(listed[0], Mapping):
        digest = str(listed[0].get("digest", ""))
        below = registry.manifest(path, digest) if DIGEST.match(digest) else None
        document = below.document if below else {}
    config = document.get("config")
    return registry.configuration(path, str(config.get("digest", ""))) if isinstance(config, Mapping) else {}


def _own(said: Mapping[str, Any]) -> Mapping[str, Any]:
    found = said.get("config")
    return found if isinstance(found, Mapping) else {}


def _because(code: str, **params: Any) -> dict[str, Any]:
    return {"code": code, "params": params}
