"""How an app stands in one environment, in words: the one place where rows become a status and a sentence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.models import AppEnvironment, ObservedInstance, ObservedService
from apps.selectors.reasons import Told, failure_sentence, reason_status
from backends.contract import InstanceState, Phase
from backends.models import Cluster
from core.status import Kind, Status
from operations.models import Operation

STALE_AFTER = timedelta(seconds=60)
_COMING = {InstanceState.WAITING, InstanceState.PREPARING, InstanceState.STARTING}
_INSTANCES: dict[str, Status] = {
    InstanceState.WAITING: Status.WAITING,
    InstanceState.PREPARING: Status.STARTING,
    InstanceState.STARTING: Status.STARTING,
    InstanceState.RUNNING: Status.RUNNING,
    InstanceState.STOPPING: Status.STOPPING,
    InstanceState.ENDED: Status.ENDED,
    InstanceState.FAILED: Status.FAILED,
}
_KINDS: dict[str, Status] = {
    "start": Status.STARTING,
    "stop": Status.STOPPING,
    "delete": Status.STOPPING,
    "rollback": Status.ROLLING_BACK,
}


@dataclass(frozen=True)
class PlaceState:
    """`status` with `word` (empty: the status's own) is for a glance.

    `sentence` says it whole, `hint` what to do.

    `wanted` and `running` count instances. `stale_since`: the numbers are from then; None: they are of now.
    `trouble` says what failed although the place itself may be well (a deployment that was taken back).
    """

    status: Status
    sentence: str
    wanted: int = 0
    running: int = 0
    word: str = ""
    hint: str = ""
    trouble: str = ""
    stale_since: datetime | None = None
    operation: Operation | None = None

    @property
    def count(self) -> str:
        return f"{self.running}/{self.wanted}"

    @property
    def needs_attention(self) -> bool:
        return bool(self.trouble) or self.status.kind in (Kind.BAD, Kind.WARN, Kind.STALE)


def wanted_instances(place: AppEnvironment) -> dict[str, int]:
    """How many instances of each service are declared to run: the release's numbers, changed by scaling.

    All 0 while it is stopped. Reads `place.release`; its stored document is canonical, so its plain form is enough.
    """
    declared = declared_instances(place)
    return dict.fromkeys(declared, 0) if place.stopped else declared


def declared_instances(place: AppEnvironment) -> dict[str, int]:
    """The same as if it were not stopped."""
    if place.release is None:
        return {}
    services: Mapping[str, Any] = place.release.specification.get("services", {})
    declared = {name: int((one.get("deploy") or {}).get("replicas", 1)) for name, one in services.items()}
    return {name: place.instances.get(name, count) for name, count in declared.items()}


def place_state(
    place: AppEnvironment,
    services: Iterable[ObservedService],
    instances: Iterable[ObservedInstance],
    operation: Operation | None,
) -> PlaceState:
    """Status and sentence of a place.

    `services` and `instances` are its observed rows, `operation` its latest one, active or not.
    No query is made when `place` came with its release and its environment's cluster.
    """
    seen = list(services)
    view = _View(place, seen, list(instances), operation, wanted_instances(place))
    return view.changing() or view.absent() or view.unseen() or view.still() or view.serving()


def stale_since(place: AppEnvironment, services: Iterable[ObservedService]) -> datetime | None:
    """From when the numbers of a place are because nobody has looked of late; None while they are of now."""
    cluster = place.environment.cluster
    seen_at = max((service.seen_at for service in services), default=None)
    if cluster.state == Cluster.State.AWAY:
        return seen_at or cluster.seen_at or cluster.away_since
    return seen_at if seen_at is not None and timezone.now() - seen_at > STALE_AFTER else None


def when_last_seen(word: object) -> str:
    """How something was, where nobody can tell how it is."""
    return _("%(state)s when last seen") % {"state": word}


def counted(states: Sequence[PlaceState], *, running: int, wanted: int) -> str:
    """How many instances run of all there should be, and how many of these places are not well."""
    words = {"running": running, "wanted": wanted, "count": sum(_unwell(state) for state in states)}
    if not words["count"]:
        return _("%(running)s of %(wanted)s") % words
    text = ngettext(
        "%(running)s of %(wanted)s, one app needs a look",
        "%(running)s of %(wanted)s, %(count)s apps need a look",
        words["count"],
    )
    return text % words


def _unwell(state: PlaceState) -> bool:
    return state.status.kind in (Kind.BAD, Kind.WARN)


def instance_status(instance: ObservedInstance) -> Status:
    """The status of one instance; one that ended by its own fault is crashing, unhealthy or not starting."""
    if instance.state == InstanceState.FAILED:
        return reason_status(instance.reason) or Status.FAILED
    return _INSTANCES.get(instance.state, Status.UNKNOWN)


def instance_word(instance: ObservedInstance) -> str:
    """The word beside an instance's glyph where it can say more than its status; else empty."""
    code = str((instance.reason or {}).get("code", ""))
    if instance.state == InstanceState.FAILED and instance.exit_code is not None and code in ("", "exited", "crashing"):
        return _("ended with code %(code)s") % {"code": instance.exit_code}
    if instance.state == InstanceState.PREPARING:
        return _("fetching its image")
    return ""


def operation_status(operation: Operation) -> Status:
    """Where an operation stands: waiting, being done, being cancelled, going back, or its result."""
    if not operation.active:
        return Status.of(operation.state)
    if operation.failure is not None:
        cancelled = operation.failure.get("code") == "cancelled"
        return Status.CANCELLING if cancelled else Status.ROLLING_BACK
    if operation.cancel_requested:
        return Status.CANCELLING
    return Status.PENDING if operation.state == Operation.State.PENDING else Status.DOING


@dataclass(frozen=True)
class _View:
    """The rows of one place; each method answers a state, or None where another has to say it."""

    place: AppEnvironment
    services: Sequence[ObservedService]
    instances: Sequence[ObservedInstance]
    operation: Operation | None
    wanted_by: Mapping[str, int]

    @cached_property
    def wanted(self) -> int:
        return sum(self.wanted_by.values())

    @cached_property
    def running(self) -> int:
        return sum(service.running for service in self.services)

    @property
    def release(self) -> int:
        return self.place.release.number if self.place.release else 0

    @cached_property
    def stale_since(self) -> datetime | None:
        return stale_since(self.place, self.services) if self.place.release is not None else None

    def _state(self, status: Status, sentence: str, **more: Any) -> PlaceState:
        known: dict[str, Any] = {"wanted": self.wanted, "running": self.running, "operation": self.operation}
        return PlaceState(status, sentence, stale_since=self.stale_since, **known, **more)

    def changing(self) -> PlaceState | None:
        """While an operation is at work."""
        operation = self.operation
        if operation is None or not operation.active:
            return None
        if operation.failure is not None:
            told = failure_sentence(operation.failure)
            return self._state(Status.ROLLING_BACK, _going_back(told), hint=told.hint)
        kind = str(operation.params.get("kind", ""))
        status = _KINDS.get(kind, Status.UPDATING)
        if status is Status.UPDATING and self.running == 0 and self.wanted > 0:
            status = Status.STARTING
        return self._state(status, self._on_the_way(kind))

    def _on_the_way(self, kind: str) -> str:
        if kind in ("stop", "delete"):
            return ngettext(
                "It is being stopped; %(count)s instance is still running.",
                "It is being stopped; %(count)s instances are still running.",
                self.running,
            ) % {"count": self.running}
        return _("Release %(release)s is being rolled out; %(running)s of %(wanted)s instances run.") % {
            "release": self.release, "running": self.running, "wanted": self.wanted,
        }  # fmt: skip

    def absent(self) -> PlaceState | None:
        if self.place.release is not None:
            return None
        if trouble := self._trouble():
            told = failure_sentence(self.operation.failure if self.operation else None)
            return self._state(Status.FAILED, trouble, hint=told.hint, trouble=trouble)
        return self._state(Status.EMPTY, _("Nothing is deployed here yet."))

    def _trouble(self) -> str:
        """What the latest operation failed at; empty where it did not."""
        operation = self.operation
        if operation is None or operation.state not in (Operation.State.FAILED, Operation.State.ATTENTION):
            return ""
        told = failure_sentence(operation.failure)
        return told.sentence or _("The last change did not succeed.")

    def unseen(self) -> PlaceState | None:
        """Nobody has looked of late: the numbers are old, whatever they say."""
        cluster = self.place.environment.cluster
        if cluster.state == Cluster.State.AWAY:
            text = _("The cluster %(cluster)s does not answer; %(running)s of %(wanted)s ran when last seen.")
        elif self.stale_since is not None:
            text = _("Nobody looked at %(cluster)s of late; %(running)s of %(wanted)s ran when last seen.")
        else:
            return None
        words = {"cluster": cluster.name, "running": self.running, "wanted": self.wanted}
        return self._state(Status.UNKNOWN, text % words)

    def still(self) -> PlaceState | None:
        """Stopped, scaled to nothing, or not to be found at all."""
        if self.place.stopped:
            status = Status.STOPPING if self.running else Status.STOPPED
            return self._state(status, _("It is stopped; release %(release)s stays ready.") % {"release": self.release})
        if self.wanted == 0:
            return self._state(Status.STOPPED, _("It is scaled to no instances."), word=_("no instances"))
        if not self.services:
            text = _("Release %(release)s should run here, but none of it is there.")
            return self._state(Status.MISSING, text % {"release": self.release})
        return None

    def serving(self) -> PlaceState:
        words = {"running": self.running, "wanted": self.wanted, "release": self.release}
        if fault := self._fault():
            return self._faulty(fault)
        if differs := self._differs():
            return self._state(Status.DRIFTED, differs % words, trouble=self._trouble())
        if self.running < self.wanted:
            coming = any(one.wanted and one.state in _COMING for one in self.instances)
            text = _("%(running)s of %(wanted)s instances of release %(release)s run.") % words
            return self._state(Status.STARTING if coming else Status.DEGRADED, text, trouble=self._trouble())
        return self._well(words)

    def _well(self, words: Mapping[str, int]) -> PlaceState:
        text = ngettext(
            "%(running)s of %(wanted)s instance of release %(release)s runs.",
            "%(running)s of %(wanted)s instances of release %(release)s run.",
            self.wanted,
        )
        return self._state(Status.RUNNING, text % words, trouble=self._trouble())

    def _differs(self) -> str:
        """What says that the engine holds something else than what is declared; empty where it does not."""
        seen = {service.service: service.wanted for service in self.services}
        if seen != {name: count for name, count in self.wanted_by.items() if name in seen}:
            return _("%(running)s instances run, but %(wanted)s are declared.")
        if any(service.phase == Phase.OUTDATED for service in self.services):
            return _("What runs here was changed on the cluster itself; release %(release)s is declared.")
        return ""

    def _fault(self) -> ObservedService | None:
        """The first service that keeps failing; one that is whole again is well, whatever it did before."""
        failing = [one for one in self.services if one.reason and one.phase in (Phase.FAILING, Phase.ROLLED_BACK)]
        short = [one for one in self.services if one.reason and one.running < self.wanted_by.get(one.service, 0)]
        return next(iter(failing or short), None)

    def _faulty(self, service: ObservedService) -> PlaceState:
        told = failure_sentence(service.reason)
        status = reason_status(service.reason) or Status.DEGRADED
        missing = max(self.wanted - self.running, 0)
        word = ""
        if 0 < missing < self.wanted:
            word = _("%(missing)s of %(wanted)s: %(state)s") % {
                "missing": missing, "wanted": self.wanted, "state": status.word,
            }  # fmt: skip
        return self._state(status, told.sentence, word=word, hint=told.hint, trouble=self._trouble())


def _going_back(told: Told) -> str:
    return _("Going back to what ran before. %(reason)s") % {"reason": told.sentence}
