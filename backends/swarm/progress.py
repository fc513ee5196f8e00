"""Where a service stands on the way to one revision. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from backends.contract import InstanceState, Phase, Reason, ReasonCode, ServiceRef, ServiceStatus
from backends.swarm import manifests
from backends.swarm.observe import Run, container_spec

Raw = Mapping[str, Any]

LOOP_FROM = 2  # ends of one number, within what the engine remembers: from here on it "keeps ending"
CRASHES_TOLERATED = 3
STEADY_SECONDS = 60.0  # after so many crashes, an instance counts as there once it has lasted this long


@dataclass(frozen=True)
class Held:
    """A service as the engine holds it, or one of the two specs it keeps."""

    revision: str
    attempt: str
    instances: int
    checked: bool
    monitor_seconds: float


def held(spec: Raw | None) -> Held | None:
    if not spec:
        return None
    container = container_spec(spec["TaskTemplate"])
    test = (container.get("Healthcheck") or {}).get("Test") or ["NONE"]
    return Held(
        revision=(spec.get("Labels") or {}).get(manifests.REVISION, ""),
        attempt=(container.get("Labels") or {}).get(manifests.ATTEMPT, ""),
        instances=((spec.get("Mode") or {}).get("Replicated") or {}).get("Replicas", 0),
        checked=test[0] != "NONE",
        monitor_seconds=(spec.get("UpdateConfig") or {}).get("Monitor", 0) / 1e9,
    )


def service_status(
    ref: ServiceRef, service: Raw | None, found: Sequence[Run], *, now: datetime, asked: tuple[str, int] | None = None
) -> ServiceStatus:
    """`asked`: the revision and number the question is about; None: about what the engine holds."""
    current = held(service["Spec"]) if service else None
    own = (current.revision, current.instances) if current else ("", 0)
    revision, wanted = asked or own
    phase, reason = _phase(service, current, found, revision=revision, wanted=wanted, now=now)
    instances = [run.instance for run in found]
    held_now = current.revision if current else None
    return ServiceStatus.counted(ref, phase, instances, asked=(revision, wanted), held=held_now, reason=reason)


def _phase(
    service: Raw | None, current: Held | None, found: Sequence[Run], *, revision: str, wanted: int, now: datetime
) -> tuple[Phase, Reason | None]:
    if service is None or current is None:
        return Phase.ABSENT, None
    update = (service.get("UpdateStatus") or {}).get("State", "")
    if current.revision != revision:
        tried = [run for run in found if run.instance.revision == revision]
        if tried and update.startswith("rollback_"):
            return _taken_back(current, tried, found, update=update)
        return Phase.OUTDATED, None
    if current.instances != wanted:
        return Phase.OUTDATED, None
    if update not in {"updating", "rollback_started"} and _settled(current, found, now=now):
        return Phase.CONVERGED, None
    reason = _fault([run for run in found if run.attempt == current.attempt])
    return (Phase.FAILING, reason) if reason else (Phase.PROGRESSING, None)


def _taken_back(
    current: Held, tried: Sequence[Run], found: Sequence[Run], *, update: str
) -> tuple[Phase, Reason | None]:
    """The engine went back by itself. It forgets the spec it gave up, but not the instances, and those tell why."""
    newest = max(tried, key=_changed)
    reason = _fault([run for run in tried if run.attempt == newest.attempt])
    reason = reason or Reason(ReasonCode.UPDATE_ROLLED_BACK, {"service": newest.instance.ref.service})
    serving = sum(run.instance.state == InstanceState.RUNNING and run.attempt == current.attempt for run in found)
    done = update == "rollback_completed" or (update == "rollback_paused" and serving >= current.instances)
    return (Phase.ROLLED_BACK if done else Phase.FAILING), reason


def _changed(run: Run) -> float:
    return run.instance.changed_at.timestamp() if run.instance.changed_at else 0.0


def _settled(current: Held, found: Sequence[Run], *, now: datetime) -> bool:
    """Exactly the wanted instances are there, and none has only just come back from a crash."""
    alive = [run for run in found if run.alive]
    ready = [run for run in alive if run.instance.state == InstanceState.RUNNING and run.attempt == current.attempt]
    if len(ready) != current.instances or len(alive) != current.instances:
        return False
    crashes = _crashes([run for run in found if run.attempt == current.attempt])
    return all(_lasted(run, current, crashes, now=now) for run in ready)


def _lasted(run: Run, current: Held, crashes: Mapping[int, int], *, now: datetime) -> bool:
    """Without a health check only time tells whether an instance that started also stays."""
    times = crashes.get(run.instance.number, 0)
    seconds = 0.0 if current.checked and not times else current.monitor_seconds
    if times >= CRASHES_TOLERATED:
        seconds = max(seconds, STEADY_SECONDS)
    started = run.instance.started_at
    return started is not None and now - started >= timedelta(seconds=seconds)


def _crashes(attempt: Sequence[Run]) -> Counter[int]:
    return Counter(run.instance.number for run in attempt if run.own_end)


def _fault(attempt: Sequence[Run]) -> Reason | None:
    """What to say of an attempt: its newest failure, or what its instances wait for."""
    failed = [run for run in attempt if _failed(run)]
    if failed:
        newest = max(failed, key=_changed)
        return _as_crash_loop(newest, max(_crashes(attempt).values(), default=0))
    return next((run.instance.reason for run in attempt if run.alive and run.instance.reason), None)


def _failed(run: Run) -> bool:
    return run.own_end or (run.instance.state == InstanceState.FAILED and run.instance.wanted)


def _as_crash_loop(run: Run, times: int) -> Reason | None:
    reason = run.instance.reason
    if reason is None or reason.code != ReasonCode.EXITED or times < LOOP_FROM:
        return reason
    return Reason(ReasonCode.CRASHING, {**reason.params, "times": times})
