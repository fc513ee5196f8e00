"""Builds as their pages and the API tell them."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

from backends.models import Cluster
from backends.registry import capabilities_of
from core.access import Actor, check, get_visible, visible
from core.clock import from_now
from images.building import words
from images.building.models import Build, Builder, BuildPolicy
from images.registry import names
from images.uploading.models import Upload
from operations.models import Operation
from operations.selectors import told
from tenants.models import Project

COLUMNS = [
    "id",
    "state",
    "file_name",
    "address",
    "revision",
    "commit",
    "recipe",
    "repository",
    "tags",
    "arguments",
    "network",
    "operation_id",
    "owner_name",
    "failure",
    "digest",
    "path",
    "log_bytes",
    "created_at",
    "started_at",
    "ended_at",
]


def builds(actor: Actor, project: Project) -> QuerySet[Build]:
    check(actor, "image.view", project)
    return visible(actor, Build.objects.filter(project=project))


def build(actor: Actor, project: Project, build_id: uuid.UUID) -> Build:
    return get_visible(actor, Build.objects.filter(project=project).select_related("project__tenant"), pk=build_id)


def place_for(project: Project) -> Builder | None:
    """Where a project's images are built: on the first cluster whose operator allows it, and that can."""
    rows = Builder.objects.select_related("cluster").exclude(cluster__address="").order_by("created_at")
    return next((row for row in rows if capabilities_of(row.cluster).builds_images), None)


def may_reach_others(project: Project) -> bool:
    place = place_for(project)
    return bool(place and place.network and allows_network(project))


def allows_network(project: Project) -> bool:
    """What the tenant says; the operator has a word too."""
    return BuildPolicy.objects.filter(project=project, network=True).exists()


def places(actor: Actor) -> list[dict[str, Any]]:
    """For operators: every cluster, whether it can, and what is allowed there."""
    check(actor, "cluster.view")
    rows = {row.cluster_id: row for row in Builder.objects.all()}
    return [
        {"cluster": one, "can": capabilities_of(one).builds_images, "row": rows.get(one.pk)}
        for one in visible(actor, Cluster.objects.all()).order_by("name")
    ]


def ready_sources(actor: Actor, project: Project) -> QuerySet[Upload]:
    """Sources that somebody uploaded and that wait to be built."""
    mine = Upload.objects.filter(project=project, owner_id=str(actor.id), purpose=Upload.Purpose.SOURCES)
    return mine.filter(state=Upload.State.READY).order_by("-created_at")


def of_digest(digest: str, *, tenant: uuid.UUID) -> QuerySet[Build]:
    """Which builds made this image, of this tenant."""
    return Build.objects.filter(digest=digest, tenant_id=tenant).order_by("-created_at")


def failure_of(failure: Mapping[str, Any] | None) -> dict[str, str] | None:
    """`{code, message, hint}` of one that failed."""
    if not failure:
        return None
    code, params = str(failure["code"]), dict(failure.get("params") or {})
    if message := words.sentence(code, params):
        return {"code": code, "message": message, "hint": words.hint(code)}
    return told(failure)


def operation_of(row: Build) -> Operation | None:
    return Operation.objects.filter(pk=str(row.operation_id)).first() if row.operation_id else None


def said_last(row: Build) -> str:
    """What its operation said last."""
    operation = operation_of(row)
    newest = operation.events.order_by("-seq").first() if operation else None
    found = told({"code": newest.code, "params": newest.params}) if newest else None
    return found["message"] if found else ""


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of COLUMNS as it leaves the API."""
    document = dict(row)
    path = document.pop("path")
    return document | {"failure": failure_of(row["failure"]), "reference": names.reference(path) if path else ""}


def shown_one(row: Build) -> dict[str, Any]:
    return shown({name: getattr(row, name) for name in COLUMNS})


def shown_all(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [shown(row) for row in rows]


def forget_old(days: int) -> None:
    """With their logs; what was built stays, and so does the audit."""
    Build.objects.exclude(state__in=Build.OPEN).filter(created_at__lt=from_now(-timedelta(days=days))).delete()
