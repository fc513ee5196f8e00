"""Where an instance is: its container, and whether the engine we speak to is its host's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backends.contract import DriverError, Reason, ReasonCode, ServiceRef
from backends.failing import gone
from backends.swarm import manifests
from backends.swarm.errors import RefusedError
from backends.swarm.observe import Run, host_table, runs
from backends.swarm.wire import Wire

Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    run: Run
    local: bool
    host: str
    host_up: bool

    @property
    def id(self) -> str:
        return self.run.instance.id

    @property
    def alive(self) -> bool:
        return self.run.alive

    @property
    def container(self) -> str:
        if not self.run.container:
            raise gone()
        return self.run.container


class Map:
    """Looks instances up; the hosts are asked for once."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._local = ""
        self._nodes: list[Raw] = []

    async def of_instance(self, instance: str) -> Place:
        """Errors: INSTANCE_GONE."""
        if not instance.isalnum():  # it becomes part of a path
            raise gone()
        try:
            task = await self._wire.get(f"/tasks/{instance}")
        except RefusedError as error:
            if error.status == 404:
                raise gone() from error
            raise
        found = await self._read([task])
        if not found:
            raise gone()
        return found[0]

    async def of_service(self, ref: ServiceRef) -> list[Place]:
        """All the engine remembers that ever had a container, oldest first within a number."""
        labels = [f"{name}={value}" for name, value in manifests.identity(ref).items()]
        found = await self._read(await self._wire.get("/tasks", filters={"label": labels}))
        return [place for place in reversed(found) if place.run.container]

    async def running(self) -> list[Place]:
        """All that is meant to run and has a container."""
        found = await self._read(await self._wire.get("/tasks", filters={"desired-state": ["running"]}))
        return [place for place in found if place.run.container]

    async def _read(self, tasks: list[Raw]) -> list[Place]:
        if not self._local:
            self._local = (await self._wire.get("/info"))["Swarm"]["NodeID"]
            self._nodes = await self._wire.get("/nodes")
        table = host_table(self._nodes)
        places = []
        for run in runs(tasks, hosts=table):
            host = table.get(run.instance.host or "")
            name, up = (host.name, host.up) if host else ("", False)
            places.append(Place(run, local=run.instance.host == self._local, host=name, host_up=up))
        return places


async def own_container(wire: Wire, instance: str) -> str:
    """The container of an instance on the engine's own host. Errors: INSTANCE_GONE, HOST_NOT_REACHABLE."""
    place = await Map(wire).of_instance(instance)
    if not place.run.alive:
        raise gone()
    if not place.local:
        raise DriverError(Reason(ReasonCode.HOST_NOT_REACHABLE, {"host": place.host}), permanent=True)
    return place.container
