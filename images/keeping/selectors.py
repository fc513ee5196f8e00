"""Reads of what keeps house: rules, the preview, what was done with the registry."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models import QuerySet

from core.access import Actor, get_visible, visible
from images.keeping.models import RetentionRule, TagRule
from images.keeping.operations import COLLECT, RETAIN
from images.keeping.retaining import Line
from images.keeping.services import COLLECTION
from operations.models import Operation
from tenants.models import Project

TAG_RULE = ["id", "repositories", "tags", "made_by", "created_at"]
RETENTION = ["id", "repositories", "newest", "days", "pulled_days", "tags", "deployed_days", "made_by", "created_at"]
MOST_BEFORE = 8
GATE = "registry_gate"
GATE_SECONDS = 3600


def tag_rules(actor: Actor, project: Project) -> QuerySet[TagRule]:
    return visible(actor, TagRule.objects.filter(project=project))


def tag_rule(actor: Actor, project: Project, key: UUID) -> TagRule:
    return get_visible(actor, TagRule.objects.filter(project=project), pk=key)


def retention(actor: Actor, project: Project) -> QuerySet[RetentionRule]:
    return visible(actor, RetentionRule.objects.filter(project=project))


def retention_rule(actor: Actor, project: Project, key: UUID) -> RetentionRule:
    return get_visible(actor, RetentionRule.objects.filter(project=project), pk=key)


def shown_tag_rule(row: TagRule) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TAG_RULE}


def shown_retention(row: RetentionRule) -> dict[str, Any]:
    return {name: getattr(row, name) for name in RETENTION}


def shown_lines(lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [
        {
            "repository": line.path,
            "digest": line.artifact.digest,
            "tags": line.tags,
            "size_bytes": line.artifact.size_bytes,
            "pushed_at": line.at,
            "goes": line.goes,
            "reasons": line.reasons,
        }
        for line in lines
    ]


def cleaning(project: Project) -> Operation | None:
    """The removal that is under way."""
    return Operation.objects.filter(kind=RETAIN, project_id=project.pk, state__in=Operation.ACTIVE).first()


def collecting() -> Operation | None:
    return Operation.objects.filter(target=COLLECTION, kind=COLLECT, state__in=Operation.ACTIVE).first()


def collections(actor: Actor) -> QuerySet[Operation]:
    return visible(actor, Operation.objects.all()).filter(target=COLLECTION, kind=COLLECT)


def gate_is_missing() -> bool:
    """Whether it was seen lately that none of Berth's own stands before the registry."""
    return cache.get(GATE) is False


def note_gate(there: bool) -> None:
    cache.set(GATE, there, GATE_SECONDS)


def counted(lines: Sequence[Line]) -> Mapping[str, int]:
    goes = sum(line.goes for line in lines)
    return {"goes": goes, "stays": len(lines) - goes}
