"""What runs by itself: usage older than it is kept goes."""

import time
from datetime import timedelta

from celery import shared_task

from core.clock import from_now
from observe.models import UsageChunk, UsageSeries
from observe.points import COARSE, TIERS

MOST_AT_ONCE = 500


@shared_task(name="observe.forget", ignore_result=True)
def forget() -> None:
    """Ended series after two days, and chunks whose time has passed (an ended instance writes over none)."""
    old = UsageSeries.objects.filter(ended_at__lt=from_now(timedelta(seconds=-COARSE.kept_seconds)))
    UsageSeries.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:MOST_AT_ONCE])).delete()
    now = int(time.time())
    for tier in TIERS:
        UsageChunk.objects.filter(step=tier.step, starts__lt=now - tier.kept_seconds - tier.seconds).delete()
