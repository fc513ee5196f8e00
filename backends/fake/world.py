"""Services and instances in memory. Each look at a service moves it one step on; no clock and no thread is involved."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from backends.contract import (
    InstanceState,
    InstanceStatus,
    LogLine,
    Phase,
    Reason,
    ReasonCode,
    ServiceRef,
    ServiceSpec,
    ServiceStatus,
)

HOST = "host-1"
GIVES_UP_AFTER = 3  # failures of an update; of a first create it tries on
KEPT = 5  # ended instances
CRASHING_FROM = 2


class Mood(StrEnum):
    WELL = "well"
    SLOW = "slow"  # one instance more at each look
    NEVER_READY = "never_ready"
    REJECTING = "rejecting"  # the image is not there
    CRASHING = "crashing"
    LOSING_ANSWERS = "losing_answers"  # does what was asked, and raises the first time
    AWAY = "away"


@dataclass
class Machine:
    """A host; `open` for new instances."""

    id: str
    name: str
    open: bool = True


@dataclass
class Instance:
    status: InstanceStatus
    spec: ServiceSpec
    lines: list[LogLine] = field(default_factory=list)

    def turn(self, state: InstanceState, *, reason: Reason | None = None, exit_code: int | None = None) -> None:
        now = datetime.now(UTC)
        running = state == InstanceState.RUNNING
        ports = [port for port in self.spec.ports if port.published and running]
        self.status = replace(
            self.status,
            state=state,
            wanted=state not in (InstanceState.ENDED, InstanceState.FAILED),
            started_at=now if running else self.status.started_at,
            changed_at=now,
            reason=reason,
            exit_code=exit_code,
            addresses=tuple((port.target, f"127.0.0.1:{40000 + self.status.number}") for port in ports),
        )
        if running:
            for text in said_at_start(self.spec):
                self.say(text)

    def say(self, text: bytes, *, stream: str = "stdout") -> None:
        at = datetime.now(UTC)
        newest = self.lines[-1].at_ns if self.lines else 0
        at_ns = max(newest + 1, int(at.timestamp() * 1e6) * 1000)
        self.lines.append(
            LogLine(at_ns, self.status.ref.service, self.status.number, self.status.id, stream, text.rstrip(b"\n"))
        )


def said_at_start(spec: ServiceSpec) -> Iterator[bytes]:
    """`sh -c "echo one; echo two; ..."` says one and two; anything else greets."""
    script = (*(spec.entrypoint or ()), *(spec.command or ()))[-1:]
    echoed = [part.strip()[5:].encode() for part in "".join(script).split(";") if part.strip().startswith("echo ")]
    yield from echoed or [f"{spec.ref.service} is listening".encode()]


@dataclass
class Service:
    spec: ServiceSpec
    place: Callable[[], str | None] = lambda: HOST  # the host for a new instance; None: there is none for it
    before: ServiceSpec | None = None
    given_up: tuple[str, Reason] | None = None  # the revision, and why
    instances: list[Instance] = field(default_factory=list)
    failures: int = 0
    _ids: Iterator[int] = field(default_factory=itertools.count)

    @property
    def ref(self) -> ServiceRef:
        return self.spec.ref

    def ask(self, spec: ServiceSpec) -> None:
        if spec.revision != self.spec.revision:
            self.before, self.failures, self.given_up = self.spec, 0, None
        self.spec = spec

    def look(self, mood: Mood) -> None:
        """One step towards the spec."""
        if mood in (Mood.NEVER_READY, Mood.CRASHING, Mood.REJECTING):
            self._fail(mood)
        else:
            self._succeed(at_once=mood != Mood.SLOW)

    def _succeed(self, *, at_once: bool) -> None:
        for number in range(1, self.spec.instances + 1):
            new = self._current(number) or self._start(number)
            if new.status.state == InstanceState.RUNNING or not self._placed(new):
                continue
            new.turn(InstanceState.RUNNING)
            self._replace(number)
            if not at_once:
                return
        self._end(lambda one: one.status.number > self.spec.instances)
        if all(one.status.host for one in self.instances if one.status.wanted):
            self._end(lambda one: one.spec.revision != self.spec.revision)

    def _placed(self, one: Instance) -> bool:
        if one.status.host is None:
            host = self.place()
            reason = None if host else Reason(ReasonCode.NO_SUITABLE_HOST, {"service": self.ref.service})
            state = InstanceState.STARTING if host else InstanceState.WAITING
            one.status = replace(one.status, host=host, state=state, reason=reason)
        return one.status.host is not None

    def move(self, one: Instance) -> bool:
        """Another instance in its place on another host, before it ends; False where there is none for it."""
        new = self._start(one.status.number)
        if new.status.host is None:
            self.instances.remove(new)
            return False
        new.spec = one.spec
        new.turn(InstanceState.RUNNING)
        one.turn(InstanceState.ENDED, exit_code=0)
        self._forget()
        return True

    def _replace(self, number: int) -> None:
        self._end(lambda one: one.status.number == number and one.spec.revision != self.spec.revision)

    def _fail(self, mood: Mood) -> None:
        if not self.spec.instances:
            self._end(lambda _: True)
            return
        number = self.failures % self.spec.instances + 1
        failed = self._current(number) or self._start(number)
        if not self._placed(failed):
            return
        self.failures += 1
        reason = _reason(mood, self.spec, times=self.failures)
        if mood == Mood.CRASHING:
            failed.say(b"fatal: cannot go on")
        failed.turn(InstanceState.FAILED, reason=reason, exit_code=1 if mood == Mood.CRASHING else None)
        if self.before is not None and self.failures >= GIVES_UP_AFTER:
            self.given_up = (self.spec.revision, reason)
            self._end(lambda one: one.spec.revision == self.spec.revision)
            self.spec, self.before = self.before, None
        else:
            self._start(number)
        self._forget()

    def _current(self, number: int) -> Instance | None:
        for one in self.instances:
            if one.status.number == number and one.status.wanted and one.spec.revision == self.spec.revision:
                one.spec = self.spec
                return one
        return None

    def _start(self, number: int) -> Instance:
        status = InstanceStatus(
            id=f"{self.ref.engine_name}.{number}.{next(self._ids)}",
            ref=self.ref,
            number=number,
            state=InstanceState.STARTING,
            wanted=True,
            revision=self.spec.revision,
            changed_at=datetime.now(UTC),
        )
        self.instances.insert(0, Instance(status, self.spec))
        self._placed(self.instances[0])
        return self.instances[0]

    def _end(self, which: Callable[[Instance], bool]) -> None:
        for one in self.instances:
            if one.status.wanted and which(one):
                one.turn(InstanceState.ENDED, exit_code=0)
        self._forget()

    def _forget(self) -> None:
        over = [one for one in self.instances if not one.status.wanted]
        for one in over[KEPT:]:
            self.instances.remove(one)

    def status(self, spec: ServiceSpec | None = None) -> ServiceStatus:
        """About `spec`, or about what is held."""
        asked = spec or self.spec
        running = [one.status for one in self.instances if one.status.state == InstanceState.RUNNING]
        ready = [one for one in running if one.revision == asked.revision]
        phase, reason = self._phase(asked, len(ready), len(running))
        return ServiceStatus(
            ref=self.ref,
            phase=phase,
            wanted=asked.instances,
            ready=len(ready),
            running=len(running),
            revision=self.spec.revision,
            reason=reason,
            instances=tuple(sorted((one.status for one in self.instances), key=lambda status: status.number)),
        )

    def _phase(self, asked: ServiceSpec, ready: int, running: int) -> tuple[Phase, Reason | None]:
        if asked.revision != self.spec.revision:
            if self.given_up and self.given_up[0] == asked.revision:
                return Phase.ROLLED_BACK, self.given_up[1]
            return Phase.OUTDATED, None
        if asked.instances != self.spec.instances:
            return Phase.OUTDATED, None
        if ready == running == asked.instances:
            return Phase.CONVERGED, None
        bad = (InstanceState.FAILED, InstanceState.WAITING)
        failed = [one.status for one in self.instances if one.status.state in bad and one.status.reason]
        mine = [one for one in failed if one.revision == asked.revision]
        return (Phase.FAILING, mine[0].reason) if mine else (Phase.PROGRESSING, None)


def _reason(mood: Mood, spec: ServiceSpec, *, times: int) -> Reason:
    service = spec.ref.service
    if mood == Mood.REJECTING:
        return Reason(ReasonCode.IMAGE_NOT_FOUND, {"service": service, "image": spec.image_name or spec.image})
    if mood == Mood.NEVER_READY:
        return Reason(ReasonCode.UNHEALTHY, {"service": service})
    if times >= CRASHING_FROM:
        return Reason(ReasonCode.CRASHING, {"service": service, "exit_code": 1, "times": times})
    return Reason(ReasonCode.EXITED, {"service": service, "exit_code": 1})


def written(spec: ServiceSpec) -> dict[str, Any]:
    """A spec as plain values, the way an engine's API would be given it."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(spec), default=lambda raw: raw.decode(errors="replace")))
    return plain
