"""From the events of an operation to its steps with their time, and to a story in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.models import Deployment, PlaceEvent
from apps.selectors import event_words
from apps.selectors.reasons import failure_sentence
from apps.specification import layers, stored
from core.status import Status
from operations.models import Operation, OperationEvent

SERVICE = "service:"
PREPARE, REMOVE = "prepare", "remove"
SETTLED = frozenset({"succeeded", "failed", "cancelled", "needs_attention"})
_KINDS = {"ok": "ok", "warn": "warn", "bad": "bad"}


@dataclass(frozen=True)
class StepLine:
    """One line of `{% step_list %}`; `took_seconds` None: not begun, or nobody measured it."""

    status: Status
    title: str
    detail: str = ""
    took_seconds: float | None = None


@dataclass(frozen=True)
class Happened:
    """One line of the story, in words. `kind` is a glyph; empty for what is only news."""

    text: str
    at: datetime
    kind: str = ""
    hint: str = ""


def happened(event: OperationEvent) -> Happened:
    told = failure_sentence({"code": event.code, "params": event.params})
    return Happened(told.sentence, event.at, _KINDS.get(event.level, ""), told.hint)


def became(event: PlaceEvent) -> Happened:
    """What became of an instance."""
    told, kind = event_words.told(event), event_words.kind_of(event)
    return Happened(told.sentence, event.last_at, kind.value if kind else "")


def steps_of(deployment: Deployment, events: Sequence[OperationEvent]) -> list[StepLine]:
    """The steps that were, are and will be taken. `events` oldest first."""
    operation = deployment.operation
    failed_at = next((place for place, one in enumerate(events) if _is_failure(one, operation)), None)
    forward = events[: len(events) if failed_at is None else failed_at + 1]
    track = _Track.of(forward, over=not operation.active or failed_at is not None)
    planned = _planned(deployment)
    reached = max((place for place, (key, _title) in enumerate(planned) if key in track.spent), default=-1)
    lines = [_line(planned, place, track, reached, operation) for place in range(len(planned))]
    if failed_at is not None:
        lines.append(_way_back(deployment, events[failed_at:]))
    return lines


def _is_failure(event: OperationEvent, operation: Operation) -> bool:
    return bool(operation.failure) and event.level == "bad" and event.code == (operation.failure or {}).get("code")


def _planned(deployment: Deployment) -> list[tuple[str, str]]:
    steps = [("", _("Accepted"))]
    if deployment.release is None:
        return [*steps, (REMOVE, _("Take everything out"))]
    specification = stored(deployment.release.specification)
    names = [name for layer in layers(specification) for name in layer]
    title = _("Stop %(service)s") if deployment.kind == Deployment.Kind.STOP else _("Bring up %(service)s")
    return [
        *steps,
        (PREPARE, _("Prepare images and network")),
        *((SERVICE + name, title % {"service": name}) for name in names),
    ]


@dataclass
class _Track:
    """How long each step took, which one was the last, and the last thing said in it."""

    spent: dict[str, timedelta] = field(default_factory=dict)
    said: dict[str, OperationEvent] = field(default_factory=dict)
    last: str = ""

    @classmethod
    def of(cls, events: Iterable[OperationEvent], *, over: bool) -> "_Track":
        track = cls()
        since: datetime | None = None
        for event in events:
            if since is not None:
                track.add(track.last, event.at - since)
            if event.code not in SETTLED:
                track.last = event.step
                track.add(event.step, timedelta())
                track.said[event.step] = event
            since = event.at
        if not over and since is not None:
            track.add(track.last, timezone.now() - since)
        return track

    def add(self, step: str, time: timedelta) -> None:
        self.spent[step] = self.spent.get(step, timedelta()) + max(time, timedelta())


def _line(
    planned: Sequence[tuple[str, str]], place: int, track: _Track, reached: int, operation: Operation
) -> StepLine:
    key, title = planned[place]
    spent = track.spent.get(key)
    took = spent.total_seconds() if spent is not None else None
    status = _status(key, place, track, reached, operation)
    return StepLine(status, title, _detail(key, track, done=status is Status.DONE), took)


def _status(key: str, place: int, track: _Track, reached: int, operation: Operation) -> Status:
    if operation.state == Operation.State.SUCCEEDED or place < reached:
        return Status.DONE
    if key != track.last or place > reached:
        return Status.PENDING if operation.active and operation.failure is None else Status.CANCELLED
    if operation.failure is not None:
        return Status.CANCELLED if operation.failure.get("code") == "cancelled" else Status.FAILED
    return Status.DOING if operation.active else Status.FAILED


def _detail(key: str, track: _Track, *, done: bool) -> str:
    """How far a service has come, or what holds the step up."""
    event = track.said.get(key)
    if event is None or not key:
        return ""
    if event.code == "instances_ready" and done:
        return str(_("%(wanted)s of %(wanted)s ready") % event.params)
    if event.code == "instances_ready":
        return str(_("%(ready)s of %(wanted)s ready") % event.params)
    return failure_sentence({"code": event.code, "params": event.params}).sentence if event.level != "info" else ""


def _way_back(deployment: Deployment, events: Sequence[OperationEvent]) -> StepLine:
    """`events` begin with the failure."""
    operation = deployment.operation
    if deployment.replaced is None:
        title = _("Take out what was begun")
    else:
        title = _("Go back to release %(number)s") % {"number": deployment.replaced.number}
    end = operation.ended_at or timezone.now()
    steps = [event for event in events[1:] if event.code == "instances_ready"]
    detail = _("%(ready)s of %(wanted)s ready") % steps[-1].params if steps else ""
    status = Status.ROLLING_BACK if operation.active else Status.DONE
    if operation.state == Operation.State.ATTENTION:
        status = Status.FAILED
    return StepLine(status, title, detail, (end - events[0].at).total_seconds())
