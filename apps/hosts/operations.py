"""How a host is closed, opened and emptied: step by step, each safe to be done again by any worker."""

from django.utils.translation import gettext_lazy as _

from apps import observing
from apps.hosts.noticing import tell_of_emptying
from apps.hosts.work import KIND, Work
from apps.models import AppEnvironment
from apps.operations import engine_of
from backends.contract import Driver, DriverError, Held, Leaving, ReasonCode
from operations.changes import announce
from operations.models import Operation
from operations.registry import StepFailed, Wait, register, register_words
from operations.services import begin, fenced

LOOK_SECONDS = 1.0
HELD_SECONDS = 5.0  # a budget is asked again after so long
BEGUN, MOVING, BACK = "begun", "moving", "back"


class SetSchedulable:
    """Close a host, or open it."""

    deadline_seconds = 10 * 60

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted

    def step(self, operation: Operation) -> Wait | None:
        work = Work.read(operation)
        driver = engine_of(work.home)
        if not operation.step:
            begin(operation, BEGUN, "host_opening" if self._wanted else "host_closing", {"host": work.name})
        _set(operation, work, driver, self._wanted)
        return None

    def undo(self, operation: Operation) -> Wait | None:
        return _as_before(operation)

    def settled(self, operation: Operation) -> None:
        announce("cluster", Work.read(operation).cluster)


class Drain:
    """Close a host and move what is ours off it. `operation.step` holds how many there were and how many are left."""

    deadline_seconds = 2 * 60 * 60

    def step(self, operation: Operation) -> Wait | None:
        work = Work.read(operation)
        driver = engine_of(work.home)
        if not operation.step:
            tell_of_emptying(operation, work)
            begin(operation, BEGUN, "host_closing", {"host": work.name})
        _set(operation, work, driver, False)
        leaving = _ask(work, driver)
        return _wait(operation, leaving) if leaving.left else None

    def undo(self, operation: Operation) -> Wait | None:
        """What has moved stays where it is now; the host takes new instances again if it did before."""
        return _as_before(operation)

    def settled(self, operation: Operation) -> None:
        announce("cluster", Work.read(operation).cluster)


def _set(operation: Operation, work: Work, driver: Driver, wanted: bool) -> None:
    with fenced(operation):  # a worker that was stopped for a while must not open what was closed meanwhile
        pass
    try:
        driver.set_schedulable(work.host, wanted)
    except DriverError as error:
        raise _named(work, error) from error
    observing.note_schedulable(work.home, work.host, wanted)


def _ask(work: Work, driver: Driver) -> Leaving:
    try:
        return driver.empty(work.host)
    except DriverError as error:
        raise _named(work, error) from error


def _named(work: Work, error: DriverError) -> Exception:
    """With the host's name instead of the engine's id of it."""
    if error.reason.code != ReasonCode.HOST_GONE:
        return error
    return work.gone


def _as_before(operation: Operation) -> Wait | None:
    work = Work.read(operation)
    if not operation.step:
        return None  # nothing was asked of the engine yet
    if operation.step != BACK:
        code = "host_opening" if work.open_before else "host_closing"
        begin(operation, BACK, code, {"host": work.name})
    try:
        _set(operation, work, engine_of(work.home), work.open_before)
    except StepFailed:
        return None  # the host is gone: there is nothing to put back
    return None


def _wait(operation: Operation, leaving: Leaving) -> Wait:
    """The count, whenever it changed; what holds it, where nothing moved since the last look."""
    count, before = _counted(operation)
    count = max(count, leaving.left)
    step = f"{MOVING}:{count}:{leaving.left}"
    if leaving.held and before == leaving.left:
        first = min(leaving.held, key=lambda held: (held.ref.environment, held.ref.app, held.ref.service))
        params = {**first.reason.params, "service": _called(first)}
        return Wait(HELD_SECONDS, str(first.reason.code), params, step=step, level="warn")
    told = {"done": count - leaving.left, "count": count}
    return Wait(LOOK_SECONDS, "instances_moved", told, step=step)


def _counted(operation: Operation) -> tuple[int, int]:
    """How many there were, and how many were left when it was looked last."""
    if not operation.step.startswith(MOVING):
        return 0, -1
    _moving, count, left = operation.step.split(":")
    return int(count), int(left)


def _called(held: Held) -> str:
    """A service as an operator finds it: whose, where, which."""
    rows = AppEnvironment.objects.select_related("tenant", "project", "app", "environment")
    place = rows.filter(engine_name=held.ref.app).first()
    if place is None:
        return held.ref.service
    names = (place.tenant.name, place.project.name, place.app.name, place.environment.name, held.ref.service)
    return "{} / {}, {} {}: {}".format(*names)


register(f"{KIND}cordon.run", SetSchedulable(False))
register(f"{KIND}uncordon.run", SetSchedulable(True))
register(f"{KIND}drain.run", Drain())

register_words(
    {
        "host_closing": _("%(host)s takes nothing new from now on"),
        "host_opening": _("%(host)s takes new instances again"),
        "instances_moved": _("%(done)s of %(count)s instances moved"),
    }
)
