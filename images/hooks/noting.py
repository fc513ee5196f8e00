"""What happens becomes rows in the transaction in which it happens: nothing is lost with a worker or the broker."""

import uuid
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import Count, F, Q
from django.dispatch import receiver

from core.clock import database_now
from core.rows import new_id
from images.happening import Happened, happening
from images.hooks import messages
from images.hooks.models import Webhook, WebhookDelivery
from operations.changes import announce, register_kind

DELIVER = "images.deliver_webhooks"
SENT = register_kind("webhook", "project.manage")  # who looks at one sees what comes of its messages
MOST_WAITING = 1000  # of one webhook
WAITING = WebhookDelivery.State.WAITING


@receiver(happening, dispatch_uid="webhooks")
def note(told: Happened, **_more: Any) -> None:
    """A message for each webhook of the project that wants to know."""
    project = told.repository.project_id
    if project is None:
        return
    hooks = [hook for hook in _listening(project) if told.kind in hook.events]
    full = [hook.pk for hook in hooks if hook.waiting >= MOST_WAITING]  # type: ignore[attr-defined]  # annotated
    if full:
        Webhook.objects.filter(pk__in=full).update(missed=F("missed") + 1)
    now = database_now()
    rows = [WebhookDelivery(tenant_id=hook.tenant_id, webhook=hook, event=told.kind) for hook in hooks]
    for row in rows:
        row.body = messages.of_event(told, row.message, at=now)
    put([row for row in rows if row.webhook_id not in full])


def _listening(project: uuid.UUID) -> list[Webhook]:
    rows = Webhook.objects.filter(project_id=project, state=Webhook.State.ACTIVE)
    return list(rows.annotate(waiting=Count("deliveries", filter=Q(deliveries__state=WAITING))))


def put(rows: list[WebhookDelivery]) -> None:
    """Have them sent as soon as this is committed."""
    if not rows:
        return
    now = database_now()
    for row in rows:
        row.next_at = now
    WebhookDelivery.objects.bulk_create(rows)
    for row in rows:
        say(row.webhook)
    wake()


def say(hook: Webhook) -> None:
    announce(SENT, hook.pk, tenant=hook.tenant_id, project=hook.project_id)


def wake() -> None:
    """A worker looks, once this is committed; should nobody hear of it, the regular look finds it."""
    transaction.on_commit(lambda: current_app.send_task(DELIVER, ignore_result=True), robust=True)


def ping_of(hook: Webhook, *, by: str) -> WebhookDelivery:
    """A message that says nothing but that it came; tried once."""
    row = WebhookDelivery(
        tenant_id=hook.tenant_id, webhook=hook, event=messages.PING, asked_by=by[:150], message=new_id()
    )
    row.body = messages.of_ping(hook, row.message, at=database_now(), by=by)
    return row
