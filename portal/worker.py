"""The worker's consumer, which outlives a broken connection."""

import logging

from celery.worker import consumer

log = logging.getLogger(__name__)


class Consumer(consumer.Consumer):  # type: ignore[misc]  # celery is untyped
    """Of kombu 5.7: a Redis channel that held messages and waited for more cannot be closed once its way is cut.

    Closing it a second time then looks for an address that was forgotten in between, and AttributeError would end the
    worker. The connection is given up at that point, and the next one is made; its messages are in the rows.
    """

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        try:
            super().on_connection_error_after_connected(exc)
        except AttributeError as error:
            if self.connection is not None:
                raise
            log.warning("a broken connection could not be closed, it is left behind: %s", error)
