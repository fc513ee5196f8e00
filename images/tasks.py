"""What runs by itself: look at what the registry tells, and now and then at all of it."""

import logging

from celery import current_app, shared_task
from django.conf import settings

from core.errors import Unavailable

log = logging.getLogger(__name__)


@shared_task(name="images.take_in", ignore_result=True)
def take_in() -> None:
    """Woken by the registry. While it does not answer the events stay where they are."""
    from images.registry import taking  # asks by a library that a process without a registry need not load

    try:
        taking.take_in()
    except Unavailable:
        log.warning("the registry told of something, but does not answer")


@shared_task(name="images.look_after_scans", ignore_result=True)
def look_after_scans() -> None:
    """What was pushed and not looked through, since the word of it was lost; and what is remembered for nobody."""
    from images.scanning import layers, ordering

    if settings.REGISTRY["url"]:
        ordering.order_missed()
    layers.forget_unused()


@shared_task(name="images.forget_uploads", ignore_result=True)
def forget_uploads() -> None:
    """Uploads that nobody finishes, and what a crash left of others."""
    from images.uploading import forgetting

    forgetting.forget()


@shared_task(name="images.forget_builds", ignore_result=True)
def forget_builds() -> None:
    """Old builds with their logs, what a crash left on the disk of others, and what is kept of purged projects."""
    from images.building import forgetting, room, selectors

    selectors.forget_old(int(settings.BUILDS["keep_days"]))
    room.forget_orphans()
    forgetting.forget_purged()


@shared_task(name="images.look_at_registry", ignore_result=True)
def look_at_registry() -> None:
    """For what it told while nobody listened, and what it never told."""
    if not settings.REGISTRY["url"]:
        return
    from images.keeping import door
    from images.keeping.selectors import note_gate
    from images.registry import taking

    try:
        taking.look()
        note_gate(door.is_there())
    except Unavailable:
        log.warning("the registry does not answer")


@shared_task(name="images.keep_house", ignore_result=True)
def keep_house() -> None:
    """Images that no rule keeps go once a day, in each project by an operation of its own."""
    if not settings.REGISTRY["url"]:
        return
    from images.keeping import daily

    daily.begin_due()


@shared_task(name="images.recount_stored", ignore_result=True)
def recount_stored() -> None:
    """How much lies there, added up again from the rows of images."""
    from images.keeping import immutable, room

    immutable.forget_turns()
    room.recount_all()


@shared_task(name="images.lay_out", ignore_result=True)
def lay_out() -> None:
    """Woken by each approval and suspension, and now and then for what failed meanwhile."""
    from images.promotion import upkeep

    try:
        upkeep.settle()
    except Unavailable:
        log.warning("images are approved or suspended, but the registry does not answer")


@shared_task(name="images.deliver_webhooks", ignore_result=True)
def deliver_webhooks() -> None:
    """One turn, and then somebody else's: messages to slow receivers are not all that a worker has to do."""
    from images.hooks import noting, sending

    if sending.take_turn():
        current_app.send_task(noting.DELIVER, ignore_result=True)


@shared_task(name="images.forget_deliveries", ignore_result=True)
def forget_deliveries() -> None:
    from images.hooks import keeping

    keeping.forget_old()


@shared_task(name="images.replicate", ignore_result=True)
def replicate() -> None:
    """Rules whose time has come, and those for which something waits."""
    from images.replication import starting

    starting.start_due()
