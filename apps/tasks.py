"""What runs by itself, beside the operations."""

import logging

from celery import shared_task

from apps import events, evidence
from apps.kept_logs import keeping
from apps.lifecycle.purging import purge_deleted
from apps.noticing import tell_of_failing
from apps.observing import tell_of_silence
from apps.reconciling import reconcile_cluster
from backends.models import Cluster

log = logging.getLogger(__name__)


@shared_task(name="apps.reconcile", ignore_result=True)
def reconcile() -> None:
    """Every cluster that was seen lately; one that is away is left alone until it is back."""
    for cluster in Cluster.objects.filter(state=Cluster.State.READY):
        started = reconcile_cluster(cluster)
        if started:
            log.warning("repairing %s places of cluster %s", started, cluster.name)


@shared_task(name="apps.tell_of_failing", ignore_result=True)
def notice_failing() -> None:
    tell_of_failing()


@shared_task(name="apps.tell_of_silence", ignore_result=True)
def notice_silence() -> None:
    tell_of_silence()


@shared_task(name="apps.purge_projects", ignore_result=True)
def purge_projects() -> None:
    purge_deleted()


@shared_task(name="apps.forget_events", ignore_result=True)
def forget_events() -> None:
    events.forget_old()
    evidence.forget_old()
    keeping.forget_old()
