"""From "deploy this" to three running instances: Berth against `docker service create` on the same engine."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benchmarks.client import Client, Wrong
from benchmarks.portal import BASE, Portal
from benchmarks.result import Line, Section, milliseconds, percentile
from benchmarks.tap import tapped
from launcher.processes import until

IMAGE = "berth/hello:1"
INSTANCES = 3
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Run:
    """Seconds since the command was sent: until it was answered, the engine had the service, and all were running."""

    answered: float
    engine: float
    running: float
    begun: float = 0.0  # until a worker took it up
    told: float = 0.0  # until the operation said that it succeeded


def measure(portal: Portal, *, runs: int) -> Section:
    """One after the other in turns, so that both meet the machine in the same mood."""
    ours, theirs, client = [], [], portal.client()
    for number in range(runs):
        ours.append(by_berth(portal, client, f"bench-{number}"))
        theirs.append(by_docker(portal, f"bench-docker-{number}"))
    section = report(ours, theirs)
    if not portal.engine:  # only its own engine's socket may be put behind another
        section.lines.insert(1, first_calls(portal, client, runs))
    return section


def by_berth(portal: Portal, client: Client, name: str) -> Run:
    client.post(f"{BASE}/apps", {"name": name}, wanted=201)
    known = services(portal)
    began = time.time()
    answer = client.post(f"{BASE}/apps/{name}/deployments", sent_of(portal), wanted=202)
    answered = time.time()
    operation = finished(client, answer.headers["Location"])
    begun, told = at(operation["started_at"]) - began, at(operation["ended_at"]) - began
    (service,) = services(portal) - known
    run = Run(answered - began, created(portal, service) - began, running(portal, service) - began, begun, told)
    stopping = client.post(f"{BASE}/apps/{name}/environments/dev/stop", {}, wanted=202)
    finished(client, stopping.headers["Location"])
    return run


def sent_of(portal: Portal) -> dict[str, Any]:
    """The body of a deployment."""
    web = {"image": portal.image, "ports": ["8080"], "deploy": {"replicas": INSTANCES}}
    return {"environment": "dev", "spec": {"services": {"web": web}}}


def finished(client: Client, address: str, *, state: str = "succeeded") -> dict[str, Any]:
    """An operation once it has ended as it should; its times are of the database's clock (of this machine)."""
    wait_for(lambda: not client.get(address).json()["active"], f"{address} to end")
    operation: dict[str, Any] = client.get(address).json()
    if operation["state"] != state:
        raise Wrong(f"the operation ended as {operation['state']}: {operation['failure']}")
    return operation


def by_docker(portal: Portal, name: str) -> Run:
    words = ["service", "create", "--detach", "--quiet", "--no-resolve-image", "--name", name]
    words += ["--replicas", str(INSTANCES), "--publish", "mode=host,target=8080", IMAGE]
    began = time.time()
    docker(portal, *words)
    answered = time.time()
    run = Run(answered - began, created(portal, name) - began, running(portal, name) - began)
    docker(portal, "service", "rm", name)
    wait_for(lambda: not docker(portal, "ps", "--quiet", "--filter", f"name={name}."), f"{name} to go")
    return run


def docker(portal: Portal, *words: str) -> str:
    return subprocess.run([*portal.docker, *words], capture_output=True, text=True, check=True).stdout.strip()


def services(portal: Portal) -> set[str]:
    return set(docker(portal, "service", "ls", "--quiet").split())


def created(portal: Portal, service: str) -> float:
    """When the engine took the service, by its own record (same clock: same machine)."""
    (found,) = json.loads(docker(portal, "service", "inspect", service))
    return at(found["CreatedAt"])


def running(portal: Portal, service: str) -> float:
    """When the last of the wanted instances was running, by the engine's own record. Waits for that."""
    wait_for(lambda: len(running_times(portal, service)) >= INSTANCES, f"{service} to run")
    return sorted(running_times(portal, service))[INSTANCES - 1]


def running_times(portal: Portal, service: str) -> list[float]:
    ids = docker(portal, "service", "ps", "--quiet", "--no-trunc", "--filter", "desired-state=running", service).split()
    tasks: list[dict[str, Any]] = json.loads(docker(portal, "inspect", "--type", "task", *ids)) if ids else []
    return [at(task["Status"]["Timestamp"]) for task in tasks if task["Status"]["State"] == "running"]


def wait_for(condition: Callable[[], bool], what: str) -> None:
    if not until(condition, seconds=PATIENCE_SECONDS, every=0.05):
        raise Wrong(f"waited {PATIENCE_SECONDS:.0f} s in vain for {what}")


def at(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 time with up to nine decimals."""
    whole, _dot, rest = text.removesuffix("Z").partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))] or "0"
    zone = rest[len(digits) :] if rest else ""
    return datetime.fromisoformat(f"{whole}{zone or '+00:00'}").timestamp() + float(f"0.{digits}")


def first_calls(portal: Portal, client: Client, runs: int) -> Line:
    """By what comes at the engine's socket, in turns of their own: passing it on costs some time, too."""
    found = []
    with tapped(portal) as calls:
        for number in range(runs):
            name = f"bench-call-{number}"
            client.post(f"{BASE}/apps", {"name": name}, wanted=201)
            answer = client.post(f"{BASE}/apps/{name}/deployments", sent_of(portal), wanted=202)
            answered = time.time()
            finished(client, answer.headers["Location"])
            found.append(calls.first_after(answered) - answered)
            stopping = client.post(f"{BASE}/apps/{name}/environments/dev/stop", {}, wanted=202)
            finished(client, stopping.headers["Location"])
    return Line(
        "202 until the first call to the engine",
        milliseconds(found, tail=0.99),
        budget="p50 ≤ 30 ms, p99 ≤ 150 ms",
        kept=percentile(found, 0.5) <= 0.030 and percentile(found, 0.99) <= 0.150,
        cause="a worker is woken through the broker, which is looked at every 10 ms, and takes the operation over",
    )


def report(ours: list[Run], theirs: list[Run]) -> Section:
    section = Section(
        "Deploy",
        f"{len(ours)} deployments of `{IMAGE}` with {INSTANCES} instances, one at a time, each followed by the same "
        "with `docker service create --detach` on the same engine. The engine's own records (when the service was "
        "created, when each instance was running) end both clocks, so nothing depends on how often we look.",
    )
    answered = [run.answered for run in ours]
    overhead = [run.engine - run.answered for run in ours]
    section.lines = [
        Line(
            "POST until 202",
            milliseconds(answered),
            milliseconds([run.answered for run in theirs]) + " until `docker` returns",
            "p95 ≤ 60 ms",
            percentile(answered, 0.95) <= 0.060,
            "one transaction writes release, deployment, operation and audit entry, and waits for other writers",
        ),
        Line(
            "202 until the engine has the service",
            milliseconds(overhead, tail=0.99),
            milliseconds([run.engine for run in theirs], tail=0.99) + " from command to engine",
        ),
        Line("of these until a worker begins", milliseconds([run.begun - run.answered for run in ours], tail=0.99)),
        ratio("POST until three instances run", [run.running for run in ours], [run.running for run in theirs]),
        Line("POST until Berth says so", milliseconds([run.told for run in ours])),
    ]
    return section


def ratio(what: str, ours: list[float], theirs: list[float], *, whose: str = "docker") -> Line:
    times = percentile(ours, 0.5) / percentile(theirs, 0.5)
    return Line(f"{what} ({times:.2f} times {whose}'s)", milliseconds(ours), milliseconds(theirs))
