"""FakeDriver: the contract over a small world in memory."""

import asyncio
import hashlib
import threading
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime

from backends.contract import (
    Capabilities,
    CheckCode,
    Checkup,
    Credentials,
    Driver,
    DriverError,
    EngineHealth,
    EngineNotice,
    EnvironmentRef,
    ExecSession,
    Finding,
    Given,
    HealthCheck,
    Held,
    HostStatus,
    ImageInfo,
    InstanceState,
    InstanceStatus,
    Leaving,
    Level,
    LogLine,
    LogQuery,
    Phase,
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
from backends.failing import host_gone
from backends.fake import streams
from backends.fake.world import HOST, Instance, Machine, Mood, Service, written
from backends.masking import masked

MISSING_IMAGE = "sha256:" + "0" * 64
_BY_TAG = {"unhealthy": Mood.NEVER_READY, "crash": Mood.CRASHING, "slow": Mood.SLOW, "missing": Mood.REJECTING}
_MEBIBYTE = 1 << 20


class FakeDriver(Driver):
    """`mood` holds for everything; `moods` for single services by their engine name. An image whose tag is
    `unhealthy`, `crash`, `slow` or `missing` behaves so whatever the mood. Things move on with each `status`."""

    def __init__(self, mood: Mood = Mood.WELL) -> None:
        self.mood = mood
        self.moods: dict[str, Mood] = {}
        self.applied: list[ServiceSpec] = []  # every change that was taken, for tests that count
        self.budgets: set[str] = set()  # services (engine names) of which no instance may be taken away
        self.machines = [Machine(HOST, "fake")]
        self.news: list[EngineNotice] = []
        self.found: tuple[Finding, ...] = ()  # by a check
        self._environments: dict[str, EnvironmentRef] = {}
        self._services: dict[ServiceRef, Service] = {}
        self._references: dict[str, str] = {}  # pinned to what it was asked as
        self._lost: set[object] = set()
        self._lock = threading.RLock()

    def capabilities(self) -> Capabilities:
        return Capabilities()

    def health(self) -> EngineHealth:
        if self.mood == Mood.AWAY:
            return EngineHealth(False, reason=Reason(ReasonCode.ENGINE_AWAY))
        return EngineHealth(True, version="fake", hosts_ready=len(self.machines), hosts=len(self.machines))

    def checks(self) -> Checkup:
        if self.mood == Mood.AWAY:
            return Checkup(findings=(Finding(CheckCode.AWAY, Level.BAD, {"said": "nobody is there"}),))
        return Checkup("fake", hosts=1, hosts_ready=1, host_ids=frozenset({HOST}), findings=self.found)

    def hosts(self) -> list[HostStatus]:
        self._reach()
        return [self._host(machine) for machine in self.machines]

    def _host(self, machine: Machine) -> HostStatus:
        reserved = [one.spec.resources for one in self._on(machine.id) if one.status.state == InstanceState.RUNNING]
        return HostStatus(
            id=machine.id,
            name=machine.name,
            ready=True,
            schedulable=machine.open,
            manager=machine.id == HOST,
            address="127.0.0.1",
            engine_version="fake",
            platform="linux/amd64",
            cpu_millicores=8000,
            memory_bytes=16 << 30,
            cpu_reserved=sum(one.cpu_reserved or 0 for one in reserved),
            memory_reserved=sum(one.memory_reserved or 0 for one in reserved),
        )

    def set_schedulable(self, host: str, wanted: bool) -> None:
        self._reach()
        self._machine(host).open = wanted
        self._lose(("set_schedulable", host, wanted))

    def empty(self, host: str) -> Leaving:
        """One instance at each call."""
        self._reach()
        self._machine(host)
        held: dict[ServiceRef, Reason] = {}
        with self._lock:
            there = self._on(host)
            for one in there:
                ref = one.status.ref
                if ref.engine_name in self.budgets:
                    held[ref] = Reason(ReasonCode.HELD_BY_BUDGET, {"service": ref.service})
                elif not self._services[ref].move(one):
                    held[ref] = Reason(ReasonCode.NO_SUITABLE_HOST, {"service": ref.service})
                else:
                    break
        self._lose(("empty", host, len(there)))
        return Leaving(len(there), tuple(Held(ref, reason) for ref, reason in held.items()))

    def add_host(self, id_: str) -> None:
        self.machines.append(Machine(id_, id_))

    def _machine(self, host: str) -> Machine:
        found = next((machine for machine in self.machines if machine.id == host), None)
        if found is None:
            raise host_gone(host)
        return found

    def _on(self, host: str) -> list[Instance]:
        held = [one for service in self._services.values() for one in service.instances]
        return [one for one in held if one.status.host == host and one.status.wanted]

    def _place(self) -> str | None:
        """The open host with the fewest instances."""
        open_ = [machine.id for machine in self.machines if machine.open]
        return min(open_, key=lambda host: len(self._on(host)), default=None)

    def resolve_image(self, reference: str, *, local: bool = False, pull: Credentials | None = None) -> ImageInfo:
        self._reach()
        if not reference or any(letter.isspace() for letter in reference):
            raise DriverError(Reason(ReasonCode.BAD_IMAGE, {"image": reference}), permanent=True)
        if self.mood == Mood.REJECTING or reference.endswith(":missing"):
            raise DriverError(Reason(ReasonCode.IMAGE_NOT_FOUND, {"image": reference}), permanent=True)
        digest = "sha256:" + hashlib.sha256(reference.encode()).hexdigest()
        name = reference.partition("@")[0].rpartition(":")[0] or reference
        pinned = digest if local else f"{name}@{digest}"
        self._references[pinned] = reference
        return ImageInfo(
            reference=reference,
            pinned=pinned,
            digest=digest,
            size_bytes=2 * _MEBIBYTE,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            platform="linux/amd64",
            ports=("8080/tcp",),
            health=HealthCheck(command=("true",)),
            command=("/bin/sh",),
        )

    def held_image(self, reference: str) -> ImageInfo | None:
        return None if reference.endswith(":missing") else self.resolve_image(reference, local=True)

    def ensure_environment(self, environment: EnvironmentRef) -> None:
        self._reach()
        self._environments[environment.name] = environment

    def remove_environment(self, environment: EnvironmentRef) -> bool:
        self._reach()
        if any(ref.environment == environment.name for ref in self._services):
            return False
        self._environments.pop(environment.name, None)
        return True

    def given(self, environment: EnvironmentRef, specs: Sequence[ServiceSpec]) -> Sequence[Given]:
        whole = Given("environment", environment.name, asdict(replace(environment, pull=None)))
        return [whole, *(Given("service", one.ref.engine_name, written(masked(one)), one.ref.service) for one in specs)]

    def apply(self, spec: ServiceSpec) -> None:
        self._reach()
        if spec.ref.environment not in self._environments:
            said = f"network {spec.ref.environment} not found"
            raise DriverError(Reason(ReasonCode.ENGINE_REFUSED, {"said": said}), permanent=True)
        with self._lock:
            self._take(spec)
        self._lose(("apply", spec.revision, spec.instances))

    def _take(self, spec: ServiceSpec) -> None:
        held = self._services.get(spec.ref)
        if held is None:
            self._services[spec.ref] = Service(spec, place=self._place)
        elif (held.spec.revision, held.spec.instances) == (spec.revision, spec.instances):
            return
        else:
            held.ask(spec)
        self.applied.append(spec)
        self.news.append(EngineNotice(datetime.now(UTC), "service", ref=spec.ref))

    def status(self, spec: ServiceSpec) -> ServiceStatus:
        self._reach()
        with self._lock:
            held = self._services.get(spec.ref)
            if held is None:
                return ServiceStatus(spec.ref, Phase.ABSENT, wanted=spec.instances, ready=0, running=0)
            held.look(self._mood_of(held.spec))
            return held.status(spec)

    def remove(self, ref: ServiceRef) -> bool:
        self._reach()
        with self._lock:
            if self._services.pop(ref, None) is not None:
                self.news.append(EngineNotice(datetime.now(UTC), "service", ref=ref))
        self._lose(("remove", ref))
        return True

    def services(self, app: str) -> list[ServiceRef]:
        self._reach()
        return [ref for ref in self._services if ref.app == app]

    def instances(self, ref: ServiceRef) -> list[InstanceStatus]:
        self._reach()
        held = self._services.get(ref)
        return list(held.status().instances) if held else []

    def snapshot(self, *, fresh: bool = False) -> Snapshot:
        self._reach()
        with self._lock:
            services = tuple(held.status() for held in self._services.values())
        return Snapshot(at=datetime.now(UTC), services=services, hosts=tuple(self.hosts()))

    def logs(self, query: LogQuery) -> AsyncGenerator[LogLine, None]:
        return streams.lines(self._asked_for(query), query)

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
        return streams.plain(lambda: self._instance(instance), written)

    async def exec(
        self, instance: str, command: Sequence[str], *, tty: bool = True, columns: int = 80, rows: int = 24
    ) -> ExecSession:
        self._instance(instance)
        await asyncio.sleep(0)
        return streams.FakeExec(command, tty=tty, columns=columns, rows=rows)

    def stats(self, instance: str, *, follow: bool = False) -> AsyncGenerator[UsageSample, None]:
        return streams.usage(lambda: self._instance(instance), follow=follow)

    async def usage(self, instances: Sequence[str]) -> list[UsageCount]:
        self._reach()
        asked = set(instances)
        held = [one for service in self._services.values() for one in _running(service) if one.status.id in asked]
        return [streams.count(one) for one in held]

    async def watch(self) -> AsyncGenerator[EngineNotice, None]:
        self._reach()
        told = len(self.news)
        while True:
            for notice in self.news[told:]:
                told += 1
                yield notice
            await asyncio.sleep(streams.LOOK_SECONDS)
            self._reach()

    def say(self, ref: ServiceRef, number: int, text: bytes, *, stream: str = "stdout") -> None:
        """An instance writes a line."""
        next(one for one in _running(self._services[ref]) if one.status.number == number).say(text, stream=stream)

    def crash(self, ref: ServiceRef, number: int, *, exit_code: int = 1) -> None:
        """An instance that ran ends by itself; the next look starts another."""
        one = next(one for one in _running(self._services[ref]) if one.status.number == number)
        reason = Reason(ReasonCode.EXITED, {"service": ref.service, "exit_code": exit_code})
        one.turn(InstanceState.FAILED, reason=reason, exit_code=exit_code)
        self.news.append(EngineNotice(datetime.now(UTC), "instance", ref=ref, instance=one.status.id, reason=reason))

    def _mood_of(self, spec: ServiceSpec) -> Mood:
        if spec.image == MISSING_IMAGE:
            return Mood.REJECTING
        reference = spec.image_name or self._references.get(spec.image, spec.image)
        by_tag = _BY_TAG.get(reference.rpartition(":")[2])
        return by_tag or self.moods.get(spec.ref.engine_name, self.mood)

    def _instance(self, id_: str) -> Instance:
        self._reach()
        for service in self._services.values():
            for one in service.instances:
                if one.status.id == id_:
                    return one
        raise DriverError(Reason(ReasonCode.INSTANCE_GONE), permanent=True)

    def _asked_for(self, query: LogQuery) -> streams.Lookup:
        def lookup() -> list[Instance]:
            if query.instance is not None:
                return [self._instance(query.instance)]
            self._reach()
            held = [service for ref in query.services if (service := self._services.get(ref))]
            return [one for service in held for one in service.instances]

        return lookup

    def _reach(self) -> None:
        if self.mood == Mood.AWAY:
            raise DriverError(Reason(ReasonCode.ENGINE_AWAY))

    def _lose(self, what: object) -> None:
        if self.mood == Mood.LOSING_ANSWERS and what not in self._lost:
            self._lost.add(what)
            raise DriverError(Reason(ReasonCode.ENGINE_SLOW))


def _running(service: Service) -> list[Instance]:
    return [one for one in service.instances if one.status.state == InstanceState.RUNNING]
