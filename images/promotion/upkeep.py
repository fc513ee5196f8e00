"""What the registry holds for each stage follows what is approved, though it was away when that changed."""

import logging

from django.conf import settings

from core.errors import Conflict
from images.promotion import granting, laying
from images.promotion.models import Approval
from images.promotion.standing import holds
from tenants.models import Project

log = logging.getLogger(__name__)


def forget_laid(project: Project) -> None:
    """Of a project that is purged: what its stages fetched is taken away, each image at least once.

    Also one of which nobody noted that it lay there, since whoever laid it out was cut off then.
    """
    Approval.objects.filter(project=project).exclude(path="").update(laid=True)
    granting.ask_to_lay_out()


def settle() -> None:
    """Take away first: what may not run must not be fetched. Raises Unavailable while the registry does not answer."""
    granting.end_old()
    if not settings.REGISTRY["url"]:
        return
    for row in Approval.objects.filter(laid=True).exclude(holds(), project__purged_at__isnull=True):
        laying.take_away(row)
    wanted = Approval.objects.filter(holds(), laid=False, project__purged_at__isnull=True)
    for row in wanted.exclude(path=""):
        try:
            laying.lay_out(row)
        except Conflict as error:
            log.warning("%s cannot be laid out: %s", row, error.message)
