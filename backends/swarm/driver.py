"""Swarm as a Berth cluster: the calls that change or look; what flows is in logs, exec, stats and watch."""

import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from backends.contract import (
    Builder,
    Capabilities,
    Checkup,
    Credentials,
    Driver,
    DriverError,
    EngineHealth,
    EngineNotice,
    EnvironmentRef,
    ExecSession,
    Given,
    HostStatus,
    ImageInfo,
    InstanceStatus,
    Leaving,
    LogLine,
    LogQuery,
    Reason,
    ReasonCode,
    ServiceRef,
    ServiceSpec,
    ServiceStatus,
    Snapshot,
    UsageCount,
    UsageSample,
    Written,
)
from backends.references import shown_for
from backends.swarm import checks, emptying, exec, files, given, images, logs, manifests, observe, stats, watch
from backends.swarm.building import EngineBuilder
from backends.swarm.capabilities import CAPABILITIES
from backends.swarm.client import EngineClient, TlsFiles
from backends.swarm.ends import Ends
from backends.swarm.errors import RefusedError
from backends.swarm.observe import Host, Run
from backends.swarm.progress import service_status
from backends.swarm.wire import Wire

Raw = Mapping[str, Any]

_TRIES = 5
_NOT_YET_GONE = ("in use", "active endpoints", "not found")  # the last: on its way out, told as a fault of the engine


class SwarmDriver(Driver):
    """`url`: unix:///path or tcp://host:port of a manager. `address`: where ports of that very host are reached from
    outside, if that is not the address the host tells of itself."""

    def __init__(self, url: str, *, tls: TlsFiles | None = None, address: str = "") -> None:
        self._url, self._guarded = url, tls is not None
        self._client = EngineClient(url, tls=tls)
        self._wire = Wire(url, tls=tls)
        self._ends = Ends(self._client)
        self._containers = stats.Containers(self._wire)
        self._address = address
        self._local = ""  # the id of the host whose engine we speak to

    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def health(self) -> EngineHealth:
        try:
            about = self._client.get("/info") or {}
            swarm: Raw = about.get("Swarm") or {}
            if not swarm.get("ControlAvailable"):
                said = swarm.get("Error") or swarm.get("LocalNodeState", "")
                reason = Reason(ReasonCode.NOT_A_MANAGER, {"said": said})
                return EngineHealth(False, version=about.get("ServerVersion", ""), reason=reason)
            table = observe.host_table(self._client.get("/nodes"))
        except DriverError as error:
            return EngineHealth(False, reason=error.reason)
        up = sum(host.up for host in table.values())
        return EngineHealth(True, version=about.get("ServerVersion", ""), hosts_ready=up, hosts=len(table))

    def checks(self) -> Checkup:
        return checks.examine(self._client, url=self._url, guarded=self._guarded)

    def hosts(self) -> list[HostStatus]:
        nodes = self._client.get("/nodes")
        tasks = self._client.get("/tasks", filters={"desired-state": ["running", "accepted"]})
        return observe.host_list(nodes, tasks, table=self._table(nodes))

    def set_schedulable(self, host: str, wanted: bool) -> None:
        emptying.set_schedulable(self._client, host, wanted)

    def empty(self, host: str) -> Leaving:
        return emptying.step(self._client, host)

    def resolve_image(self, reference: str, *, local: bool = False, pull: Credentials | None = None) -> ImageInfo:
        return images.resolve(self._client, reference, local=local, pull=pull)

    def held_image(self, reference: str) -> ImageInfo | None:
        return images.held(self._client, reference)

    def ensure_environment(self, environment: EnvironmentRef) -> None:
        if self._network(environment.name) is None:
            try:
                self._client.post("/networks/create", manifests.network_body(environment))
            except RefusedError as error:
                if error.status != 409:  # somebody else was quicker, with the same name and so the same meaning
                    raise

    def remove_environment(self, environment: EnvironmentRef) -> bool:
        if self._network(environment.name) is None:
            return True
        try:
            self._client.delete(f"/networks/{environment.name}")
        except RefusedError as error:
            if error.status == 404:
                return True
            if error.status in {400, 403, 409} or any(text in error.said for text in _NOT_YET_GONE):
                return False
            raise
        return True

    def given(self, environment: EnvironmentRef, specs: Sequence[ServiceSpec]) -> Sequence[Given]:
        return given.documents(environment, specs)

    def apply(self, spec: ServiceSpec) -> None:
        held = self._service(spec.ref)
        if held is None:
            held = self._create(spec)
        tries = 0
        while held is not None and not _is(held, spec):
            tries += 1
            try:
                self._change(held, spec)
                return
            except RefusedError as error:
                if error.reason.code != ReasonCode.CONFLICT or tries == _TRIES:
                    raise
            held = self._service(spec.ref)

    def status(self, spec: ServiceSpec) -> ServiceStatus:
        service = self._service(spec.ref)
        found = self._ends.explain(self._runs(spec.ref))
        asked = (spec.revision, spec.instances)
        return service_status(spec.ref, service, found, now=datetime.now(UTC), asked=asked)

    def remove(self, ref: ServiceRef) -> bool:
        if self._service(ref) is not None:
            try:
                self._client.delete(f"/services/{ref.engine_name}")
            except RefusedError as error:
                if error.status != 404:
                    raise
        if any(run.alive for run in self._runs(ref)):
            return False
        files.drop_unused(self._client, ref)
        return True

    def services(self, app: str) -> list[ServiceRef]:
        found = self._client.get("/services", filters={"label": [f"{manifests.APP}={app}"]})
        return [ref for one in found if (ref := observe.ref_of(one["Spec"].get("Labels"))) is not None]

    def instances(self, ref: ServiceRef) -> list[InstanceStatus]:
        return [run.instance for run in self._ends.explain(self._runs(ref))]

    def snapshot(self, *, fresh: bool = False) -> Snapshot:
        services = self._client.get("/services", filters={"label": [manifests.SERVICE]})
        tasks = self._client.get("/tasks")
        nodes = self._client.get("/nodes")
        now = datetime.now(UTC)
        table = self._table(nodes)
        by_ref: dict[ServiceRef, list[Run]] = {}
        for run in observe.runs(tasks, hosts=table):
            by_ref.setdefault(run.instance.ref, []).append(run)
        seen = []
        for service in services:
            ref = observe.ref_of(service["Spec"].get("Labels"))
            if ref is not None:
                seen.append(service_status(ref, service, by_ref.get(ref, []), now=now))
        return Snapshot(at=now, services=tuple(seen), hosts=tuple(observe.host_list(nodes, tasks, table=table)))

    def logs(self, query: LogQuery) -> AsyncGenerator[LogLine, None]:
        return logs.lines(self._wire, query)

    def log_bytes(
        self,
        instance: str,
        *,
        timestamps: bool = True,
        since: datetime | None = None,
        until: datetime | None = None,
        follow: bool = False,
    ) -> AsyncGenerator[bytes, None]:
        written = Written(timestamps, since, until, follow)
        return logs.plain(self._wire, instance, written)

    async def exec(
        self, instance: str, command: Sequence[str], *, tty: bool = True, columns: int = 80, rows: int = 24
    ) -> ExecSession:
        return await exec.start(self._wire, instance, command, tty=tty, columns=columns, rows=rows)

    def stats(self, instance: str, *, follow: bool = False) -> AsyncGenerator[UsageSample, None]:
        return stats.samples(self._wire, instance, follow=follow)

    async def usage(self, instances: Sequence[str]) -> list[UsageCount]:
        return await self._containers.counts(instances)

    def watch(self) -> AsyncGenerator[EngineNotice, None]:
        return watch.notices(self._wire)

    def builder(self) -> Builder:
        return EngineBuilder(self._wire)

    def _service(self, ref: ServiceRef) -> Raw | None:
        """Errors: the name is taken by a service that is not ours."""
        try:
            found: Raw = self._client.get(f"/services/{ref.engine_name}")
        except RefusedError as error:
            if error.status == 404:
                return None
            raise
        if observe.ref_of(found["Spec"].get("Labels")) != ref:
            raise _taken(ref.engine_name)
        return found

    def _network(self, name: str) -> Raw | None:
        try:
            found: Raw = self._client.get(f"/networks/{name}")
        except RefusedError as error:
            if error.status == 404:
                return None
            raise
        if (found.get("Labels") or {}).get(manifests.ENVIRONMENT) != name:
            raise _taken(name)
        return found

    def _create(self, spec: ServiceSpec) -> Raw | None:
        """None: made. What is there instead, if somebody was quicker."""
        body = manifests.service_body(spec, attempt=uuid.uuid4().hex, files=files.ensure(self._client, spec))
        try:
            self._client.post("/services/create", body, pull=shown_for(spec.image, spec.pull))
        except RefusedError as error:
            if error.status != 409:
                raise
            return self._service(spec.ref)
        return None

    def _change(self, held: Raw, spec: ServiceSpec) -> None:
        before = held["Spec"]
        path, version = f"/services/{held['ID']}/update", held["Version"]["Index"]
        if _revision(held) == spec.revision:
            self._client.post(path, manifests.scaled(before, instances=spec.instances), version=version)
            return
        ids = files.ensure(self._client, spec)
        body = manifests.service_body(spec, attempt=uuid.uuid4().hex, files=ids)
        self._client.post(path, body, pull=shown_for(spec.image, spec.pull), version=version)
        old = files.ids_in(before)
        if old or ids:
            files.drop_unused(self._client, spec.ref, keep=old | set(ids.values()))

    def _runs(self, ref: ServiceRef) -> list[Run]:
        labels = [f"{name}={value}" for name, value in manifests.identity(ref).items()]
        tasks = self._client.get("/tasks", filters={"label": labels})
        return observe.runs(tasks, hosts=self._table(self._client.get("/nodes"))) if tasks else []

    def _table(self, nodes: Sequence[Raw]) -> dict[str, Host]:
        if self._address and not self._local:
            self._local = self._client.get("/info")["Swarm"]["NodeID"]
        return observe.host_table(nodes, local=self._local, address=self._address)


def _revision(held: Raw) -> str:
    return str((held["Spec"].get("Labels") or {}).get(manifests.REVISION, ""))


def _is(held: Raw, spec: ServiceSpec) -> bool:
    return _revision(held) == spec.revision and held["Spec"]["Mode"]["Replicated"]["Replicas"] == spec.instances


def _taken(name: str) -> DriverError:
    return DriverError(
        Reason(ReasonCode.ENGINE_REFUSED, {"said": f"{name} is taken by something else"}), permanent=True
    )


__all__ = ["SwarmDriver", "TlsFiles"]
