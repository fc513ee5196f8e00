"""What was sent is kept for a while, and of each webhook only so much."""

import uuid
from datetime import timedelta

from django.db.models import Count

from core.clock import from_now
from core.pace import unhurried
from images.hooks.models import WebhookDelivery

KEPT = timedelta(days=14)
MOST_KEPT = 1000  # of one webhook, beside those that wait
AT_ONCE = 200


def forget_old() -> int:
    """Those that ended long ago, then what a webhook has too much of; answers how many."""
    ended = WebhookDelivery.objects.exclude(state=WebhookDelivery.State.WAITING)
    gone = _forget(list(ended.filter(ended_at__lt=from_now(-KEPT)).values_list("pk", flat=True)))
    counted = ended.order_by().values("webhook").annotate(count=Count("pk"))
    for hook in list(counted.filter(count__gt=MOST_KEPT).values_list("webhook", flat=True)):
        beyond = ended.filter(webhook=hook).order_by("-pk").values_list("pk", flat=True)[MOST_KEPT:]
        gone += _forget(list(beyond))
    return gone


def _forget(keys: list[uuid.UUID]) -> int:
    parts = [keys[first : first + AT_ONCE] for first in range(0, len(keys), AT_ONCE)]
    return sum(WebhookDelivery.objects.filter(pk__in=part).delete()[0] for part in unhurried(parts))
