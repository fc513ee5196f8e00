"""What becomes of instances is written once, in plain words; the same again and again is counted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from apps import events, evidence, observing
from apps.models import AppEnvironment, InstanceEnd, PlaceEvent
from apps.selectors import event_words
from backends.contract import EngineNotice, InstanceState, InstanceStatus, Reason, ReasonCode, ServiceRef
from backends.fake import FakeDriver, Mood
from tests.conftest import Cast

Code = PlaceEvent.Code
WEB = ServiceRef("e", "a", "web")
START = datetime(2026, 11, 21, 9, 12, tzinfo=UTC)


def ended(number: int = 4, *, instance: str = "one", minutes: float = 0, **more: Any) -> InstanceStatus:
    reason = Reason(ReasonCode.EXITED, {"service": "web", "exit_code": 1})
    plain: dict[str, Any] = {"state": InstanceState.FAILED, "wanted": False, "reason": reason, "exit_code": 1}
    at = START + timedelta(minutes=minutes)
    return InstanceStatus(id=instance, ref=WEB, number=number, revision="r", changed_at=at, **(plain | more))


def running(number: int = 4, *, instance: str = "next", minutes: float = 0) -> InstanceStatus:
    at = START + timedelta(minutes=minutes)
    return InstanceStatus(
        id=instance, ref=WEB, number=number, revision="r", state=InstanceState.RUNNING, wanted=True, started_at=at
    )


def note(place: AppEnvironment, *seen: InstanceStatus) -> bool:
    return events.note_changes(place, seen, {}, {})


def said(event: PlaceEvent) -> str:
    return event_words.told(event).sentence


def test_a_deployment_shows_as_one_event_for_all_its_instances(running: AppEnvironment) -> None:
    event = running.events.get()
    assert (event.code, event.count, event.number) == (Code.STARTED, 3, None)
    assert said(event) == "3 instances of web run."


def test_looking_again_tells_nothing_new(cast: Cast, running: AppEnvironment) -> None:
    before = list(running.events.values_list("count", "last_at"))
    observing.observe(cast.cluster)
    observing.observe(cast.cluster)
    assert list(running.events.values_list("count", "last_at")) == before


def test_a_crash_is_said_with_its_exit_code(place: AppEnvironment) -> None:
    assert note(place, ended())
    event = place.events.get()
    assert said(event) == "web 4 ended by itself with exit code 1."
    assert event_words.told(event).hint
    assert event_words.level_of(event) == "bad"


def test_the_same_crash_again_is_counted_and_not_listed(place: AppEnvironment) -> None:
    for minute in range(14):
        note(place, ended(instance=f"task-{minute}", minutes=minute))
        note(place, running(instance=f"next-{minute}", minutes=minute + 0.5))
    event = place.events.get()
    assert (event.count, event.first_at, event.last_at) == (14, START, START + timedelta(minutes=13))
    assert said(event) == "web 4 ended by itself 14 times since 09:12, last with exit code 1."


def test_the_same_instance_counts_once(place: AppEnvironment) -> None:
    note(place, ended())
    note(place, ended())
    assert place.events.get().count == 1


def test_another_instance_and_another_day_are_other_events(place: AppEnvironment) -> None:
    note(place, ended(), ended(3, instance="two"))
    note(place, ended(instance="three", minutes=60 * 24))
    assert sorted(place.events.values_list("number", "count")) == [(3, 1), (4, 1), (4, 1)]


def test_a_start_long_after_a_crash_is_news_again(place: AppEnvironment) -> None:
    note(place, ended())
    note(place, running(minutes=5))
    note(place, running(instance="later", minutes=60))
    assert set(place.events.values_list("code", flat=True)) == {Code.CRASHED, Code.STARTED}


@pytest.mark.parametrize("first", ["look", "notice"])
def test_too_much_memory_is_the_reason_whichever_tells_first(running: AppEnvironment, first: str) -> None:
    row = running.observed_instances.filter(number=1).get()
    at = timezone.now()
    reason = Reason(ReasonCode.OUT_OF_MEMORY, {"service": "web"})
    notice = EngineNotice(at, "instance", ref=WEB, instance=row.engine_id, reason=reason)
    seen = ended(1, instance=row.engine_id, exit_code=137, minutes=(at - START) / timedelta(minutes=1))
    for step in (first, "notice" if first == "look" else "look"):
        if step == "look":
            note(running, seen)
        else:
            events.note_notices([notice])
    event = running.events.get(code=Code.CRASHED)
    assert (event.count, event.exit_code) == (1, 137)
    assert said(event) == "web 1 used more memory than it may and was ended."


def test_what_does_not_start_and_what_waits_say_why(place: AppEnvironment) -> None:
    missing = Reason(ReasonCode.IMAGE_NOT_FOUND, {"service": "web", "image": "shop/web:9"})
    full = Reason(ReasonCode.NO_CAPACITY, {"service": "web"})
    note(
        place,
        ended(1, reason=missing, exit_code=None),
        ended(2, instance="two", reason=full, state=InstanceState.WAITING),
    )
    codes = dict(place.events.values_list("number", "code"))
    assert codes == {1: Code.NOT_STARTING, 2: Code.WAITING}
    assert "`shop/web:9` was not found" in said(place.events.get(number=1))
    assert said(place.events.get(number=2)) == "No host has room for another instance of web."


def test_every_sentence_can_be_said_in_both_languages(place: AppEnvironment) -> None:
    for language in ("en", "zh-hans"):
        with translation.override(language):
            for code in Code.values:
                for count in (1, 2):
                    event = PlaceEvent(
                        code=code, service="web", number=1, count=count, first_at=START, last_at=START, exit_code=3
                    )
                    assert "%(" not in said(event)
                    assert "web" in said(event)


def test_a_place_keeps_its_newest_events(place: AppEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_IN_PLACE", 5)
    for number in range(1, 9):
        note(place, ended(number, instance=f"task-{number}", minutes=number))
    assert set(place.events.values_list("number", flat=True)) == {4, 5, 6, 7, 8}


def test_old_events_and_ends_are_forgotten(place: AppEnvironment) -> None:
    note(place, ended())
    long_ago = timezone.now() - timedelta(days=15)
    PlaceEvent.objects.update(last_at=long_ago)
    InstanceEnd.objects.create(
        tenant=place.tenant,
        project=place.project,
        place=place,
        service="web",
        number=4,
        engine_id="one",
        ended_at=long_ago,
    )
    events.forget_old()
    evidence.forget_old()
    assert not place.events.exists()
    assert not place.ends.exists()


def test_the_last_lines_of_a_crash_are_kept(cast: Cast, running: AppEnvironment, driver: FakeDriver) -> None:
    PlaceEvent.objects.all().delete()
    driver.mood = Mood.CRASHING
    driver.status(driver.applied[-1])  # an instance of it crashes
    observing.observe(cast.cluster)
    event = running.events.filter(code=Code.CRASHED).first()
    assert event is not None
    assert evidence.keep_missing(cast.cluster, driver) == 1
    assert evidence.keep_missing(cast.cluster, driver) == 0
    event.refresh_from_db()
    assert event.end is not None
    assert "fatal: cannot go on" in [line["text"] for line in event.end.last_lines]
