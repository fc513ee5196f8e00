"""What Celery runs. A message carries an id and nothing else; losing or doubling it changes nothing."""

from datetime import timedelta

from celery import shared_task
from django.core.cache import cache

from core.clock import database_now, from_now
from operations import changes, running, services, turns
from operations.models import RememberedAnswer
from operations.registry import long_kinds
from operations.wakeup import RUN, RUN_LONG, wake

LONG_STEP_SECONDS = 20 * 60
SWEPT = "operations-swept"  # in the cache: when, in seconds since 1970 by the database's clock
EARLIEST_SECONDS = 0.05  # a message that comes before the row's `not_before` is only noticed by the sweep


@shared_task(name=RUN, acks_late=True, reject_on_worker_lost=True, ignore_result=True)
def run_operation(operation_id: str) -> None:
    _take_one(operation_id, long=False)


@shared_task(
    name=RUN_LONG, acks_late=True, reject_on_worker_lost=True, ignore_result=True, time_limit=LONG_STEP_SECONDS
)
def run_long_operation(operation_id: str) -> None:
    """One step that may take minutes; how many are at work at once is for its handler to say."""
    _take_one(operation_id, long=True)


def _take_one(operation_id: str, *, long: bool) -> None:
    operation = turns.take_turn(operation_id, long=long)
    if operation is None:
        return
    seconds = running.run_step(operation)
    if seconds is not None:
        wake(operation.pk, in_seconds=seconds + EARLIEST_SECONDS, long=long)


@shared_task(name="operations.sweep", ignore_result=True)
def sweep() -> None:
    """Wake every row whose message or worker was lost. Runs at start and every few seconds."""
    cache.set(SWEPT, database_now().timestamp(), timeout=None)
    late = services.claimable().filter(created_at__lt=from_now(timedelta(seconds=-2)))
    long = long_kinds()
    for operation_id, kind in late.order_by("created_at").values_list("pk", "kind")[:200]:
        wake(operation_id, long=kind in long)


@shared_task(name="operations.forget_changes", ignore_result=True)
def forget_changes() -> None:
    changes.forget_old()


@shared_task(name="operations.forget_answers", ignore_result=True)
def forget_answers() -> None:
    RememberedAnswer.objects.filter(created_at__lt=from_now(timedelta(hours=-24))).delete()
