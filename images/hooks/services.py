"""Webhooks of a project. Each public function is a command.

No address and no secret is written to the audit: an address may hold a key of its receiver.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor, check_unchanged
from core.clock import database_now
from core.errors import Conflict, FieldProblem, Invalid
from core.secrets import Secret
from images.hooks import messages, noting, signing
from images.hooks.addressing import Address
from images.hooks.models import Webhook, WebhookDelivery
from tenants.models import Project

MOST = 20  # of one project
LONGEST_ADDRESS = 1000  # letters
WAITING = WebhookDelivery.State.WAITING
ENDED = (Webhook.State.FAILING, Webhook.State.GONE)


@dataclass(frozen=True)
class Asked:
    """How a webhook is to be; None leaves a thing as it is. `secret` empty: one is made."""

    name: str | None = None
    address: Address | None = None
    events: Sequence[str] | None = None
    secret: Secret | None = None
    active: bool | None = None


@command("webhook.make", permission="project.manage")
def make_webhook(actor: Actor, project: Project, *, asked: Asked) -> tuple[Webhook, Secret]:
    """A webhook, and its secret, which is shown this once."""
    project = Project.objects.select_for_update().select_related("tenant").get(pk=project.pk)
    if project.webhooks.count() >= MOST:
        message = _("A project has at most %(most)s webhooks.") % {"most": MOST}
        raise Conflict(message, code="too_many_webhooks", hint=_("Remove one that is not needed any more."))
    if asked.address is None:
        raise Invalid(errors=[FieldProblem("address", "required", _("Say where to."))])
    secret = signing.given_secret(asked.secret.reveal()) if asked.secret else signing.made_secret()
    hook = Webhook(
        tenant_id=project.tenant_id, project=project, name=_name(asked.name or ""), host=asked.address.host,
        events=_events(asked.events or ()), made_by=actor.name[:150],
    )  # fmt: skip
    hook.address, hook.secret = asked.address.text, secret
    _save(hook)
    describe(target=hook, after=_said(hook))
    return hook, secret


@command("webhook.change", permission="project.manage")
def change_webhook(
    actor: Actor, hook: Webhook, *, asked: Asked, expected_version: int | None = None
) -> tuple[Webhook, Secret | None]:
    """Another name, address or choice of events, paused or on. Another address has another secret.

    The second part of the answer is a secret that was made and is shown this once.
    """
    hook = _locked(hook)
    check_unchanged(hook, expected_version)
    before, made = _said(hook), None
    if asked.name is not None:
        hook.name = _name(asked.name)
    if asked.events is not None:
        hook.events = _events(asked.events)
    moved = asked.address is not None and asked.address.text != hook.address
    if asked.address is not None:
        hook.host, hook.address = asked.address.host, asked.address.text
    if asked.secret:
        hook.secret = signing.given_secret(asked.secret.reveal())
    elif moved:
        hook.secret = made = signing.made_secret()  # whoever had the old address knows the old one
    if asked.active is not None:
        _turn(hook, on=asked.active)
    hook.version += 1
    _save(hook)
    describe(target=hook, before=before, after=_said(hook), detail={"address_changed": moved})
    return hook, made


@command("webhook.new_secret", permission="project.manage")
def renew_secret(actor: Actor, hook: Webhook, *, expected_version: int | None = None) -> Secret:
    """A new secret, shown this once; from now on everything is signed with it."""
    hook, made = _locked(hook), signing.made_secret()
    check_unchanged(hook, expected_version)
    hook.secret = made
    hook.version += 1
    _save(hook)
    return made


@command("webhook.remove", permission="project.manage", even_closed=True)
def remove_webhook(actor: Actor, hook: Webhook) -> None:
    """Nothing is sent to it any more, and what was is forgotten."""
    describe(before=_said(hook))
    hook.delete()


@command("webhook.ping", permission="project.manage")
def ping(actor: Actor, hook: Webhook) -> WebhookDelivery:
    """Send a message that says only that it came. One at a time."""
    _check_room(hook, event=messages.PING, most=1)
    row = noting.ping_of(hook, by=actor.name)
    noting.put([row])
    return row


@command("webhook.again", permission="project.manage")
def send_again(actor: Actor, row: WebhookDelivery) -> WebhookDelivery:
    """The same message once more, under its own id; one that waits is sent now."""
    describe(detail={"event": row.event, "message": str(row.message)})
    if row.state == WAITING:
        again = row
        WebhookDelivery.objects.filter(pk=row.pk, state=WAITING).update(next_at=Now())
        noting.wake()
    else:
        _check_room(row.webhook)
        again = WebhookDelivery(
            tenant_id=row.tenant_id, webhook=row.webhook, message=row.message, event=row.event, body=row.body,
            asked_by=actor.name[:150],
        )  # fmt: skip
        noting.put([again])
    again.refresh_from_db()
    return again


def _name(text: str) -> str:
    name = " ".join(text.replace("\0", "").split())[:60]
    if not name:
        raise Invalid(errors=[FieldProblem("name", "required", _("Name it."))])
    return name


def _events(chosen: Sequence[str]) -> list[str]:
    known = [kind for kind in messages.KINDS if kind in chosen]
    if not known:
        message = _("Choose at least one event.")
        raise Invalid(errors=[FieldProblem("events", "required", message)])
    return known


def _turn(hook: Webhook, *, on: bool) -> None:
    """Paused or on; one that was paused because it failed begins anew."""
    if on and hook.state != Webhook.State.ACTIVE:
        hook.state, hook.failing_since, hook.failures, hook.missed = Webhook.State.ACTIVE, None, 0, 0
        hook.not_before = None
        noting.wake()
    elif not on and hook.state == Webhook.State.ACTIVE:
        hook.state = Webhook.State.PAUSED


def _check_room(hook: Webhook, *, event: str = "", most: int = noting.MOST_WAITING) -> None:
    waiting = Q(deliveries__state=WAITING) & (Q(deliveries__event=event) if event else Q())
    count = Webhook.objects.filter(pk=hook.pk).aggregate(count=Count("deliveries", filter=waiting))["count"]
    if count >= most:
        raise Conflict(_("Messages wait to be sent already."), code="messages_wait", hint=_("Wait a moment."))


WRITTEN = ("name", "address", "host", "events", "secret", "state", "failing_since", "failures", "missed", "not_before")


def _locked(hook: Webhook) -> Webhook:
    return Webhook.objects.select_for_update().get(pk=hook.pk)


def _save(hook: Webhook) -> None:
    """Without lease and fence, which are the workers'."""
    hook.updated_at = database_now()
    try:
        with transaction.atomic():
            hook.save(update_fields=None if hook._state.adding else [*WRITTEN, "version", "updated_at"])
    except IntegrityError:
        message = _("This project has a webhook called “%(name)s” already.") % {"name": hook.name}
        raise Conflict(message, code="name_taken", hint=_("Take another name.")) from None
    hook.refresh_from_db()


def _said(hook: Webhook) -> dict[str, object]:
    return {"name": hook.name, "host": hook.host, "events": list(hook.events), "state": str(hook.state)}
