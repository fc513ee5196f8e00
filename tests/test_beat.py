"""What beats send: done once, however often it came, and sent by one of them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from redis import ConnectionError as RedisAway

from portal.beat import LEADS, Scheduler, Seat, every
from portal.celery import app

BEAT = {"celery_beat_task": True}


@pytest.fixture(autouse=True)
def _nobody_leads() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each sweep that was done."""
    done: list[int] = []
    app.loader.import_default_modules()
    monkeypatch.setattr(app.tasks["operations.sweep"], "run", lambda: done.append(1))
    return done


def test_what_piled_up_or_came_twice_is_done_once(swept: list[int]) -> None:
    for _turn in range(20):
        app.tasks["operations.sweep"].apply(headers=BEAT)
    assert len(swept) == 1
    for _turn in range(2):
        app.tasks["operations.sweep"].apply()
    assert len(swept) == 3, "what people and processes send is always done"
    cache.delete("ran:operations.sweep")  # half of its interval is over
    app.tasks["operations.sweep"].apply(headers=BEAT)
    assert len(swept) == 4


def test_every_task_that_beats_send_has_an_interval(settings: Any) -> None:
    assert {every(entry["task"]) > 0 for entry in settings.CELERY_BEAT_SCHEDULE.values()} == {True}
    assert all("options" not in entry for entry in settings.CELERY_BEAT_SCHEDULE.values()), "an end by a clock"


def test_one_of_two_leads_until_it_leaves() -> None:
    one, two = Seat(), Seat()
    assert (one.held(), two.held(), one.held()) == (True, False, True)
    two.leave()
    assert cache.get(LEADS) == one.name, "nobody leaves another's seat"
    one.leave()
    assert (two.held(), one.held()) == (True, False)


def test_while_the_cache_is_away_nobody_leads(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise RedisAway()

    settings.REDIS_URL = "redis://somewhere"
    one = Seat()
    assert one.held()
    with monkeypatch.context() as trouble:
        for name in ("add", "get", "delete"):
            trouble.setattr(cache, name, away)
        assert not one.held()
        one.leave()
    assert one.held()


def test_only_the_one_that_leads_sends_and_each_in_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now, sent = 1000.0, []
    monkeypatch.setattr("portal.beat.time.monotonic", lambda: now)
    monkeypatch.setattr(Scheduler, "producer", None)
    monkeypatch.setattr(Scheduler, "apply_entry", lambda self, entry, producer=None: sent.append((self, entry.name)))
    one, two = Scheduler(app=app), Scheduler(app=app)
    for _second in range(121):
        assert 0 <= one.tick() <= 5
        two.tick()
        now += 1
    assert {who for who, _name in sent} == {one}
    counts = {name: [each for _who, each in sent].count(name) for name in ("sweep", "reconcile", "purge projects")}
    assert counts == {"sweep": 24, "reconcile": 2, "purge projects": 1}
