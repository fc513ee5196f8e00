"""Wake a worker for one operation. Only the id travels; the row says what to do."""

import uuid

from celery import current_app

RUN = "operations.run"


def wake(operation_id: uuid.UUID, *, in_seconds: float = 0.0) -> None:
    current_app.send_task(RUN, (str(operation_id),), countdown=in_seconds or None, ignore_result=True)
