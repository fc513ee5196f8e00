"""What may be read of webhooks: never an address beyond its host, never a secret."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from core.access import Actor, check, get_visible
from core.api.paging import Rows, plain
from images.hooks.models import Webhook, WebhookDelivery
from tenants.models import Project
from tenants.selectors import project as project_of

PERMISSION = "project.manage"
HOOK = (
    "id", "name", "host", "events", "state", "waiting", "missed", "failing_since", "made_by", "created_at",
    "updated_at", "version",
)  # fmt: skip
LINE = ("id", "message", "event", "state", "asked_by", "attempts", "status", "problem", "duration_ms", "next_at",
        "ended_at", "created_at")  # fmt: skip


def project_with_hooks(actor: Actor, tenant: str, project: str) -> Project:
    """The project, if the actor may look at its webhooks."""
    row = project_of(actor, tenant, project)
    check(actor, PERMISSION, row)
    return row


def webhooks(project: Project) -> QuerySet[Webhook]:
    waiting = Count("deliveries", filter=Q(deliveries__state=WebhookDelivery.State.WAITING))
    return project.webhooks.annotate(waiting=waiting)


def webhook(actor: Actor, project: Project, key: uuid.UUID) -> Webhook:
    """Raises NotFound for one of another project."""
    return get_visible(actor, webhooks(project).select_related("project__tenant"), pk=key)


def delivery(actor: Actor, hook: Webhook, key: uuid.UUID) -> WebhookDelivery:
    return get_visible(actor, hook.deliveries.select_related("webhook__project__tenant"), pk=key)


def plain_webhooks(project: Project) -> Rows:
    return plain(webhooks(project), *HOOK)


def shown_webhook(row: Webhook) -> dict[str, Any]:
    return {name: getattr(row, name) for name in HOOK}


def plain_deliveries(hook: Webhook) -> Rows:
    return plain(hook.deliveries, *LINE)


def shown_deliveries(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [dict(row) | {"problem": row["problem"] or None} for row in rows]


def shown_delivery(row: WebhookDelivery) -> dict[str, Any]:
    """With what was sent, and each try."""
    line = {name: getattr(row, name) for name in LINE}
    return line | {"problem": row.problem or None, "tries": row.tries, "body": row.body}


def problem_words(problem: str, status: int | None) -> str:
    """Why a try did not do; empty where it did."""
    words = {
        "status": _("It answered %(status)s."),
        "redirect": _("It answered %(status)s, which leads elsewhere; that is not followed."),
        "no_answer": _("It did not answer in time."),
        "refused": _("Nothing is sent to such an address from here."),
    }
    return words.get(problem, problem) % {"status": status}
