"""Which pod and which of its starts an instance is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backends.contract import ServiceRef
from backends.failing import gone
from backends.kubernetes import kinds, names
from backends.kubernetes.errors import RefusedError
from backends.kubernetes.observe import Run, place_of, runs
from backends.kubernetes.wire import Wire

Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    run: Run
    namespace: str
    pod: str
    start: int
    newest: bool  # the pod's present start; of those before it the engine has at most the last one's lines

    @property
    def id(self) -> str:
        return self.run.instance.id

    @property
    def alive(self) -> bool:
        return self.run.alive

    @property
    def told(self) -> bool:
        """Whether the engine has lines of it."""
        instance = self.run.instance
        return instance.exit_code is not None or (self.newest and instance.started_at is not None)

    @property
    def path(self) -> str:
        return kinds.path("Pod", self.namespace, self.pod)


async def of_instance(wire: Wire, instance: str) -> Place:
    """Errors: INSTANCE_GONE."""
    parts = place_of(instance)
    if parts is None:
        raise gone()
    namespace, name, _ = parts
    try:
        pod = await wire.get(kinds.path("Pod", namespace, name))
        ref = names.ref_of(pod)
        if ref is None:
            raise gone()
        found = await of_service(wire, ref)
    except RefusedError as error:
        if error.status == 404:
            raise gone() from error
        raise
    place = next((place for place in found if place.id == instance), None)
    if place is None:
        raise gone()
    return place


async def of_service(wire: Wire, ref: ServiceRef) -> list[Place]:
    """All whose lines the engine may still have, oldest first within a number."""
    asked = names.selector(names.identity(ref))
    pods = (await wire.get(kinds.path("Pod", ref.environment), labelSelector=asked))["items"]
    places = []
    newest: set[str] = set()
    for run in runs(pods, hosts={}, ports={}):
        parts = place_of(run.instance.id)
        if parts is not None:
            places.append(Place(run, *parts, newest=run.pod not in newest))
            newest.add(run.pod)
    return places[::-1]
