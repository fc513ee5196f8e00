"""The steps of a build, by whichever worker has its turn: sources, the build itself, into the registry."""

import contextlib
import time
from collections.abc import Callable, Generator

from django.conf import settings
from django.db.models.functions import Now

from backends.contract import OWNER_LABEL, Builder, DriverError, Entry, Order, Said
from backends.models import Cluster
from backends.registry import driver_for
from core.access import Actor
from core.secrets import Secret
from images.building import grounds, preparing, recipe
from images.building.driving import Drive, drive
from images.building.logs import Log
from images.building.models import Build, BuildPolicy
from images.building.models import Builder as Place
from images.building.problems import BuildProblem
from images.building.sources import OURS
from images.building.telling import tell
from images.keeping import door
from images.keeping.immutable import Protected
from images.registry import client, names, scopes, signing, taking
from images.registry.scopes import REPOSITORY, Scope
from operations.models import Operation
from operations.registry import LOST_RIGHT, StepFailed, Wait
from operations.services import fenced
from tenants.models import Project, User
from tenants.rights import rights_of

FETCHING, BUILDING, PUSHING = "fetching", "building", "pushing"
PUSH_SECONDS = 900
AWAY_SECONDS = 10.0
LOOK_SECONDS = 5.0  # between two looks at how much was written
MOST_TRIES = 3
REPOSITORY_NAME = "berth.build"
DENIED = "denied: "  # how a builder passes on a refusal that says why


def go_on(operation: Operation, build: Build) -> Wait | None:
    """One step. Errors: StepFailed, DriverError."""
    steps = {FETCHING: _fetch, BUILDING: _build, PUSHING: _push}
    try:
        return steps[operation.step or FETCHING](operation, build)
    except BuildProblem as problem:
        Log(operation, build).flush(now=True)
        raise StepFailed(problem.code, problem.params) from problem


def owner_of(build: Build) -> str:
    return build.project_id.hex


def note(operation: Operation, build: Build, **columns: object) -> None:
    with fenced(operation):
        Build.objects.filter(pk=build.pk).update(**columns)
        tell(build)
    for name, value in columns.items():
        setattr(build, name, value)


def _fetch(operation: Operation, build: Build) -> Wait:
    note(operation, build, state=Build.State.WORKING, started_at=build.started_at or Now())
    commit = preparing.prepare(build, given_up=_asked_to_stop(operation))
    note(operation, build, commit=commit)
    return Wait(0.0, "build_building", step=BUILDING)


def _build(operation: Operation, build: Build) -> Wait:
    text = preparing.recipe_of(build)
    if text is None:  # another machine has the sources
        return Wait(0.0, "build_fetching", step=FETCHING)
    builder, network = place_of(build)
    asked = recipe.read(text, build.arguments)
    log = Log(operation, build)
    with drive() as driven:
        found = grounds.bring(build, builder, asked.images, driven)
        written = asked.written(found, label=(OWNER_LABEL, owner_of(build)))
        name = _kept_name(build)
        order = Order(
            name=name, upon=name, owner=owner_of(build), recipe=OURS, network=network,
            memory_bytes=settings.BUILDS["memory_bytes"], cpu_millicores=settings.BUILDS["cpu_millicores"],
            arguments=tuple(build.arguments.items()),
        )  # fmt: skip
        _count_try(operation, build)
        with preparing.Context(build, written) as sources:
            saying = builder.build(order, sources, sources.size)
            image = _followed(operation, log, driven.each(saying), _BuildWatch(build, builder, driven))
    if not image:
        return Wait(0.0, step=BUILDING)  # it was asked to stop
    note(operation, build, work=build.work | {"image": image})
    return Wait(0.0, "build_pushing", step=PUSHING)


def _count_try(operation: Operation, build: Build) -> None:
    """A worker that ended in the middle says nothing; the next one begins anew, and not for ever."""
    tries = int(build.work.get("tries", 0)) + 1
    if tries > MOST_TRIES:
        raise StepFailed("build_broke_off", {"times": MOST_TRIES})
    note(operation, build, work=build.work | {"tries": tries})


def _kept_name(build: Build) -> str:
    """Under which the builder keeps the last image of this repository: what the next one takes its steps from."""
    return f"{REPOSITORY_NAME}/{owner_of(build)}/{build.repository}:kept"


def place_of(build: Build) -> tuple[Builder, bool]:
    """Where it is built, and whether it may reach others there: both may have been taken back meanwhile."""
    place = Place.objects.select_related("cluster").filter(cluster=build.cluster_id).first()
    builder = driver_for(place.cluster).builder() if place else None
    if place is None or builder is None:
        raise StepFailed("build_no_builder")
    allowed = place.network and BuildPolicy.objects.filter(project=build.project_id, network=True).exists()
    return builder, build.network and allowed


class _Watch:
    """Ends what takes more than it may: seconds, and of a build the bytes that it writes."""

    def __init__(self, seconds: int) -> None:
        self._begun, self._seconds = time.monotonic(), seconds

    def look(self) -> None:
        if time.monotonic() - self._begun > self._seconds:
            raise StepFailed("build_slow", {"most": self._seconds})


class _BuildWatch(_Watch):
    def __init__(self, build: Build, builder: Builder, driven: Drive) -> None:
        super().__init__(settings.BUILDS["seconds"])
        self._owner, self._builder, self._driven = owner_of(build), builder, driven
        self._looked = time.monotonic()

    def look(self) -> None:
        super().look()
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        most = settings.BUILDS["disk_bytes"]
        written = 0
        with contextlib.suppress(DriverError):  # it is asked again soon
            written = self._driven.wait(self._builder.written(self._owner))
        if written > most:
            raise StepFailed("build_large", {"most": most})


def _followed(operation: Operation, log: Log, saying: Generator[Said | None, None, None], watch: _Watch) -> str:
    """The image or digest at the end; empty where it was asked to stop."""
    stop, looked = _asked_to_stop(operation), time.monotonic()
    try:
        for said in saying:
            if said is not None:
                log.say(said.text)
                if said.failed:
                    log.say(f"{said.failed}\n")
                    raise BuildProblem("build_failed", said=said.failed[:300])
                if said.image or said.digest:
                    return said.image or said.digest
            log.flush()
            if time.monotonic() - looked >= 1.0:
                looked = time.monotonic()
                watch.look()
                if stop():
                    return ""
    finally:
        saying.close()
        log.flush(now=True)
    return ""


def _asked_to_stop(operation: Operation) -> Callable[[], bool]:
    rows = Operation.objects.filter(pk=operation.pk, cancel_requested=True)
    return lambda: rows.exists()


def _push(operation: Operation, build: Build) -> Wait | None:
    if build.project.state != Project.State.ACTIVE:
        raise StepFailed("build_project_closed")
    if door.is_closed():
        return _tidied_up()
    builder, _network = place_of(build)
    who = _who(operation)
    path = f"{build.project.tenant.name}/{build.project.name}/{build.repository}"
    given = tuple(scopes.granted(who, [Scope(REPOSITORY, path, ("pull", "push"))]))
    if not any("push" in one.actions for one in given):
        raise StepFailed(LOST_RIGHT, {"person": operation.requested_by_name})
    token = Secret(signing.issue(f"{who.kind}:{who.id}", given, seconds=PUSH_SECONDS))
    log, digest = Log(operation, build), ""
    with drive() as driven:
        for tag in _held_first(build, path):
            saying = builder.push(build.work["image"], names.reference(path), tag, Entry(names.address(), token))
            try:
                digest = _followed(operation, log, driven.each(saying), _Watch(PUSH_SECONDS))
            except BuildProblem as problem:
                return _not_taken(operation, build, f"{path}:{tag}", str(problem.params["said"]))
            if not digest:
                return Wait(0.0, step=PUSHING)
            note(operation, build, digest=digest, path=path)
            taking.note(build.project, path, tag=tag, digest=digest, who=who)
    with contextlib.suppress(DriverError):  # the next one that ends does it too
        tidy(build)
    return None


def _not_taken(operation: Operation, build: Build, name: str, said: str) -> Wait:
    """A refusal that says why is final; what else is said may pass. Errors: BuildProblem; Unavailable."""
    if door.is_closed():
        return _tidied_up()
    path, _colon, tag = name.rpartition(":")
    client.digest_of(path, tag)  # a registry that is away is waited for as long as it takes
    tries = int(build.work.get("pushes", 0)) + 1
    if said.startswith(DENIED) or tries >= MOST_TRIES:
        raise BuildProblem("build_push_refused", said=said.removeprefix(DENIED))
    note(operation, build, work=build.work | {"pushes": tries})
    return Wait(AWAY_SECONDS, "build_push_again", {"said": said}, step=PUSHING, level="warn")


def _tidied_up() -> Wait:
    return Wait(AWAY_SECONDS, "build_registry_closed", step=PUSHING, level="warn")


def _held_first(build: Build, path: str) -> list[str]:
    """Its tags, those first that never move and are taken: where one of them is refused, no other has moved."""
    protected = Protected(build.project)
    held = [tag for tag in build.tags if protected.covers(build.repository, tag) and client.digest_of(path, tag)]
    return [*held, *(tag for tag in build.tags if tag not in held)]


def _who(operation: Operation) -> Actor:
    user = User.objects.filter(pk=str(operation.requested_by), is_active=True).first()
    if user is None:
        raise StepFailed(LOST_RIGHT, {"person": operation.requested_by_name})
    return Actor(user.pk, user.get_username(), rights_of(user), request_id=operation.request_id)


def tidy(build: Build) -> int:
    """What nobody needs of a build that ended goes, unless another of its project is at work just now.

    Answers how much could not go yet.
    """
    others = Build.objects.filter(project=build.project_id, state=Build.State.WORKING).exclude(pk=build.pk)
    cluster = Cluster.objects.filter(pk=str(build.cluster_id)).first() if build.cluster_id else None
    builder = driver_for(cluster).builder() if cluster and not others.exists() else None
    if builder is None:
        return 0
    with drive() as driven:
        return driven.wait(builder.tidy(owner_of(build)))
