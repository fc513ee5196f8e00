"""Where a service stands, case by case, from what real engines told in each."""

from typing import Any

import pytest

from backends.contract import Phase, ReasonCode, ServiceSpec, ServiceStatus
from backends.swarm.observe import host_table, runs
from backends.swarm.progress import service_status
from tests.backends.raw import NOW, REF, failed, node, service, spec, task

OLD, NEW = spec("1"), spec("2")


def look(held: dict[str, Any] | None, tasks: list[dict[str, Any]], asked: ServiceSpec = OLD) -> ServiceStatus:
    found = runs(tasks, hosts=host_table([node()]))
    return service_status(REF, held, found, now=NOW, asked=(asked.revision, asked.instances))


def pair(wanted: ServiceSpec, **more: Any) -> list[dict[str, Any]]:
    return [task(wanted, 1, **more), task(wanted, 2, **more)]


def test_nothing_there() -> None:
    assert look(None, []).phase == Phase.ABSENT


def test_all_there() -> None:
    status = look(service(OLD), pair(OLD))
    assert (status.phase, status.ready, status.running, status.wanted) == (Phase.CONVERGED, 2, 2, 2)


def test_another_revision_or_number_is_outdated() -> None:
    assert look(service(OLD), pair(OLD), NEW).phase == Phase.OUTDATED
    assert look(service(OLD), pair(OLD), spec("1", instances=3)).phase == Phase.OUTDATED


def test_an_update_that_has_just_begun_has_no_state_yet() -> None:
    status = look(service(NEW, attempt="2"), pair(OLD), NEW)
    assert (status.phase, status.ready, status.running) == (Phase.PROGRESSING, 0, 2)


def test_while_the_engine_watches_the_new_ones_it_is_not_done() -> None:
    held = service(NEW, attempt="2", update="updating")
    assert look(held, pair(NEW, attempt="2"), NEW).phase == Phase.PROGRESSING
    held = service(NEW, attempt="2", update="completed")
    assert look(held, pair(NEW, attempt="2"), NEW).phase == Phase.CONVERGED


def test_an_old_instance_that_still_ends_is_one_too_many() -> None:
    ending = task(OLD, 1, desired="shutdown")
    held = service(NEW, attempt="2", update="completed")
    assert look(held, [*pair(NEW, attempt="2"), ending], NEW).phase == Phase.PROGRESSING


def test_a_first_create_that_fails_says_why_though_the_engine_has_no_state_for_it() -> None:
    status = look(service(OLD), [failed(OLD, code=3), task(OLD, 1, "ready", desired="ready")])
    assert status.phase == Phase.FAILING
    assert status.reason is not None
    assert (status.reason.code, status.reason.params["exit_code"]) == (ReasonCode.EXITED, 3)


def test_ending_again_and_again_is_crashing() -> None:
    status = look(service(OLD), [failed(OLD, ago=9), failed(OLD, ago=6), failed(OLD, ago=3), failed(OLD, 2, ago=1)])
    assert status.reason is not None
    assert (status.reason.code, status.reason.params["times"]) == (ReasonCode.CRASHING, 3)


def test_an_instance_that_waits_for_room_says_so() -> None:
    waiting = task(OLD, 2, "pending", err="no suitable node (insufficient resources on 1 node)")
    status = look(service(OLD), [task(OLD, 1), waiting])
    assert status.phase == Phase.FAILING
    assert status.reason is not None
    assert status.reason.code == ReasonCode.NO_CAPACITY


def test_without_a_check_an_instance_has_to_last_as_long_as_is_watched() -> None:
    bare = spec(checked=False)
    assert look(service(bare), pair(bare, ago=2), bare).phase == Phase.PROGRESSING
    assert look(service(bare), pair(bare, ago=6), bare).phase == Phase.CONVERGED
    assert look(service(OLD), pair(OLD, ago=1)).phase == Phase.CONVERGED


@pytest.mark.parametrize(("ago", "phase"), [(20, Phase.FAILING), (70, Phase.CONVERGED)])
def test_after_many_crashes_an_instance_has_to_last_a_minute(ago: float, phase: Phase) -> None:
    crashes = [failed(OLD, ago=ago + n) for n in (1, 5, 9)]
    assert look(service(OLD), [*pair(OLD, ago=ago), *crashes]).phase == phase


@pytest.mark.parametrize(
    ("update", "phase"),
    [
        ("rollback_started", Phase.FAILING),
        ("rollback_completed", Phase.ROLLED_BACK),
        ("rollback_paused", Phase.ROLLED_BACK),
    ],
)
def test_gone_back_by_itself(update: str, phase: Phase) -> None:
    status = look(service(OLD, update=update), [*pair(OLD), failed(NEW, attempt="2")], NEW)
    assert status.phase == phase
    assert status.reason is not None
    assert status.reason.code == ReasonCode.EXITED
    assert (status.ready, status.running, status.revision) == (0, 2, OLD.revision)


def test_a_way_back_that_failed_too_is_no_rest() -> None:
    tasks = [task(OLD, 1), failed(NEW, 2, attempt="2")]
    assert look(service(OLD, update="rollback_paused"), tasks, NEW).phase == Phase.FAILING


def test_what_was_gone_back_from_without_a_reason_is_still_said() -> None:
    ended = task(NEW, 1, "shutdown", desired="shutdown", attempt="2")
    status = look(service(OLD, update="rollback_completed"), [*pair(OLD), ended], NEW)
    assert status.reason is not None
    assert status.reason.code == ReasonCode.UPDATE_ROLLED_BACK


def test_an_earlier_attempt_is_not_held_against_a_retry() -> None:
    before = [failed(NEW, attempt="2", ago=40), failed(NEW, attempt="2", ago=30), failed(NEW, attempt="2", ago=20)]
    held = service(NEW, attempt="3", update="updating")
    status = look(held, [*before, *pair(NEW, attempt="3", ago=1)], NEW)
    assert (status.phase, status.reason) == (Phase.PROGRESSING, None)
    held = service(NEW, attempt="3", update="completed")
    assert look(held, [*before, *pair(NEW, attempt="3", ago=1)], NEW).phase == Phase.CONVERGED


def test_what_the_engine_holds_is_its_own_question() -> None:
    found = runs(pair(OLD), hosts=host_table([node()]))
    status = service_status(REF, service(OLD), found, now=NOW)
    assert (status.phase, status.wanted, status.revision) == (Phase.CONVERGED, 2, OLD.revision)


def test_none_wanted_and_none_there() -> None:
    none = spec(instances=0)
    assert look(service(none), [], none).phase == Phase.CONVERGED
    assert look(service(none), [task(OLD, desired="shutdown")], none).phase == Phase.PROGRESSING
