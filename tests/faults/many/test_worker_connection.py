"""A worker whose connection to Redis breaks off while it holds a message and waits for more."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from celery.worker import consumer as celery_consumer
from kombu import Connection, Queue

from launcher.services import PrivateRedis
from portal.worker import Consumer

pytestmark = pytest.mark.live


@pytest.fixture
def cut_off() -> Iterator[Connection]:
    """It has a message that is not acknowledged, waits on two channels for more, and its Redis has gone."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        redis = PrivateRedis(Path(folder) / "redis")
        connection = Connection(redis.start())
        work, orders = Queue("work"), Queue("orders")
        connection.Producer().publish({}, routing_key="work", declare=[work, orders])
        for queue, channel in ((work, connection.default_channel), (orders, connection.channel())):
            connection.Consumer([queue], channel=channel, callbacks=[lambda _body, _message: None]).consume()
        connection.drain_events(timeout=5)
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=0.1)
        redis.kill()
        yield connection


def left(kind: type[celery_consumer.Consumer], connection: Connection) -> celery_consumer.Consumer:
    made = kind.__new__(kind)
    made.connection, made.app = connection, Celery(set_as_current=False)
    made.app.conf.worker_cancel_long_running_tasks_on_connection_loss = True  # there are none; nothing warns of it
    made.on_connection_error_after_connected(ConnectionError("gone"))
    return made


def test_it_gives_the_connection_up_and_goes_on(cut_off: Connection) -> None:
    assert left(Consumer, cut_off).connection is None


def test_without_that_the_worker_would_end(cut_off: Connection) -> None:
    """Once this fails, the library has mended it, and portal/worker.py can go."""
    with pytest.raises(AttributeError, match="hostname"):
        left(celery_consumer.Consumer, cut_off)
