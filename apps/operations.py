"""How a change comes about: bring a place to what is declared for it, or back to what was declared before."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps import evidence, gate, observing, reserving
from apps.building import environment_ref, pull_of, services_of, specification_of
from apps.models import AppEnvironment, Deployment, Release
from apps.pinning import pin_rest
from apps.specification import layers
from backends.contract import (
    Credentials,
    Driver,
    DriverError,
    InstanceState,
    Phase,
    Reason,
    ReasonCode,
    ServiceSpec,
    ServiceStatus,
)
from backends.models import Cluster
from backends.registry import driver_for
from core.clock import database_now
from core.errors import Conflict, Unavailable
from images.promotion.standing import NOT_LISTED
from operations.models import Operation
from operations.registry import StepFailed, Wait, register, register_words
from operations.services import begin, fenced

LOOK_SECONDS = 1.0
AWAY_SECONDS = 3.0
KEPT_OUT = {gate.CODE, "approved_image_gone"}
FAILURES_OPEN_BREAKER = 5
PROBED_WITHIN = timedelta(seconds=60)  # older than that the observer itself is away, and its word counts no more
FAILURES_ALLOWED = 1  # an instance may fail once for a passing cause; the second time it is the release's fault
DENIED_SECONDS = 15  # by then a host has asked a registry twice
HOPELESS = {
    ReasonCode.IMAGE_NOT_FOUND,
    ReasonCode.IMAGE_DENIED,
    ReasonCode.BAD_IMAGE,
    ReasonCode.COMMAND_NOT_FOUND,
    ReasonCode.RUNS_AS_ROOT,
    ReasonCode.NOT_ALLOWED,
}


def deployment_of(operation: Operation) -> Deployment:
    rows = Deployment.objects.select_related("place__app", "place__environment__cluster", "place__release", "replaced")
    return rows.get(operation=operation)


def engine_of(cluster: Cluster) -> Driver:
    """The cluster's driver, unless its breaker is open: the observer failed to reach it again and again just now.

    Then nobody waits for it; the observer goes on probing, and its first success closes the breaker.
    """
    fresh = cluster.looked_at is not None and cluster.looked_at > timezone.now() - PROBED_WITHIN
    if cluster.state == Cluster.State.AWAY and cluster.failures >= FAILURES_OPEN_BREAKER and fresh:
        raise DriverError(Reason(ReasonCode.ENGINE_AWAY, {"cluster": cluster.name}))
    return driver_for(cluster)


@contextmanager
def counting(cluster: Cluster) -> Iterator[None]:
    """What a worker waited for in vain opens the breaker as what the observer waited for does: of a cluster that is
    deaf, each worker learns it once, and not one after the other until the observer has learnt it five times.
    """
    try:
        yield
    except DriverError as error:
        if error.reason.code in (ReasonCode.ENGINE_AWAY, ReasonCode.ENGINE_SLOW):
            Cluster.objects.filter(pk=cluster.pk).update(failures=F("failures") + 1)
        raise


class ChangePlace:
    """Deploy, roll back, scale, restart, stop and start are one thing: make run what the place declares."""

    deadline_seconds = 15 * 60

    def step(self, operation: Operation) -> Wait | None:
        deployment = deployment_of(operation)
        place = deployment.place
        driver = engine_of(place.environment.cluster)
        if place.release is None:
            return remove_all(place, driver)
        return bring(operation, place, place.release, driver, careful=True)

    def undo(self, operation: Operation) -> Wait | None:
        deployment = deployment_of(operation)
        place = deployment.place
        _declare_as_before(operation, deployment)  # first: it holds although the engine may be away
        driver = engine_of(place.environment.cluster)
        if deployment.replaced is None:
            return remove_all(place, driver)
        try:
            return bring(operation, place, deployment.replaced, driver, careful=False)
        except StepFailed as kept_out:
            if kept_out.code not in KEPT_OUT:
                raise
            return None  # what ran before may not start any more: what still runs of it runs on

    def settled(self, operation: Operation) -> None:
        Deployment.objects.filter(operation=operation).update(result=operation.state)
        place = deployment_of(operation).place
        reserving.give_back(place)
        if place.release is None:
            place.services.all().delete()
            place.observed_instances.all().delete()


class Repair:
    """Bring back what fell out of a place although nobody changed what is declared."""

    deadline_seconds = 10 * 60

    def step(self, operation: Operation) -> Wait | None:
        place = place_of(operation)
        driver = engine_of(place.environment.cluster)
        return bring(operation, place, place.release, driver, careful=True) if place.release else None

    def undo(self, operation: Operation) -> Wait | None:
        return None  # what is declared stays declared; the next look tries again

    def settled(self, operation: Operation) -> None:
        """A repair leaves no history of its own beside its operation."""


def place_of(operation: Operation) -> AppEnvironment:
    rows = AppEnvironment.objects.select_related("app", "environment__cluster", "release")
    return rows.get(pk=operation.params["place"])


def _declare_as_before(operation: Operation, deployment: Deployment) -> None:
    place = deployment.place
    before = dict(deployment.before) | {"release": deployment.replaced}
    if all(getattr(place, name) == value for name, value in before.items()):
        return
    with fenced(operation):
        AppEnvironment.objects.filter(pk=place.pk).update(
            generation=F("generation") + 1, version=F("version") + 1, **before
        )
    place.refresh_from_db()


def bring(
    operation: Operation, place: AppEnvironment, release: Release, driver: Driver, *, careful: bool
) -> Wait | None:
    """One look at each service in turn; the first that is not there yet is what we wait for.

    `careful`: a release that cannot run is given up; on the way back everything is tried until the deadline.
    """
    with counting(place.environment.cluster):
        return _bring(operation, place, release, driver, careful=careful)


def _bring(
    operation: Operation, place: AppEnvironment, release: Release, driver: Driver, *, careful: bool
) -> Wait | None:
    specification = specification_of(release)
    if not operation.step:
        begin(operation, "prepare", "preparing", {"release": release.number})
    pull = pull_of(place)
    if gate.is_gated(place.environment):
        _refuse_unlisted(place, release)
    pinned = pin_rest(release, specification, driver, pull=pull)
    driver.ensure_environment(environment_ref(place, ceiling=reserving.ceiling(place), pull=pull))
    try:
        specs = _specs(place, release, pinned, pull)
    except Unavailable:
        return Wait(AWAY_SECONDS, "registry_silent", {}, level="warn")
    for layer in layers(specification):
        if waits := [
            wait
            for name in layer
            if (wait := _bring_service(operation, (place, release), specs[name], driver, careful=careful))
        ]:
            return waits[0]
    return _remove_strangers(place, set(specs), driver)


def _specs(
    place: AppEnvironment, release: Release, pinned: Mapping[str, str], pull: Credentials | None
) -> dict[str, ServiceSpec]:
    """What each service is to be, fetched from where this environment may fetch."""
    try:
        found = gate.as_laid_out(place, services_of(place, release, pinned=pinned))
    except Conflict as error:
        raise StepFailed("approved_image_gone", {"said": str(error.message)}) from error
    return {spec.ref.service: replace(spec, pull=pull) for spec in found}


def _refuse_unlisted(place: AppEnvironment, release: Release) -> None:
    """Before a registry is asked for what nobody could have approved. What is to be stopped is stopped all the same."""
    if not place.stopped:
        unknown = [one for one in gate.kept_of(place, release) if one.found.code == NOT_LISTED]
        if unknown:
            raise _kept_out(unknown[0])


def _kept_out(one: gate.Kept) -> StepFailed:
    words = {"service": one.service, "image": one.image, "stage": one.environment.stage}
    return StepFailed(gate.CODE, words | {"said": one.sentence})


def _check_gate(place: AppEnvironment, release: Release, spec: ServiceSpec, status: ServiceStatus) -> None:
    """The last question before the engine. Fewer of what runs already, and none at all, needs nobody's approval."""
    if spec.instances == 0 or (status.revision == spec.revision and spec.instances < status.running):
        return
    if kept := gate.kept_of(place, release, [spec.ref.service]):
        raise _kept_out(kept[0])


def _bring_service(
    operation: Operation, what: tuple[AppEnvironment, Release], spec: ServiceSpec, driver: Driver, *, careful: bool
) -> Wait | None:
    place, release = what
    status = driver.status(spec)
    observing.note_service(place, status)
    if status.phase == Phase.CONVERGED:
        return None
    # what the engine gave up before this operation asked for it is no answer to this operation
    given_up = status.phase == Phase.ROLLED_BACK and careful and _asked(operation, spec)
    if status.phase in (Phase.ABSENT, Phase.OUTDATED) or (status.phase == Phase.ROLLED_BACK and not given_up):
        with fenced(operation):  # a worker that was stopped for a while must not bring an older release back
            _check_gate(place, release, spec, status)
        driver.apply(spec)
        return _wait_for(spec, status)
    if careful and (found := fault(operation, spec, status)):
        evidence.keep(place, status, driver)
        raise StepFailed(*found)
    return _wait_for(spec, status)


def _asked(operation: Operation, spec: ServiceSpec) -> bool:
    """Whether this operation has applied the service already: the event is written after the first try."""
    return operation.events.filter(step=_step_of(spec)).exists()


def _just_asked(operation: Operation, spec: ServiceSpec) -> bool:
    """A host may be told of an instance before it is told of the account to show; then it asks once more by itself."""
    events = operation.events.filter(step=_step_of(spec))
    return not events.filter(at__lt=database_now() - timedelta(seconds=DENIED_SECONDS)).exists()


def _step_of(spec: ServiceSpec) -> str:
    return f"service:{spec.ref.service}"


def _wait_for(spec: ServiceSpec, status: ServiceStatus) -> Wait:
    params = {"service": spec.ref.service, "ready": status.ready, "wanted": spec.instances}
    code = "stopping" if spec.instances == 0 else "instances_ready"
    return Wait(LOOK_SECONDS, code, params, step=_step_of(spec))


def fault(operation: Operation, spec: ServiceSpec, status: ServiceStatus) -> tuple[str, dict[str, object]] | None:
    """Why this release cannot be brought about, once that is certain; None while it may still work.

    An instance that could never start is no reason to go on with what is to end. What was lost with its host, as when
    the cluster itself was away, says nothing of the release: it starts elsewhere, or there again.
    """
    reason = status.reason
    if reason is None or status.phase not in (Phase.FAILING, Phase.ROLLED_BACK):
        return None
    if not spec.instances and status.phase == Phase.FAILING:
        return None
    if reason.code == ReasonCode.IMAGE_DENIED and _just_asked(operation, spec):
        return None
    failed = [i for i in status.instances if i.state == InstanceState.FAILED and i.revision == spec.revision]
    failed = [one for one in failed if one.reason is None or one.reason.code != ReasonCode.HOST_LOST]
    certain = status.phase == Phase.ROLLED_BACK or reason.code in HOPELESS or len(failed) > FAILURES_ALLOWED
    return (str(reason.code), dict(reason.params)) if certain else None


def _remove_strangers(place: AppEnvironment, wanted: set[str], driver: Driver) -> Wait | None:
    """Services that an earlier release had and this one has not."""
    gone = [driver.remove(ref) for ref in driver.services(place.engine_name) if ref.service not in wanted]
    return None if all(gone) else Wait(LOOK_SECONDS, "removing", step="remove")


def remove_all(place: AppEnvironment, driver: Driver) -> Wait | None:
    with counting(place.environment.cluster):
        return _remove_strangers(place, set(), driver)


for kind in Deployment.Kind.values:
    register(f"app.{kind}.run", ChangePlace())
register("app.repair.run", Repair())

register_words(
    {
        "preparing": _("Preparing release %(release)s: images and network"),
        "instances_ready": _("%(service)s: %(ready)s of %(wanted)s instances ready"),
        "stopping": _("%(service)s: instances are ending"),
        "removing": _("Removing what is not needed any more"),
        gate.CODE: _("%(service)s was not started. %(said)s"),
        "approved_image_gone": _("An approved image cannot be fetched. %(said)s"),
        "registry_silent": _("The registry does not answer; approved images are fetched from there"),
    }
)
