"""The engine's own news, as notices about our services, instances and hosts."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from backends.contract import EngineNotice, Reason, ReasonCode, ServiceRef
from backends.swarm import manifests
from backends.swarm.errors import RefusedError
from backends.swarm.observe import ref_of
from backends.swarm.wire import Wire

Raw = Mapping[str, Any]

_TASK = "com.docker.swarm.task.id"
_KINDS = ["service", "container", "node", "network"]
_TELLING = frozenset({"start", "die", "oom", "destroy"})
_REMEMBERED = 10_000


async def notices(wire: Wire) -> AsyncGenerator[EngineNotice, None]:
    """Ends when the engine closes the connection; whoever listens comes again."""
    async with wire.stream("/events", filters={"type": _KINDS}) as stream:
        reader = Reader(wire)
        await reader.learn()
        rest = b""
        while piece := await stream.read():
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                if line.strip() and (notice := await reader.notice(orjson.loads(line))) is not None:
                    yield notice


class Reader:
    """Events name services only by the engine's words; this keeps which service of ours that is."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._services: dict[str, ServiceRef] = {}
        self._told_to_end: OrderedDict[str, None] = OrderedDict()

    async def learn(self) -> None:
        for one in await self._wire.get("/services", filters={"label": [manifests.SERVICE]}):
            self._keep(one)

    async def notice(self, event: Raw) -> EngineNotice | None:
        kind, actor = event.get("Type"), event.get("Actor") or {}
        at = datetime.fromtimestamp(event.get("timeNano", 0) / 1e9, tz=UTC)
        about: Raw = actor.get("Attributes") or {}
        if kind == "container":
            return self._of_container(at, str(event.get("Action", "")), str(actor.get("ID", "")), about)
        if kind == "service":
            ref = await self._service(str(actor.get("ID", "")), removed=event.get("Action") == "remove")
            return EngineNotice(at, "service", ref=ref) if ref else None
        return EngineNotice(at, "host" if kind == "node" else "network")

    def _of_container(self, at: datetime, action: str, container: str, about: Raw) -> EngineNotice | None:
        ref = ref_of(about)
        if ref is None or _TASK not in about:
            return None
        if action == "kill":
            self._told_to_end[container] = None
            while len(self._told_to_end) > _REMEMBERED:
                self._told_to_end.popitem(last=False)
            return None
        if action not in _TELLING and not action.startswith("health_status"):
            return None
        reason = self._reason(action, container, about, ref.service)
        return EngineNotice(at, "instance", ref=ref, instance=about[_TASK], reason=reason)

    def _reason(self, action: str, container: str, about: Raw, service: str) -> Reason | None:
        if action == "oom":
            return Reason(ReasonCode.OUT_OF_MEMORY, {"service": service})
        if action == "health_status: unhealthy":
            return Reason(ReasonCode.UNHEALTHY, {"service": service})
        if action != "die":
            return None
        asked = container in self._told_to_end
        self._told_to_end.pop(container, None)
        code = int(about.get("exitCode") or 0)
        return None if asked or code == 0 else Reason(ReasonCode.EXITED, {"service": service, "exit_code": code})

    async def _service(self, id_: str, *, removed: bool) -> ServiceRef | None:
        if removed:
            return self._services.pop(id_, None)
        if id_ not in self._services:
            try:
                self._keep(await self._wire.get(f"/services/{id_}"))
            except RefusedError as error:
                if error.status != 404:
                    raise
        return self._services.get(id_)

    def _keep(self, service: Raw) -> None:
        ref = ref_of(service["Spec"].get("Labels"))
        if ref is not None:
            self._services[service["ID"]] = ref
