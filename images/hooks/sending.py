"""Messages go out: one at a time to each address, in the order in which things happened as far as nothing fails.

A worker holds a webhook by a lease and a fence, as it does an operation. One that dies between sending and writing that
down leaves the message waiting: it is sent again under the same id. So each comes at least once.
"""

import random
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from core import outbound
from core.clock import database_now, from_now
from core.errors import Unavailable
from images.hooks import messages, noting, signing, telling
from images.hooks.models import Webhook, WebhookDelivery
from tenants.models import Tenant

AT_ONCE = 2  # webhooks; the workers have other things to do
IN_ONE_TURN = 10
TURN_SECONDS = 15.0  # after which no further message is begun
SECONDS = 10.0  # that a receiver has for its answer
LEASE = timedelta(seconds=60)
PAUSES = tuple(timedelta(minutes=one) for one in (0.1, 1, 5, 30, 60, 120, 240, 480, 480))  # about a day
LONG = timedelta(days=2)  # of nothing but failures, after which it is paused
REST_SECONDS = 5  # for an address that failed, times its failures
LONGEST_REST_SECONDS = 60
GONE = 410
WAITING = WebhookDelivery.State.WAITING
AGENT = "Berth-Webhook/1"


@dataclass(frozen=True)
class Outcome:
    """What came of one try. Of the answer nothing but its status is kept: it may be of a place nobody should see."""

    status: int | None
    problem: str  # "", status, redirect, no_answer, refused
    ms: int

    @property
    def well(self) -> bool:
        return not self.problem


def take_turn() -> bool:
    """Send what waits for one address; True where some address has something to be sent now."""
    hook = _claim()
    if hook is None:
        return False
    end = time.monotonic() + TURN_SECONDS
    for _message in range(IN_ONE_TURN):
        row = _begun(hook)
        if row is None:
            break
        outcome = send(hook, row)
        if not _marked(hook, row, outcome) or not outcome.well or time.monotonic() > end:
            break
    _give_back(hook)
    return _due().exists()


def send(hook: Webhook, row: WebhookDelivery) -> Outcome:
    body, began = row.body.encode(), time.monotonic()
    at = int(database_now().timestamp())
    told = {"content-type": messages.MEDIA_TYPE, "user-agent": AGENT}
    told |= signing.headers(hook.secret, row.message, at=at, body=body)
    status, problem = None, ""
    try:
        with outbound.opened("POST", hook.address.reveal(), headers=told, content=body, seconds=SECONDS) as answer:
            status = answer.status
            problem = _problem(status)
    except outbound.Refused:
        problem = "refused"
    except Unavailable:
        problem = "no_answer"
    return Outcome(status, problem, int((time.monotonic() - began) * 1000))


def _problem(status: int) -> str:
    if 200 <= status < 300:
        return ""
    return "redirect" if 300 <= status < 400 else "status"


def _messages() -> QuerySet[WebhookDelivery]:
    """Those that are to be sent now; a test is sent to whatever is paused, too."""
    wanted = Q(webhook__state=Webhook.State.ACTIVE) | Q(event=messages.PING)
    return WebhookDelivery.objects.filter(wanted, state=WAITING, next_at__lte=Now())


def _due() -> QuerySet[Webhook]:
    """Webhooks that have something to send and that nobody holds, in places that are there."""
    rested = Q(not_before__isnull=True) | Q(not_before__lte=Now())
    there = Webhook.objects.filter(project__deleted_at__isnull=True).exclude(tenant__state=Tenant.DISABLED)
    return there.filter(_free() & rested & Exists(_messages().filter(webhook=OuterRef("pk"))))


def _free() -> Q:
    return Q(lease_until__isnull=True) | Q(lease_until__lt=Now())


def _claim() -> Webhook | None:
    """The lease of one that waits, of whichever tenant: nobody waits behind the many slow ones of another."""
    if Webhook.objects.filter(lease_until__gt=Now()).count() >= AT_ONCE:
        return None
    tenants = list(_due().order_by().values_list("tenant_id", flat=True).distinct())
    if not tenants:
        return None
    drawn = random.choice(tenants)  # noqa: S311  not a secret
    waiting = _due().filter(tenant_id=drawn).order_by(F("not_before").asc(nulls_first=True), "pk")
    for pk in waiting.values_list("pk", flat=True)[:AT_ONCE]:
        if Webhook.objects.filter(_free(), pk=pk).update(lease_until=from_now(LEASE), fence=F("fence") + 1):
            return Webhook.objects.get(pk=pk)
    return None


def _mine(hook: Webhook) -> QuerySet[Webhook]:
    return Webhook.objects.filter(pk=hook.pk, fence=hook.fence)


def _begun(hook: Webhook) -> WebhookDelivery | None:
    """The next message, counted as tried before it is; None where there is none, or another worker took over.

    The address and the secret are those of this moment.
    """
    with transaction.atomic():
        if not _mine(hook).update(lease_until=from_now(LEASE)):
            return None
        hook.refresh_from_db()
        row = _messages().filter(webhook=hook).order_by("pk").first()
        if row is not None:
            WebhookDelivery.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1)
            row.attempts += 1
        return row


def _marked(hook: Webhook, row: WebhookDelivery, outcome: Outcome) -> bool:
    """Write down what came of it; False where this worker lost its lease meanwhile and must not write."""
    with transaction.atomic():
        if not _mine(hook).update(lease_until=from_now(LEASE)):
            return False
        _write(row, outcome)
        if row.event != messages.PING or outcome.well:
            _heed(hook, outcome)
        noting.say(hook)
        return True


def _write(row: WebhookDelivery, outcome: Outcome) -> None:
    tried: dict[str, Any] = {"at": database_now().isoformat(), "ms": outcome.ms}
    tried |= {"status": outcome.status, "problem": outcome.problem}
    columns: dict[str, Any] = {"status": outcome.status, "problem": outcome.problem, "duration_ms": outcome.ms}
    columns["tries"] = [*row.tries, tried]
    over = row.event == messages.PING or outcome.status == GONE or row.attempts > len(PAUSES)
    if outcome.well or over:
        state = WebhookDelivery.State.DELIVERED if outcome.well else WebhookDelivery.State.FAILED
        columns |= {"state": state, "ended_at": Now(), "next_at": None}
    else:
        columns["next_at"] = from_now(PAUSES[row.attempts - 1])
    WebhookDelivery.objects.filter(pk=row.pk).update(**columns)


def _heed(hook: Webhook, outcome: Outcome) -> None:
    """How the address does: one that has failed for long is not tried any more, and its owners are told."""
    if outcome.well:
        _mine(hook).update(failures=0, failing_since=None)
        return
    _mine(hook).update(failures=F("failures") + 1, failing_since=Coalesce("failing_since", Now()))
    active = _mine(hook).filter(state=Webhook.State.ACTIVE)
    if outcome.status == GONE:
        ended = active.update(state=Webhook.State.GONE)
    else:
        ended = active.filter(failing_since__lt=from_now(-LONG)).update(state=Webhook.State.FAILING)
    if ended:
        hook.refresh_from_db()
        telling.ended(hook)


def _give_back(hook: Webhook) -> None:
    """One that failed rests longer with each time; the others have their turn before this one has its next."""
    hook.refresh_from_db(fields=["failures"])
    rest = timedelta(seconds=min(REST_SECONDS * hook.failures, LONGEST_REST_SECONDS))
    _mine(hook).update(lease_until=None, not_before=from_now(rest) if rest else Now())
