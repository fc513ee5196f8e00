"""Where a service stands on the way to one revision. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from backends.contract import InstanceState, Phase, Reason, ReasonCode, ServiceRef, ServiceStatus
from backends.kubernetes import names
from backends.kubernetes.errors import creation_reason
from backends.kubernetes.observe import Run, condition

Raw = Mapping[str, Any]

LOOP_FROM = 2  # ends of one number: from here on it "keeps ending"
CRASHES_TOLERATED = 3
STEADY_SECONDS = 60.0  # after so many crashes, an instance counts as there once it has lasted this long


@dataclass(frozen=True)
class Held:
    """A workload as the engine holds it."""

    revision: str
    instances: int
    checked: bool
    monitor_seconds: float
    image_name: str
    seen: bool  # the engine has taken note of exactly this
    refused: str  # why it may not make instances
    late: bool  # the engine sees no progress any more, and goes on trying
    made: int  # instances, in whatever state, as the engine would make them now
    edited: bool  # somebody else has changed what we said

    @property
    def asked(self) -> tuple[str, int]:
        return self.revision, self.instances


def held(workload: Raw | None) -> Held | None:
    if workload is None:
        return None
    spec, status = workload["spec"], workload.get("status") or {}
    container = spec["template"]["spec"]["containers"][0]
    told = {**workload, "status": status}
    failure, progress = condition(told, "ReplicaFailure"), condition(told, "Progressing")
    return Held(
        revision=names.note(workload, names.REVISION),
        instances=int(spec.get("replicas") or 0),
        checked="readinessProbe" in container,
        monitor_seconds=float(names.note(workload, names.MONITOR) or 0),
        image_name=names.note(spec["template"], names.IMAGE),
        seen=status.get("observedGeneration", 0) >= workload["metadata"].get("generation", 0),
        refused=str(failure.get("message", "")) if failure.get("status") == "True" else "",
        late=progress.get("reason") == "ProgressDeadlineExceeded",
        made=int(status.get("updatedReplicas") or 0),
        edited=names.edited(workload),
    )


def service_status(
    ref: ServiceRef,
    workload: Raw | None,
    found: Sequence[Run],
    *,
    now: datetime,
    asked: tuple[str, int] | None = None,
) -> ServiceStatus:
    """`asked`: the revision and number the question is about; None: about what the engine holds."""
    current = held(workload)
    revision, wanted = asked or (current.asked if current else ("", 0))
    phase, reason = _phase(ref, current, found, asked=(revision, wanted), now=now)
    instances = [run.instance for run in found]
    held_now = current.revision if current else None
    return ServiceStatus.counted(ref, phase, instances, asked=(revision, wanted), held=held_now, reason=reason)


def _phase(
    ref: ServiceRef, current: Held | None, found: Sequence[Run], *, asked: tuple[str, int], now: datetime
) -> tuple[Phase, Reason | None]:
    if current is None:
        return Phase.ABSENT, None
    if current.asked != asked or current.edited:
        return Phase.OUTDATED, None
    if not current.seen:
        return Phase.PROGRESSING, None
    mine = [run for run in found if run.instance.revision == current.revision]
    if _settled(current, found, mine, now=now):
        return Phase.CONVERGED, None
    reason = creation_reason(current.refused, service=ref.service) or _fault(mine)
    if reason is None and current.late:
        ready = sum(run.instance.state == InstanceState.RUNNING for run in mine)
        params = {"service": ref.service, "ready": ready, "wanted": current.instances}
        reason = Reason(ReasonCode.NOT_READY_IN_TIME, params)
    return (Phase.FAILING, reason) if reason else (Phase.PROGRESSING, None)


def _settled(current: Held, found: Sequence[Run], mine: Sequence[Run], *, now: datetime) -> bool:
    """Exactly the wanted instances are there, and none has only just come back from a crash.

    Those of another revision that are on their way out serve nobody any more; only of a service that is to stop they
    are waited for.
    """
    staying = [run for run in found if run.alive and run.instance.state != InstanceState.STOPPING]
    ready = [run for run in mine if run.instance.state == InstanceState.RUNNING and run.instance.wanted]
    if not len(ready) == len(staying) == current.made == current.instances:
        return False
    if not current.instances and any(run.alive for run in found):
        return False
    crashes = _crashes(mine)
    return all(_lasted(run, current, crashes, now=now) for run in ready)


def _lasted(run: Run, current: Held, crashes: Mapping[str, int], *, now: datetime) -> bool:
    """Without a health check only time tells whether an instance that started also stays."""
    times = crashes.get(run.pod, 0)
    seconds = 0.0 if current.checked and not times else current.monitor_seconds
    if times >= CRASHES_TOLERATED:
        seconds = max(seconds, STEADY_SECONDS)
    started = run.instance.started_at
    return started is not None and now - started >= timedelta(seconds=seconds)


def _crashes(mine: Sequence[Run]) -> Counter[str]:
    return Counter(run.pod for run in mine if run.own_end)


def _fault(mine: Sequence[Run]) -> Reason | None:
    """What to say of a revision: its newest failure, or what its instances wait for."""
    failed = [run for run in mine if run.own_end and run.instance.reason]
    if failed:
        newest = max(failed, key=_changed)
        return _as_crash_loop(newest, max(_crashes(mine).values(), default=0))
    return next((run.instance.reason for run in mine if run.instance.wanted and run.instance.reason), None)


def _changed(run: Run) -> float:
    return run.instance.changed_at.timestamp() if run.instance.changed_at else 0.0


def _as_crash_loop(run: Run, times: int) -> Reason | None:
    reason = run.instance.reason
    if reason is None or reason.code != ReasonCode.EXITED or times < LOOP_FROM:
        return reason
    return Reason(ReasonCode.CRASHING, {**reason.params, "times": times})
