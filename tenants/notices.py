"""Notices: what one person should know of, told once, read at leisure, kept for thirty days.

The packages above register the kinds they tell, each with its words, and call `tell`. To mark one as read is no
command: it changes nothing that anybody else sees, and an audit full of it would hide what counts.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from core.access import Actor, seen
from core.api.paging import Rows, plain
from core.clock import from_now
from core.errors import Text
from operations.changes import announce, register_kind
from tenants.models import Notice, Project, Tenant, User

BELL = register_kind("notice", "account.own")
KEPT = timedelta(days=30)
Params = Mapping[str, Any]


@dataclass(frozen=True)
class Words:
    """`title` is a sentence with gaps for the notice's params; `detail` makes a second one of them."""

    title: Text
    detail: Callable[[Params], str]


def _nothing_more(_params: Params) -> str:
    return ""


_WORDS: dict[str, Words] = {}


def register(kind: str, title: Text, detail: Callable[[Params], str] = _nothing_more) -> None:
    if kind in _WORDS:
        raise ValueError(f"notice kind {kind} is registered twice")
    _WORDS[kind] = Words(title, detail)


def title_of(notice: Notice) -> str:
    """The sentence of a notice in the reader's language; its kind, where this version has no words for it."""
    words = _WORDS.get(notice.kind)
    return str(words.title) % notice.params if words else str(notice.kind)


def detail_of(notice: Notice) -> str:
    words = _WORDS.get(notice.kind)
    return words.detail(notice.params) if words else ""


def tell(
    user_id: uuid.UUID,
    kind: str,
    *,
    level: str,
    params: Params,
    link: str = "",
    tenant: uuid.UUID | None = None,
    project: uuid.UUID | None = None,
    about: str = "",
) -> None:
    """Tell one person. What has been told of `about` already is not told again. Call it in a transaction."""
    if not User.objects.filter(pk=user_id, is_active=True).exists():
        return
    row = Notice(
        user_id=user_id, kind=kind, level=level, params=dict(params), link=link, about=about,
        tenant_id=tenant, project_id=project,
    )  # fmt: skip
    Notice.objects.bulk_create([row], ignore_conflicts=True)
    announce(BELL, user_id, person=user_id)


def notices_of(actor: Actor) -> QuerySet[Notice]:
    """A person's own, of the places they may still see."""
    rows = Notice.objects.filter(user=_who(actor)).select_related("tenant", "project")
    here = seen(actor, Project, prefix="project__")
    return rows.filter(Q(project__isnull=True) | here) if here else rows


def _who(actor: Actor) -> uuid.UUID:
    """The person's id; one that nobody has for whoever is not signed in."""
    return actor.id or uuid.UUID(int=0)


COLUMNS = (
    "id", "kind", "level", "params", "link", "tenant__name", "project__name", "created_at", "read_at",
)  # fmt: skip


def plain_rows(actor: Actor, *, unread: bool = False) -> Rows:
    rows = notices_of(actor).select_related(None)
    return plain(rows.filter(read_at__isnull=True) if unread else rows, *COLUMNS)


def shown(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of COLUMNS as they leave the API: in the reader's language."""
    return [_shown(dict(row)) for row in rows]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    said = Notice(kind=row["kind"], params=row.pop("params"))
    places = {"tenant": row.pop("tenant__name"), "project": row.pop("project__name")}
    return row | places | {"title": title_of(said), "detail": detail_of(said)}


def narrowed(rows: QuerySet[Notice], *, which: str, before: uuid.UUID | None = None) -> QuerySet[Notice]:
    """`which`: unread, trouble or all; `before`: only those older than that one."""
    rows = rows.filter(pk__lt=before) if before else rows
    if which == "unread":
        return rows.filter(read_at__isnull=True)
    return rows.exclude(level=Notice.Level.OK) if which == "trouble" else rows


def unread_count(actor: Actor) -> int:
    return notices_of(actor).filter(read_at__isnull=True).count() if actor.id else 0


def read(actor: Actor, *, ids: Iterable[uuid.UUID] | None = None) -> int:
    """Mark as read: those of `ids`, or all. Answers how many were new."""
    rows = Notice.objects.filter(user=_who(actor), read_at__isnull=True)
    with transaction.atomic():
        count = (rows if ids is None else rows.filter(pk__in=list(ids))).update(read_at=Now())
        announce(BELL, actor.id, person=actor.id)
    return count


def forget_old() -> int:
    return Notice.objects.filter(created_at__lt=from_now(-KEPT)).delete()[0]


def place_name(tenant: Tenant | None, project: Project | None) -> str:
    return f"{tenant} / {project.name}" if tenant and project else str(tenant or "")
