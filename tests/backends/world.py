"""A place on an engine for one test: an environment of its own, and services to run in it."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

from backends.contract import (
    Driver,
    EnvironmentRef,
    HealthCheck,
    LogLine,
    LogQuery,
    Phase,
    Port,
    Resources,
    RestartPolicy,
    ServiceRef,
    ServiceSpec,
    ServiceStatus,
    UpdatePolicy,
)
from launcher.processes import until

PATIENCE_SECONDS = 45.0
MISSING_IMAGE = "sha256:" + "0" * 64
CHECK = HealthCheck(
    ("timeout", "3", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/healthz"),
    interval_seconds=0.5,
    timeout_seconds=4.0,
    retries=2,
    start_period_seconds=0.5,
)
QUICK = UpdatePolicy(parallelism=4, monitor_seconds=1.0)


@dataclass(frozen=True)
class World:
    """A driver, and an environment of the test's own on it."""

    driver: Driver
    environment: EnvironmentRef

    def spec(
        self, service: str = "web", *, image: str = "berth/hello:1", instances: int = 2, **more: Any
    ) -> ServiceSpec:
        ref = ServiceRef(self.environment.name, f"app-{self.environment.name}", service)
        pinned = image if image == MISSING_IMAGE else self.driver.resolve_image(image, local=True).pinned
        usual: dict[str, Any] = {
            "ports": (Port(8080),),
            "health": CHECK,
            "update": QUICK,
            "restart": RestartPolicy(delay_seconds=0.2),
            "resources": Resources(memory_limit=64 << 20, cpu_reserved=10, memory_reserved=4 << 20),
            "stop_grace_seconds": 1.0,
        }
        return ServiceSpec(ref=ref, image=pinned, instances=instances, image_name=image, **{**usual, **more})

    def saying(self, script: str, *, service: str = "talk", instances: int = 2) -> ServiceSpec:
        return self.spec(
            service, instances=instances, ports=(), health=HealthCheck(()), entrypoint=("/bin/sh", "-c", script)
        )

    def reach(self, spec: ServiceSpec, phase: Phase) -> ServiceStatus:
        """Look until the service is in that phase."""
        seen = [self.driver.status(spec)]

        def there() -> bool:
            seen[0] = self.driver.status(spec)
            return seen[0].phase == phase

        assert until(there, seconds=PATIENCE_SECONDS, every=0.1), f"not {phase}: {seen[0]}"
        return seen[0]

    def run(self, spec: ServiceSpec) -> ServiceStatus:
        self.driver.apply(spec)
        return self.reach(spec, Phase.CONVERGED)

    def removed(self, ref: ServiceRef) -> bool:
        return until(lambda: self.driver.remove(ref), seconds=PATIENCE_SECONDS, every=0.1)

    def leave(self) -> None:
        """Ask for the end of everything, and wait for nothing."""
        for ref in self.driver.services(f"app-{self.environment.name}"):
            self.driver.remove(ref)

    def clear(self) -> None:
        for ref in self.driver.services(f"app-{self.environment.name}"):
            assert self.removed(ref), f"instances of {ref} are still there"
        assert until(lambda: self.driver.remove_environment(self.environment), seconds=PATIENCE_SECONDS, every=0.1)


def new_world(driver: Driver) -> World:
    world = World(driver, EnvironmentRef(f"t{secrets.token_hex(4)}"))
    driver.ensure_environment(world.environment)
    return world


One = TypeVar("One")


async def take(stream: AsyncGenerator[One, None], count: int, *, seconds: float = PATIENCE_SECONDS) -> list[One]:
    """The first `count`; closes the stream."""
    taken: list[One] = []
    async with asyncio.timeout(seconds), aclosing(stream):
        async for one in stream:
            taken.append(one)
            if len(taken) == count:
                break
    return taken


async def past_lines(driver: Driver, query: LogQuery, count: int) -> list[LogLine]:
    """What was written so far, once it is at least `count` lines: an engine keeps a line a moment after it was said."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            lines = [line async for line in driver.logs(query)]
            if len(lines) >= count:
                return lines
            await asyncio.sleep(0.05)
