"""What runs by itself: two beats at once, the leading one killed, and none at all."""

import psycopg
import pytest
import redis
from django.core.cache.backends.redis import RedisCache

from launcher.processes import until
from operations.tasks import SWEPT
from portal.beat import LEADS
from tests.faults.apart.projects import PATIENCE_SECONDS, QUEUE, comes_to_an_end, suspended, without
from tests.installation import Installation


@pytest.fixture
def shared(berth: Installation) -> RedisCache:
    """The cache that all processes share."""
    return RedisCache(berth.environment["REDIS_URL"], {})


def leader(shared: RedisCache) -> int:
    """The process number of the beat that leads; 0: none does."""
    return int(str(shared.get(LEADS, "-:0")).split(":")[1])


def test_when_the_leading_beat_is_killed_another_takes_over(
    berth: Installation, database: psycopg.Connection, messages: redis.Redis, shared: RedisCache
) -> None:
    """A killed one says nothing. What has lost its message is found by the sweep that the other sends."""
    first = berth.processes["beat"]
    assert until(lambda: leader(shared) == first.pid, seconds=PATIENCE_SECONDS), berth.said("beat")
    berth.start("beat", called="second")
    second = berth.processes["second"]
    try:
        with without(berth, "worker"):
            operation = suspended(berth, "taken-over")
            first.kill()
            messages.delete(QUEUE)
        assert until(lambda: leader(shared) == second.pid, seconds=PATIENCE_SECONDS), berth.said("second")
        comes_to_an_end(berth, database, operation, by="worker")
        berth.start("beat")
        later = suspended(berth, "still-there")
        comes_to_an_end(berth, database, later, by="worker")
        assert leader(shared) == second.pid, "who comes back takes nothing away"
    finally:
        berth.processes.pop("second").end(grace_seconds=20)
    assert until(lambda: leader(shared) == berth.processes["beat"].pid, seconds=PATIENCE_SECONDS), "it left its seat"


def test_without_any_beat_the_age_of_the_last_sweep_grows(
    berth: Installation, messages: redis.Redis, shared: RedisCache
) -> None:
    """The number that operators watch: it stands still while nobody sends, and moves again afterwards."""

    def swept() -> float:
        return float(shared.get(SWEPT, 0))

    assert until(lambda: swept() > 0, seconds=PATIENCE_SECONDS), berth.said("beat")
    with without(berth, "beat"):
        assert until(lambda: messages.llen(QUEUE) == 0, seconds=PATIENCE_SECONDS)
        before = swept()
        assert leader(shared) == 0
        if until(lambda: swept() != before, seconds=12):  # the one that was under way when the queue was empty
            before = swept()
            assert not until(lambda: swept() != before, seconds=12), "nobody sends"
    assert until(lambda: swept() != before, seconds=PATIENCE_SECONDS), berth.said("beat")
