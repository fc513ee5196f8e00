"""Notices: what one person should know of, told once, read at leisure, kept for thirty days.

The packages above register the kinds they tell, each with its words, and call `tell`. To mark one as read is no command:
it changes nothing that anybody else sees, and an audit full of it would hide what counts.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from core.access import Actor, visible
from core.clock import from_now
from core.errors import Text
from tenants.models import Notice, Project, Tenant, User

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


def notices_of(actor: Actor) -> QuerySet[Notice]:
    """A person's own, of the places they may still see."""
    seen = visible(actor, Project.objects.all()).values("pk")
    here = Q(project__isnull=True) | Q(project__in=seen)
    return Notice.objects.filter(here, user_id=actor.id).select_related("tenant", "project")


def unread_count(actor: Actor) -> int:
    return notices_of(actor).filter(read_at__isnull=True).count() if actor.id else 0


def read(actor: Actor, *, ids: Iterable[uuid.UUID] | None = None) -> int:
    """Mark as read: those of `ids`, or all. Answers how many were new."""
    rows = Notice.objects.filter(user_id=actor.id, read_at__isnull=True)
    return (rows if ids is None else rows.filter(pk__in=list(ids))).update(read_at=Now())


def forget_old() -> int:
    return Notice.objects.filter(created_at__lt=from_now(-KEPT)).delete()[0]


def place_name(tenant: Tenant | None, project: Project | None) -> str:
    return f"{tenant} / {project.name}" if tenant and project else str(tenant or "")
