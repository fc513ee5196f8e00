"""What is done by itself each day, without anybody asking."""

import logging
from datetime import timedelta

from django.db import transaction

from core.access import SYSTEM
from core.clock import from_now
from core.errors import Conflict
from images.keeping.operations import RETAIN, start_cleaning
from images.keeping.retaining import plan
from operations.models import Operation
from tenants.models import Project

log = logging.getLogger(__name__)
EACH = timedelta(days=1)


def begin_due() -> int:
    """Begin where the last one was begun a day ago, and only where something goes; answers how many."""
    lately = Operation.objects.filter(kind=RETAIN, created_at__gt=from_now(-EACH)).values("project_id")
    rows = Project.objects.filter(retention_rules__isnull=False, state=Project.State.ACTIVE, deleted_at__isnull=True)
    begun = 0
    for project in rows.exclude(pk__in=lately).distinct():
        if any(line.goes for line in plan(project)):
            begun += _begin(project)
    return begun


def _begin(project: Project) -> bool:
    try:
        with transaction.atomic():
            start_cleaning(SYSTEM, project)
    except Conflict:
        log.info("images of %s are being removed already", project.name)
        return False
    return True
