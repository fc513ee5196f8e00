"""`manage.py collect_registry`: take out of the registry what no image names any more, and say what was freed."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.errors import PortalError
from images.keeping.services import collect
from operations import tasks
from operations.models import Operation
from operations.selectors import told
from portal.seed import operator_actor

LOOK_SECONDS = 1.0


class Command(BaseCommand):
    help = "Tidy up the registry; pushes are refused meanwhile, pulling goes on."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            operation = collect(operator_actor(), None)
        except PortalError as error:
            raise CommandError(f"{error.message} {error.hint}".strip()) from error
        seen = 0
        while True:
            # a worker may be at it as well: whoever claims it takes the step
            tasks.run_operation(str(operation.pk))
            operation.refresh_from_db()
            for event in operation.events.filter(seq__gt=seen).order_by("seq"):
                seen = event.seq
                self.stdout.write((told({"code": event.code, "params": event.params}) or {}).get("message", ""))
            if not operation.active:
                break
            time.sleep(LOOK_SECONDS)
        if operation.state != Operation.State.SUCCEEDED:
            raise CommandError((told(operation.failure) or {}).get("message", "It did not end well."))
