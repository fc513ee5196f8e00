"""The collector over a fake engine: rates, gaps, limits, restarts of its own, and what goes when."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from apps.models import AppEnvironment, ObservedInstance
from apps.observing import observe
from backends.contract import UsageCount
from backends.fake import FakeDriver, Mood
from backends.models import Cluster
from core.rows import new_id
from observe.collecting import Collector
from observe.keeping import Book, rate
from observe.models import UsageChunk, UsageOverflow, UsageSeries
from observe.points import COARSE, FINE, Point, unpacked
from observe.tasks import forget
from tests.conftest import Cast
from tests.observe.conftest import SECOND, Meter

NOON = 1_800_000_000 // 3600 * 3600


def points(service: str, number: int, step: int) -> list[tuple[int, Point]]:
    rows = UsageChunk.objects.filter(series__service=service, series__number=number, step=step).order_by("starts")
    return [pair for row in rows for pair in unpacked(bytes(row.points), starts=row.starts, step=row.step)]


@pytest.fixture
def meter(cast: Cast, running: AppEnvironment) -> Meter:
    observe(cast.cluster)
    return Meter(Book(cast.cluster), NOON)


def test_a_rate_is_between_two_readings() -> None:
    before = UsageCount(0, "one", 1 * SECOND, 5 << 20, 100, 200)
    now = UsageCount(10 * SECOND, "one", 6 * SECOND, 6 << 20, 1100, 200)
    assert rate(before, now) == Point(500, 500, 6 << 20, 100, 0)


@pytest.mark.parametrize(
    ("before", "now"), [(None, (0, 1)), ((0, 5), (60, 9)), ((0, 5), (10, 3)), ((10, 5), (10, 5)), ((10, 5), (5, 6))]
)
def test_nothing_to_compare_with_is_no_zero(before: tuple[int, int] | None, now: tuple[int, int]) -> None:
    first = UsageCount(before[0] * SECOND, "one", before[1], 7, 0, 0) if before else None
    second = UsageCount(now[0] * SECOND, "one", now[1], 7, 0, 0)
    assert rate(first, second) == Point(memory=7)


def test_numbers_are_kept_for_each_instance(meter: Meter) -> None:
    meter.tick(steps=7)
    for number in (1, 2, 3):
        first, *rest = points("web", number, FINE.step)
        assert first == (NOON, Point(memory=64 << 20))
        assert [at for at, _point in rest] == [NOON + 10 * n for n in range(1, 7)]
        assert {point for _at, point in rest} == {Point(250, 250, 64 << 20, 1000, 2000)}
        assert points("web", number, COARSE.step)[0] == (NOON, Point(250, 250, 64 << 20, 1000, 2000))


def test_the_page_s_columns_are_written(meter: Meter) -> None:
    meter.tick(steps=2)
    row = ObservedInstance.objects.filter(service="web", number=2).get()
    assert (row.cpu_millicores, row.memory_bytes) == (250, 64 << 20)
    assert row.usage_at == datetime.fromtimestamp(NOON + 10, tz=UTC)


def test_a_look_of_the_observer_leaves_them(meter: Meter, cast: Cast) -> None:
    meter.tick(steps=2)
    observe(cast.cluster)
    assert ObservedInstance.objects.filter(cpu_millicores=250).count() == 3


def test_a_gap_stays_a_gap(meter: Meter) -> None:
    meter.tick(steps=3)
    meter.at += 120  # the engine was away
    meter.tick(steps=2)
    kept = dict(points("web", 1, FINE.step))
    assert NOON + 60 not in kept
    assert kept[NOON + 150].cpu is None
    assert kept[NOON + 160].cpu == 250


def test_a_minute_has_its_average_and_its_highest(meter: Meter) -> None:
    meter.tick()
    meter.tick(cpu=100, steps=2)
    meter.tick(cpu=800, memory=128 << 20)
    meter.tick(cpu=100, steps=2)
    ((at, point),) = points("web", 1, COARSE.step)
    assert at == NOON
    assert point == Point(cpu=240, cpu_peak=800, memory=128 << 20, received=1000, sent=2000)


def test_a_collector_that_was_killed_goes_on(meter: Meter, cast: Cast) -> None:
    meter.tick(steps=6)
    again = Meter(Book(cast.cluster), NOON)
    again.at, again.cpu_ns = meter.at, meter.cpu_ns
    again.tick(steps=3)
    kept = points("web", 1, FINE.step)
    assert [at for at, _point in kept] == [NOON + 10 * n for n in range(9)]
    assert kept[6][1].cpu is None
    assert UsageSeries.objects.count() == 3


def test_an_instance_that_ends_leaves_its_last_numbers(meter: Meter, cast: Cast, driver: FakeDriver) -> None:
    meter.tick(steps=8)
    ref = next(iter(driver._services))
    driver.crash(ref, 2, exit_code=137)
    observe(cast.cluster)
    meter.tick()
    ended = UsageSeries.objects.get(number=2, ended_at__isnull=False)
    assert ended.failed
    assert ended.exit_code == 137
    assert ended.reason["code"] == "exited"
    assert len(points("web", 2, FINE.step)) == 8
    assert [at for at, _point in points("web", 2, COARSE.step)] == [NOON, NOON + 60]


def test_rows_do_not_grow(meter: Meter) -> None:
    """Three days of every ten seconds would be 26 thousand steps: only the first of each chunk is taken here."""
    for _chunk in range(3 * FINE.slots):
        meter.tick()
        meter.at += FINE.seconds - FINE.step
    for _chunk in range(2 * COARSE.slots):
        meter.tick()
        meter.at += COARSE.seconds - FINE.step
    for series in UsageSeries.objects.all():
        assert series.chunks.filter(step=FINE.step).count() <= FINE.slots
        assert series.chunks.filter(step=COARSE.step).count() == COARSE.slots


def test_a_tenant_s_limit_lets_the_oldest_ended_go_first(meter: Meter, cast: Cast, settings: Any) -> None:
    settings.METRICS_SERIES_PER_TENANT = 4
    meter.tick()
    first = UsageSeries.objects.order_by("number").first()
    assert first is not None
    row = ObservedInstance.objects.get(number=1)
    for name in ("two", "three"):
        row.engine_id, row.id = name, new_id()
        ObservedInstance.objects.filter(number=1).delete()
        row.save(force_insert=True)
        meter.tick()
    assert UsageSeries.objects.filter(pk=first.pk).count() == 0
    assert UsageSeries.objects.count() == 4
    assert UsageOverflow.objects.get(tenant=cast.acme).forgotten == 1


def test_what_is_over_the_limit_is_left_out_and_said(meter: Meter, cast: Cast, settings: Any) -> None:
    settings.METRICS_SERIES_PER_TENANT = 2
    meter.tick(steps=2)
    assert UsageSeries.objects.count() == 2
    told = UsageOverflow.objects.get(tenant=cast.acme)
    assert told.left_out == 1
    assert told.left_out_at is not None
    assert timezone.now() - told.left_out_at < timedelta(minutes=1)


def test_old_series_and_chunks_are_forgotten(meter: Meter) -> None:
    meter.tick(steps=2)
    fresh, old, ended = UsageSeries.objects.order_by("number")
    now = int(time.time())
    UsageChunk.objects.filter(series=fresh).update(starts=now - now % 300)
    UsageSeries.objects.filter(pk=old.pk).update(ended_at=timezone.now() - timedelta(days=2, minutes=5))
    UsageSeries.objects.filter(pk=ended.pk).update(ended_at=timezone.now() - timedelta(hours=5))
    UsageChunk.objects.filter(series=ended, step=FINE.step).update(starts=now - 5 * 3600)
    forget()
    assert set(UsageSeries.objects.values_list("pk", flat=True)) == {fresh.pk, ended.pk}
    assert fresh.chunks.count() == 1
    assert ended.chunks.filter(step=FINE.step).count() == 0


@pytest.mark.django_db(transaction=True)
async def test_an_engine_that_is_away_leaves_a_gap_and_harms_nobody(
    cast: Cast, running: AppEnvironment, driver: FakeDriver
) -> None:
    await sync_to_async(observe)(cast.cluster)
    collector = Collector()
    await collector.collect(NOON)
    driver.mood = Mood.AWAY
    await collector.collect(NOON + 10)
    driver.mood = Mood.WELL
    await collector.collect(NOON + 20)
    kept = await sync_to_async(points)("web", 1, FINE.step)
    assert [at for at, _point in kept] == [NOON, NOON + 20]
    assert await Cluster.objects.acount() == 1
