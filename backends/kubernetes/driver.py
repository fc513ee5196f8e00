"""Kubernetes as a Berth cluster: the calls that change or look; what flows is in logs, exec, stats and watch."""

import time
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from backends.contract import (
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
    InstanceState,
    InstanceStatus,
    Leaving,
    LogLine,
    LogQuery,
    Phase,
    ServiceRef,
    ServiceSpec,
    ServiceStatus,
    Snapshot,
    UsageCount,
    UsageSample,
    Written,
)
from backends.failing import slow
from backends.kubernetes import (
    checks,
    claims,
    emptying,
    environments,
    exec,
    given,
    hosts,
    images,
    kinds,
    latest,
    logs,
    manifests,
    names,
    pages,
    stats,
    watch,
)
from backends.kubernetes.access import Access
from backends.kubernetes.capabilities import CAPABILITIES
from backends.kubernetes.client import READ_SECONDS, ApiServer
from backends.kubernetes.ends import Ends
from backends.kubernetes.errors import RefusedError, creation_reason
from backends.kubernetes.observe import Ports, Run, runs
from backends.kubernetes.progress import held, service_status
from backends.kubernetes.store import SELECTORS, Store
from backends.kubernetes.wire import Wire
from backends.references import shown_for

Raw = Mapping[str, Any]

_IMMUTABLE = 422  # what cannot be changed in place is made anew
_LOOK_SECONDS = 0.1
_CACHED = {"resourceVersion": "0"}  # as the API has it in its memory


class KubernetesDriver(Driver):
    def __init__(self, access: Access) -> None:
        self._client = ApiServer(access)
        self._wire = Wire(access)
        self._ends = Ends(self._client)
        self._storage = claims.Storage(self._client)
        self.store = Store()

    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def health(self) -> EngineHealth:
        try:
            self._client.holds()
            version = str(self._client.get("/version").get("gitVersion", "")).removeprefix("v")
            table = hosts.table(self._client.items("Node", **_CACHED))
        except DriverError as error:
            return EngineHealth(False, reason=error.reason)
        up = sum(host.up for host in table.values())
        return EngineHealth(True, version=version, hosts_ready=up, hosts=len(table))

    def checks(self) -> Checkup:
        return checks.examine(self._client)

    def hosts(self) -> list[HostStatus]:
        return hosts.listed(self._client.items("Node"), self._client.items("Pod", **_CACHED))

    def set_schedulable(self, host: str, wanted: bool) -> None:
        emptying.set_schedulable(self._client, host, wanted)

    def empty(self, host: str) -> Leaving:
        return emptying.step(self._client, host)

    def resolve_image(self, reference: str, *, local: bool = False, pull: Credentials | None = None) -> ImageInfo:
        if not local:
            self.ensure_environment(images.PLACE)
        return images.resolve(self._client, reference, local=local, pull=shown_for(reference, pull))

    def held_image(self, reference: str) -> ImageInfo | None:
        return images.on_hosts(reference, self._client.items("Node"))

    def ensure_environment(self, environment: EnvironmentRef) -> None:
        wanted = environments.layout(environment)
        held = self._client.find("Namespace", "", environment.name)
        if held is not None and names.note(held, names.LAYOUT) == wanted and not _leaving(held):
            return
        self._client.apply(environments.namespace(environment))
        for one in environments.objects(environment):
            self._client.apply(one)
        self._client.apply(environments.namespace(environment, stamp=wanted))

    def remove_environment(self, environment: EnvironmentRef) -> bool:
        held = self._client.find("Namespace", "", environment.name)
        if held is None:
            return True
        if not _leaving(held):
            if any(self._workloads(environment.name)):
                return False
            self._client.delete(kinds.path("Namespace", "", environment.name))
        return self._client.find("Namespace", "", environment.name) is None

    def given(self, environment: EnvironmentRef, specs: Sequence[ServiceSpec]) -> Sequence[Given]:
        return given.documents(environment, specs)

    def apply(self, spec: ServiceSpec) -> None:
        workload = self._workload(spec.ref)
        before = held(workload)
        resized = claims.resized(spec, workload)
        same = before is not None and before.asked == (spec.revision, spec.instances) and not before.edited
        if same and not resized:
            return  # it is applied last, so all beside it is there too
        if workload is not None and before is not None:
            if before.edited:
                self._client.own(workload)
            self._drop_other_kind(spec)
            if before.revision == spec.revision:  # scaling must touch the number only, or instances would be replaced
                spec = replace(spec, image_name=before.image_name)
        objects = manifests.objects(spec)
        self._make_room(spec, workload, resized=resized)
        for one in objects:
            self._apply(one)
        if before is not None:
            self._tidy(spec.ref, wanted={(one["kind"], one["metadata"]["name"]) for one in objects})
            self._free_stuck(spec, edited=before.edited)

    def _make_room(self, spec: ServiceSpec, workload: Raw | None, *, resized: bool) -> None:
        """Volumes that are there get their size; their workload goes, and leaves its instances to the new one."""
        if not resized and (workload is not None or not spec.volumes):
            return
        claims.prepare(self._client, spec, known=resized)
        if workload is not None:
            self._client.delete(kinds.path_of(workload), propagationPolicy="Orphan")
            self._await_gone(workload)
        claims.drop_unborn(self._client, spec, known=resized)

    def _apply(self, one: Raw) -> None:
        try:
            self._client.apply(one)
        except RefusedError as error:
            if error.status != _IMMUTABLE or one["kind"] != "StatefulSet":
                raise
            # another volume: volumes stay, but all instances are made anew, for the engine changes none of theirs
            self._client.delete(kinds.path_of(one))
            self._await_gone(one)
            self._client.apply(one)

    def _await_gone(self, one: Raw) -> None:
        about = one["metadata"]
        deadline = time.monotonic() + READ_SECONDS
        while self._client.find(one["kind"], about["namespace"], about["name"]) is not None:
            if time.monotonic() > deadline:
                raise slow()
            time.sleep(_LOOK_SECONDS)

    def _drop_other_kind(self, spec: ServiceSpec) -> None:
        """A service that gets its first volume, or loses its last, becomes another kind of thing."""
        ref = spec.ref
        for kind in kinds.WORKLOADS:
            if kind != manifests.workload_kind(spec) and self._client.find(kind, ref.environment, ref.engine_name):
                self._client.delete(kinds.path(kind, ref.environment, ref.engine_name))

    def _tidy(self, ref: ServiceRef, *, wanted: set[tuple[str, str]]) -> None:
        """What an earlier revision had beside its workload, this one has not, and no instance uses any more."""
        pods = self._client.items("Pod", ref.environment, labelSelector=_of(ref))
        used = wanted | {use for pod in pods for use in uses_of(pod["spec"])}
        for kind in kinds.BESIDE:
            for one in self._client.items(kind, ref.environment, labelSelector=_of(ref)):
                name = one["metadata"]["name"]
                if (kind, name) not in used:
                    self._client.delete(kinds.path(kind, ref.environment, name))

    def _free_stuck(self, spec: ServiceSpec, *, edited: bool) -> None:
        """Stateful instances that never came up are not replaced by the engine: it waits for them, for ever. And those
        of what somebody else put in bear our revision: their end is none of it.
        """
        if manifests.workload_kind(spec) != "StatefulSet" and not edited:
            return
        for run in self._runs(spec.ref):
            stuck = edited or (run.instance.wanted and run.instance.revision != spec.revision)
            if stuck and run.instance.state not in (InstanceState.RUNNING, InstanceState.STOPPING):
                self._client.delete(kinds.path("Pod", spec.ref.environment, run.pod))

    def status(self, spec: ServiceSpec) -> ServiceStatus:
        workload = self._workload(spec.ref)
        found = self._ends.explain(self._runs(spec.ref))
        asked = (spec.revision, spec.instances)
        status = service_status(spec.ref, workload, found, now=datetime.now(UTC), asked=asked)
        if workload is not None and status.phase == Phase.FAILING:
            workload, found = latest.told(self._client, workload, found)
            status = service_status(spec.ref, workload, found, now=datetime.now(UTC), asked=asked)
        if claims.resized(spec, workload):
            return replace(status, phase=Phase.OUTDATED)
        if status.phase == Phase.CONVERGED and spec.volumes:
            return self._grown(spec, status)
        if workload is None or status.phase != Phase.PROGRESSING or len(found) >= spec.instances:
            return status
        reason = creation_reason(latest.refusal(self._client, workload), service=spec.ref.service)
        return replace(status, phase=Phase.FAILING, reason=reason) if reason else status

    def _grown(self, spec: ServiceSpec, status: ServiceStatus) -> ServiceStatus:
        """All instances are there; their volumes may still be on the way to their size."""
        growing, failed = claims.growth(self._client, spec)
        if not growing:
            return status
        return replace(status, phase=Phase.FAILING if failed else Phase.PROGRESSING, reason=failed)

    def remove(self, ref: ServiceRef) -> bool:
        labels = names.identity(ref)
        if any(self._workloads(ref.environment, labelSelector=_of(ref))):
            self._client.delete_all(kinds.WORKLOADS, ref.environment, labels=labels)
        if self._client.items("Pod", ref.environment, labelSelector=_of(ref)):
            return False
        self._client.delete_all(kinds.BESIDE, ref.environment, labels=labels)
        return True

    def services(self, app: str) -> list[ServiceRef]:
        asked = f"{names.OURS},{names.APP}={app}"
        return [ref for one in self._workloads(labelSelector=asked) if (ref := names.ref_of(one)) is not None]

    def instances(self, ref: ServiceRef) -> list[InstanceStatus]:
        return [run.instance for run in self._ends.explain(self._runs(ref))]

    def snapshot(self, *, fresh: bool = False) -> Snapshot:
        self._client.holds()
        if fresh:
            self.store.doubt()
        pods, nodes = self._everything("Pod"), self._everything("Node")
        workloads = [one for kind in kinds.WORKLOADS for one in self._everything(kind)]
        ways_in = self._everything("Service")
        now = datetime.now(UTC)
        by_ref: dict[ServiceRef, list[Run]] = {}
        found = runs(pods, hosts=hosts.table(nodes), ports=ports_of(ways_in))
        for run in self._ends.explain(found):
            by_ref.setdefault(run.instance.ref, []).append(run)
        seen = [
            service_status(ref, one, by_ref.get(ref, []), now=now)
            for one in workloads
            if (ref := names.ref_of(one)) is not None
        ]
        forged = names.forged((*workloads, *pods), there={one.ref for one in seen})
        return Snapshot(now, tuple(seen), tuple(hosts.listed(nodes, pods)), tuple(forged), self._storage.grows())

    def _everything(self, kind: str) -> list[dict[str, Any]]:
        """As the watch has told it; where there is none, as the engine says now."""
        known = self.store.all(kind)
        if known is not None:
            return known
        found: list[dict[str, Any]] = []
        more: str | None = ""
        while more is not None:
            page = pages.page_of(kind, self._client.read(kinds.path(kind), **pages.asked(more, SELECTORS[kind])))
            found += page.things.values()
            more = page.more or None
        return found

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
        return await stats.counts(self._wire, instances)

    def watch(self) -> AsyncGenerator[EngineNotice, None]:
        return watch.notices(self._wire, self.store)

    def _workload(self, ref: ServiceRef) -> Raw | None:
        found = [self._client.find(kind, ref.environment, ref.engine_name) for kind in kinds.WORKLOADS]
        return next((one for one in found if one is not None and not _leaving(one)), None)

    def _workloads(self, namespace: str = "", **query: Any) -> list[dict[str, Any]]:
        return [one for kind in kinds.WORKLOADS for one in self._client.items(kind, namespace, **query)]

    def _runs(self, ref: ServiceRef) -> list[Run]:
        pods = self._client.items("Pod", ref.environment, labelSelector=_of(ref))
        if not pods:
            return []
        way_in = self._client.find("Service", ref.environment, ref.engine_name)
        nodes = self._client.items("Node", **_CACHED)
        return runs(pods, hosts=hosts.table(nodes), ports=ports_of([way_in] if way_in else []))


def ports_of(services: Iterable[Raw]) -> Ports:
    """By service: which port of its instances is reached by which port of their hosts."""
    found: dict[ServiceRef, list[tuple[int, int]]] = {}
    for one in services:
        ref = names.ref_of(one)
        if ref is not None and one["spec"].get("type") == "NodePort":
            ports = one["spec"].get("ports") or ()
            found[ref] = [(port["targetPort"], port["nodePort"]) for port in ports if port.get("nodePort")]
    return found


def uses_of(pod: Raw) -> set[tuple[str, str]]:
    """The Secrets and ConfigMaps that a pod needs whenever one of its containers starts."""
    values = [one.get("valueFrom") or {} for container in pod["containers"] for one in container.get("env") or ()]
    used = {("Secret", value["secretKeyRef"]["name"]) for value in values if "secretKeyRef" in value}
    for volume in pod.get("volumes") or ():
        if "secret" in volume:
            used.add(("Secret", volume["secret"]["secretName"]))
        if "configMap" in volume:
            used.add(("ConfigMap", volume["configMap"]["name"]))
    return used


def _of(ref: ServiceRef) -> str:
    return names.selector(names.identity(ref))


def _leaving(thing: Raw) -> bool:
    return bool(thing["metadata"].get("deletionTimestamp"))
