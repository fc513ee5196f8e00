"""What builders keep goes with the project for which it was kept."""

import logging
import uuid
from collections.abc import Mapping

from backends.contract import Builder, DriverError
from backends.models import Cluster
from backends.registry import capabilities_of, driver_for
from images.building.driving import drive
from images.building.working import REPOSITORY_NAME
from tenants.models import Project

log = logging.getLogger(__name__)


def forget_purged() -> int:
    """On every cluster that can build, also where it was allowed once; answers how many images went.

    What is kept there says for whom, so nothing has to be remembered here, and a builder that is away, or still needs
    one of them, is asked again with the next turn. What no project of ours stands for is another's.
    """
    gone = 0
    for cluster in Cluster.objects.exclude(address="").exclude(state=Cluster.State.AWAY):
        if not capabilities_of(cluster).builds_images:
            continue
        try:
            builder = driver_for(cluster).builder()
            gone += _forget(builder) if builder else 0
        except DriverError as error:
            log.info("the builder of %s is not asked for what nobody needs: %s", cluster.name, error)
    return gone


def _forget(builder: Builder) -> int:
    with drive() as driven:
        kept = _kept(driven.wait(builder.named()))
        purged = Project.objects.filter(pk__in=set(kept.values()), purged_at__isnull=False)
        owners = set(purged.values_list("pk", flat=True))
        done = [driven.wait(builder.forget(name)) for name, owner in kept.items() if owner in owners]
        for owner in owners:
            driven.wait(builder.tidy(owner.hex))
        return sum(done)


def _kept(named: Mapping[str, str]) -> dict[str, uuid.UUID]:
    """Of all names those that Berth gave; an image that is fetched by others has names of its own."""
    found = {}
    for name, owner in named.items():
        try:
            key = uuid.UUID(owner)
        except ValueError:
            continue
        if name.startswith(f"{REPOSITORY_NAME}/{key.hex}/"):
            found[name] = key
    return found
