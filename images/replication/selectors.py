"""Registries elsewhere, rules, runs and copies, as the API and pages show them."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from core.api.paging import Rows, plain
from core.errors import FieldProblem, Invalid, NotFound
from images.replication.models import ImageCopy, RemoteRegistry, ReplicationRule, ReplicationRun
from images.replication.problems import said
from tenants.models import Project

M = TypeVar("M", bound=Model)

COPY = [
    "id", "host", "remote", "path", "reference", "tag", "digest", "outward", "state", "reason", "layers",
    "layers_done", "size_bytes", "done_bytes", "sent_bytes", "operation_id", "created_at", "ended_at",
]  # fmt: skip
RUN = [
    "id", "state", "copied", "skipped", "refused", "failed", "copied_bytes", "more", "operation_id", "created_at",
    "ended_at",
]  # fmt: skip
RULE = [
    "id", "name", "direction", "remote_path", "names", "tags", "labels", "schedule", "on_push", "conflict",
    "kilobytes_per_second", "paused", "next_at", "version", "created_at",
]  # fmt: skip


def registries(project: Project) -> QuerySet[RemoteRegistry]:
    return RemoteRegistry.objects.filter(project=project).order_by("name")


def registry(project: Project, name: str) -> RemoteRegistry:
    return _one(RemoteRegistry.objects.select_related("project__tenant").filter(project=project, name=name))


def shown_registry(row: RemoteRegistry) -> dict[str, Any]:
    """All but the password, which nobody sees again."""
    columns = ("id", "name", "address", "signs_in_at", "user", "version", "created_at")
    return {name: getattr(row, name) for name in columns} | {"has_password": bool(row.secret)}


def shown_registries(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in row.items() if name != "secret"} | {"has_password": bool(row["secret"])}
        for row in rows
    ]


def registry_named(project: Project, name: str) -> RemoteRegistry:
    """As `registry`, for a name in a body. Errors: Invalid."""
    found = RemoteRegistry.objects.filter(project=project, name=name).first()
    if found is None:
        raise Invalid(errors=[FieldProblem("registry", "unknown", _("The project knows no registry of this name."))])
    return found


def rules(project: Project) -> QuerySet[ReplicationRule]:
    return ReplicationRule.objects.filter(project=project).select_related("registry").order_by("name")


def rule(project: Project, name: str) -> ReplicationRule:
    rows = ReplicationRule.objects.select_related("registry", "project__tenant")
    return _one(rows.filter(project=project, name=name))


def shown_rule(row: ReplicationRule) -> dict[str, Any]:
    return {name: getattr(row, name) for name in RULE} | {"registry": row.registry.name}


def shown_rules(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "registry": row["registry__name"]} for row in rows]


def runs(row: ReplicationRule) -> Rows:
    return plain(row.runs, *RUN)


def run(row: ReplicationRule, key: uuid.UUID) -> ReplicationRun:
    return _one(ReplicationRun.objects.filter(rule=row, pk=key))


def shown_run(row: ReplicationRun) -> dict[str, Any]:
    return {name: getattr(row, name) for name in RUN}


def copies(project: Project) -> Rows:
    """Those that somebody asked for one by one."""
    return plain(ImageCopy.objects.filter(project=project, rule=None), *COPY)


def copies_of(row: ReplicationRun) -> Rows:
    return plain(row.copies, *COPY)


def copy(project: Project, key: uuid.UUID) -> ImageCopy:
    return _one(ImageCopy.objects.select_related("operation").filter(project=project, pk=key))


def shown_copies(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """With the reason in words."""
    return [dict(row) | {"reason": _told(row["reason"])} for row in rows]


def shown_copy(row: ImageCopy) -> dict[str, Any]:
    return shown_copies([{name: getattr(row, name) for name in COPY}])[0]


def _told(reason: dict[str, Any] | None) -> dict[str, str] | None:
    return {"code": str(reason.get("code", "")), "message": said(reason)} if reason else None


def _one(rows: QuerySet[M]) -> M:
    found = rows.first()
    if found is None:
        raise NotFound()
    return found
