"""Wake a worker for one operation. Only the id travels; the row says what to do."""

import uuid

from celery import current_app

RUN = "operations.run"
RUN_LONG = "operations.run_long"  # of kinds with steps that take minutes


def wake(operation_id: uuid.UUID, *, in_seconds: float = 0.0, long: bool = False) -> None:
    name = RUN_LONG if long else RUN
    current_app.send_task(name, (str(operation_id),), countdown=in_seconds or None, ignore_result=True)
