"""Run as a process of its own by the fault tests: a portal without its server, on a state folder of the test's.

It reads one command a line, a list of words in JSON, and does each in a process forked for it, which may die; what
became of that (`code`, `output`, `errors`) is its answer, a line of JSON. So Django is loaded once, not for each.

`deploy NAME IMAGE` accepts a deployment · `work ID [--die-at POINT]` works on an operation, killing itself at a point ·
`report ID` prints what became of it as JSON · `turn DEED` suspends, resumes, archives or restores the whole project ·
`stand ID` prints what became of that.
"""

import argparse
import json
import multiprocessing
import os
import pkgutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

import django

django.setup()

from django.db.models.functions import Now

from apps import services as apps
from apps.lifecycle import services as lifecycle
from apps.models import App, AppEnvironment
from apps.specification import from_image
from audit.chain import chains, verify
from audit.models import AuditEntry
from backends.registry import driver_for
from operations import running, services
from operations.models import Operation
from portal.seed import owner_actor
from tenants.models import Project

#: where a worker can die: (module attribute, before or after the call, the how-manieth call)
POINTS: dict[str, tuple[str, str, int]] = {
    "after the claim": ("operations.services.claim", "after", 1),
    "before the first pause is written": ("operations.services.pause", "before", 1),
    "after the first pause": ("operations.services.pause", "after", 1),
    "before the engine is asked": ("backends.swarm.driver.SwarmDriver.apply", "before", 1),
    "after the engine was asked": ("backends.swarm.driver.SwarmDriver.apply", "after", 1),
    "after the second pause": ("operations.services.pause", "after", 2),
    "before the end is written": ("operations.services.settle", "before", 1),
    "while the end is written": ("operations.services._record_end", "after", 1),
    "after the end is written": ("operations.services.settle", "after", 1),
    "before it is declared": ("apps.lifecycle.operations.begin", "before", 1),
    "after it is declared": ("apps.lifecycle.operations.begin", "after", 1),
    "after something was removed": ("backends.swarm.driver.SwarmDriver.remove", "after", 1),
    "after a network was removed": ("backends.swarm.driver.SwarmDriver.remove_environment", "after", 1),
}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying(original: Callable[..., Any], when: str, count: int) -> Callable[..., Any]:
    calls = 0

    def run(*args: Any, **params: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == count and when == "before":
            die()
        result = original(*args, **params)
        if calls == count:
            die()
        return result

    return run


def deploy(name: str, image: str) -> None:
    actor = owner_actor()
    project = Project.objects.get(tenant__name="demo", name="shop")
    app = App.objects.filter(name=name).first() or apps.create_app(actor, project, name=name)
    place = app.places.select_related("app", "environment__cluster", "project", "release").get(environment__name="dev")
    print(apps.deploy(actor, place, spec=from_image(image, name="web", instances=1, ports=[8080])).pk)


def turn(deed: str) -> None:
    print(getattr(lifecycle, deed)(owner_actor(), Project.objects.get(tenant__name="demo", name="shop")).pk)


def work(operation_id: str, *, seconds: float) -> None:
    """What a worker does, until the operation is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        operation = services.claim(operation_id)
        if operation is not None:
            running.run_step(operation)
        elif not Operation.objects.filter(pk=operation_id, state__in=Operation.ACTIVE).exists():
            return
        elif operation is None:
            time.sleep(0.05)
    raise SystemExit(f"operation {operation_id} is not over after {seconds} s")


def work_and_die(operation_id: str, point: str, *, seconds: float) -> None:
    target, when, count = POINTS[point]
    module, _dot, name = target.rpartition(".")
    original = pkgutil.resolve_name(module)
    with mock.patch(target, dying(getattr(original, name), when, count)):
        work(operation_id, seconds=seconds)


def report(operation_id: str) -> None:
    operation = Operation.objects.get(pk=operation_id)
    place = operation.deployment.place
    held = driver_for(place.environment.cluster).services(place.engine_name)
    ends = AuditEntry.objects.filter(operation_id=operation_id, action="app.deploy.run")
    answer = {
        "state": operation.state,
        "services": [ref.service for ref in held],
        "ends": list(ends.values_list("result", flat=True)),
        "release": place.release.number if place.release else None,
        "chains_hold": all(verify(chain).holds for chain in chains()),
        "events": list(operation.events.order_by("seq").values_list("seq", flat=True)),
    }
    print(json.dumps(answer))


def stand(operation_id: str) -> None:
    """What became of a turn: its own end, the project's state, and what the engine holds of each deployed app."""
    operation = Operation.objects.get(pk=operation_id)
    places = AppEnvironment.objects.filter(project_id=operation.project_id, release__isnull=False)
    held = {
        place.app.name: len(driver_for(place.environment.cluster).services(place.engine_name))
        for place in places.select_related("app", "environment__cluster")
    }
    ends = AuditEntry.objects.filter(operation_id=operation_id, action=operation.kind)
    answer = {
        "state": operation.state,
        "project": Project.objects.get(pk=operation.project_id).state,
        "held": held,
        "stopped": sorted(set(places.values_list("stopped", flat=True))),
        "ends": list(ends.values_list("result", flat=True)),
        "chains_hold": all(verify(chain).holds for chain in chains()),
        "events": list(operation.events.order_by("seq").values_list("seq", flat=True)),
    }
    print(json.dumps(answer))


def expire(operation_id: str) -> None:
    """A minute passes: the dead worker's lease is over."""
    Operation.objects.filter(pk=operation_id).exclude(lease_until=None).update(lease_until=Now())


def do(words: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("deed", choices=["deploy", "work", "report", "expire", "turn", "stand"])
    parser.add_argument("words", nargs="+")
    parser.add_argument("--die-at", choices=list(POINTS))
    parser.add_argument("--seconds", type=float, default=90.0)
    asked = parser.parse_args(words)
    if asked.deed == "work" and asked.die_at:
        work_and_die(asked.words[0], asked.die_at, seconds=asked.seconds)
    elif asked.deed == "work":
        work(asked.words[0], seconds=asked.seconds)
    else:
        {"deploy": deploy, "report": report, "expire": expire, "turn": turn, "stand": stand}[asked.deed](*asked.words)


def forked(words: list[str]) -> dict[str, Any]:
    """Do this in a process of its own; its exit code (the signal, negative) and what it printed."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        child = multiprocessing.get_context("fork").Process(target=speaking_into, args=(output, errors, words))
        child.start()
        child.join()
        return {"code": child.exitcode, "output": whole(output), "errors": whole(errors)}


def speaking_into(output: IO[str], errors: IO[str], words: list[str]) -> None:
    os.dup2(output.fileno(), 1)
    os.dup2(errors.fileno(), 2)
    do(words)


def whole(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(forked(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
