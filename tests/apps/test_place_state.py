"""How a place stands, in words: one row of the table for each thing that can be seen of it. No database."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from apps.models import App, AppEnvironment, Environment, ObservedInstance, ObservedService, Release
from apps.selectors.reasons import failure_sentence
from apps.selectors.state import (
    PlaceState,
    instance_status,
    instance_word,
    operation_status,
    place_state,
    wanted_instances,
)
from backends.contract import ReasonCode
from backends.models import Cluster
from core.status import Status
from operations.models import Operation

SPECIFICATION = {"services": {"web": {"deploy": {"replicas": 3}}, "db": {}}}


def place(*, release: int | None = 2, cluster: str = Cluster.State.READY, **more: Any) -> AppEnvironment:
    environment = Environment(name="dev", cluster=Cluster(name="local", state=cluster))
    declared = Release(number=release, specification=SPECIFICATION) if release else None
    return AppEnvironment(app=App(name="hello"), environment=environment, release=declared, **more)


def seen(web: int, db: int = 1, *, phase: str = "converged", reason: Any = None, age: int = 0, wanted: int = 3) -> Any:
    at = timezone.now() - timedelta(seconds=age)
    return [
        ObservedService(service="web", wanted=wanted, running=web, phase=phase, reason=reason, seen_at=at),
        ObservedService(service="db", wanted=1, running=db, phase="converged", seen_at=at),
    ]


def nothing_left() -> Any:
    return seen(0, 0, wanted=0)


def operation(state: str = "running", *, kind: str = "deploy", failure: Any = None, cancel: bool = False) -> Operation:
    return Operation(state=state, params={"kind": kind}, failure=failure, cancel_requested=cancel)


def because(code: ReasonCode, **params: Any) -> dict[str, Any]:
    return {"code": str(code), "params": {"service": "web"} | params}


CRASHING = because(ReasonCode.CRASHING, exit_code=1, times=4)
NO_IMAGE = because(ReasonCode.IMAGE_NOT_FOUND, image="shop/web:9")
FAILED = operation("failed", failure=NO_IMAGE)

TABLE = [
    ("well", place(), partial(seen, 3), None, Status.RUNNING, "4 of 4 instances of release 2 run."),
    ("nothing yet", place(release=None), list, None, Status.EMPTY, "Nothing is deployed here yet."),
    ("first one failed", place(release=None), list, FAILED, Status.FAILED, "shop/web:9"),
    ("some missing", place(), partial(seen, 2), None, Status.DEGRADED, "3 of 4 instances of release 2 run."),
    (
        "crashing",
        place(),
        partial(seen, 2, phase="failing", reason=CRASHING),
        None,
        Status.CRASHING,
        "keeps ending: 4 times",
    ),
    (
        "masked crash",
        place(),
        partial(seen, 3, phase="failing", reason=CRASHING),
        None,
        Status.CRASHING,
        "keeps ending",
    ),
    ("crashed before", place(), partial(seen, 3, phase="progressing", reason=CRASHING), None, Status.RUNNING, "4 of 4"),
    (
        "no image",
        place(),
        partial(seen, 0, phase="failing", reason=NO_IMAGE),
        None,
        Status.NOT_STARTING,
        "was not found",
    ),
    ("not there", place(), list, None, Status.MISSING, "Release 2 should run here"),
    (
        "another number",
        place(),
        partial(seen, 2, wanted=2),
        None,
        Status.DRIFTED,
        "3 instances run, but 4 are declared.",
    ),
    (
        "changed by hand",
        place(),
        partial(seen, 3, phase="outdated"),
        None,
        Status.DRIFTED,
        "changed on the cluster itself; release 2 is declared.",
    ),
    ("away", place(cluster="away"), partial(seen, 3), None, Status.UNKNOWN, "local does not answer; 4 of 4 ran"),
    ("not looked at", place(), partial(seen, 3, age=300), None, Status.UNKNOWN, "Nobody looked at local of late"),
    ("stopped", place(stopped=True), nothing_left, None, Status.STOPPED, "release 2 stays ready."),
    ("scaled to none", place(instances={"web": 0, "db": 0}), nothing_left, None, Status.STOPPED, "no instances"),
    ("first deploy", place(), list, operation(), Status.STARTING, "Release 2 is being rolled out; 0 of 4"),
    ("update", place(), partial(seen, 3), operation(), Status.UPDATING, "Release 2 is being rolled out; 4 of 4"),
    (
        "stopping",
        place(stopped=True),
        partial(seen, 2),
        operation(kind="stop"),
        Status.STOPPING,
        "3 instances are still",
    ),
    (
        "roll back",
        place(),
        partial(seen, 3),
        operation(kind="rollback"),
        Status.ROLLING_BACK,
        "Release 2 is being rolled out",
    ),
    (
        "going back",
        place(),
        partial(seen, 1),
        operation(failure=NO_IMAGE),
        Status.ROLLING_BACK,
        "Going back to what ran",
    ),
    ("last failed", place(), partial(seen, 3), FAILED, Status.RUNNING, "4 of 4 instances"),
]


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_place_state(row: tuple[str, AppEnvironment, Callable[[], Any], Operation | None, Status, str]) -> None:
    _name, where, services, latest, status, said = row
    state = place_state(where, services(), [], latest)
    assert state.status is status
    assert said in state.sentence


def test_what_needs_attention() -> None:
    def needs(*args: Any) -> bool:
        return place_state(*args).needs_attention

    assert not needs(place(), seen(3), [], None)
    assert not needs(place(), seen(3), [], operation())
    assert needs(place(), seen(3), [], FAILED)
    assert needs(place(cluster="away"), seen(3), [], None)
    assert needs(place(), seen(1), [], None)


def test_old_numbers_say_since_when() -> None:
    state = place_state(place(cluster="away"), seen(3, age=120), [], None)
    assert state.stale_since is not None
    assert timezone.now() - state.stale_since > timedelta(seconds=100)


def test_few_of_many_are_counted() -> None:
    state: PlaceState = place_state(place(), seen(1, phase="failing", reason=NO_IMAGE), [], None)
    assert state.word == "2 of 4: not starting"
    assert state.count == "2/4"
    assert state.hint


def test_wanted_instances() -> None:
    assert wanted_instances(place()) == {"web": 3, "db": 1}
    assert wanted_instances(place(instances={"web": 5})) == {"web": 5, "db": 1}
    assert wanted_instances(place(stopped=True)) == {"web": 0, "db": 0}
    assert wanted_instances(place(release=None)) == {}


@pytest.mark.parametrize(
    ("row", "status"),
    [
        (operation("pending"), Status.PENDING),
        (operation("pending", cancel=True), Status.CANCELLING),
        (operation(), Status.DOING),
        (operation(cancel=True), Status.CANCELLING),
        (operation(failure={"code": "cancelled"}), Status.CANCELLING),
        (operation(failure=NO_IMAGE), Status.ROLLING_BACK),
        (operation("succeeded"), Status.SUCCEEDED),
        (operation("failed", failure=NO_IMAGE), Status.FAILED),
        (operation("needs_attention"), Status.NEEDS_ATTENTION),
    ],
)
def test_operation_status(row: Operation, status: Status) -> None:
    assert operation_status(row) is status


def test_instances() -> None:
    ended = ObservedInstance(state="failed", exit_code=3, reason=because(ReasonCode.EXITED, exit_code=3))
    assert (instance_status(ended), instance_word(ended)) == (Status.CRASHING, "ended with code 3")
    assert instance_status(ObservedInstance(state="running")) is Status.RUNNING
    assert instance_word(ObservedInstance(state="preparing")) == "fetching its image"
    assert instance_status(ObservedInstance(state="of a newer version")) is Status.UNKNOWN


def test_sentences_of_codes() -> None:
    assert "shop/web:9" in failure_sentence(NO_IMAGE).sentence
    assert failure_sentence(NO_IMAGE).hint
    assert failure_sentence({"code": "cancelled", "params": {"person": "rita"}}).sentence == "Cancelled by rita"
    assert failure_sentence(None) == ("", "")
    assert "no words for" in failure_sentence({"code": "never heard of", "params": {}}).sentence
