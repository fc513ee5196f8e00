"""Images are built on a real engine, apart from everything there, and pulled from a real registry."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.lifecycle.purging import purge_deleted
from backends.models import Cluster
from core.clock import from_now
from images import tasks
from images.models import Artifact, Build, Builder, BuildPolicy, Repository, Tag
from images.promotion.selectors import builders
from images.registry import client
from launcher.registry import Berth, PrivateRegistry
from operations.models import Operation
from tenants.models import Project
from tests.building.conftest import BUILDS, Asker, step, tar, work_off
from tests.conftest import PASSWORD, Cast
from tests.engine import LiveEngine, engine
from tests.images.real import Clients, T, asked

__all__ = ["engine"]
pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
BUSYBOX = Path("/bin/busybox").read_bytes() if Path("/bin/busybox").exists() else b""
HEAD = "FROM scratch\nCOPY busybox /bin/busybox\n"
SHELL = 'RUN ["/bin/busybox", "sh", "-c", "%s"]\n'


def sources(recipe: str, **more: str) -> dict[str, bytes | str]:
    return {"Dockerfile": recipe, "busybox": BUSYBOX, **more}


@pytest.fixture
def clients(cast: Cast, engine: LiveEngine, tmp_path: Path, settings: Any) -> Iterator[Clients]:
    """At a registry to which the engine may push."""
    with reached(engine, tmp_path, settings, PrivateRegistry) as (made, _registry, _berth):
        yield made


@contextmanager
def reached(engine: LiveEngine, folder: Path, settings: Any, kind: type[T]) -> Iterator[tuple[Clients, T, Berth]]:
    """A registry at an address that the engine reaches, a portal that it asks, and the engine as a builder."""
    cluster = Cluster.objects.create(name="real", kind=Cluster.Kind.SWARM, address=engine.url)
    Builder.objects.create(cluster=cluster, network=True, allowed_by="operator")
    with asked(engine.machine, folder, settings, kind) as (registry, berth):
        yield Clients.of(engine, registry, folder), registry, berth


def succeeded(asker: Asker, build: Build) -> Build:
    operation = work_off(build)
    assert operation.state == Operation.State.SUCCEEDED, (operation.failure, asker.log(build))
    return build


def containers(clients: Clients) -> str:
    return clients.docker("ps", "-aq", "--filter", "label=build.berth.owner").stdout.strip()


def dangling(clients: Clients, owner: str) -> list[str]:
    found = clients.docker("images", "-q", "--filter", "dangling=true", "--filter", f"label=build.berth.owner={owner}")
    return found.stdout.split()


def test_it_is_built_pulled_and_run(clients: Clients, asker: Asker, cast: Cast) -> None:
    recipe = HEAD + "ARG SAYS=nothing\nENV SAYS=$SAYS\n" + SHELL % "echo built at once $SAYS"
    build = succeeded(asker, asker.build(sources(recipe), arguments={"SAYS": "hello"}, tags=["1", "2"]))
    assert "built at once hello" in asker.log(build)
    path = "acme/shop/web"
    assert {client.digest_of(path, "1"), client.digest_of(path, "2")} == {build.digest}
    assert clients.login("guest", PASSWORD).returncode == 0
    assert clients.fetch(path).returncode == 0
    ran = clients.docker(
        "run", "--rm", "--network", "none", clients.image(path), "/bin/busybox", "sh", "-c", "echo $SAYS"
    )
    assert ran.stdout.strip() == "hello", ran.stderr
    assert builders(build.digest, tenant=cast.acme.pk) == {"developer"}
    assert not containers(clients)
    told = clients.docker("images", "--format", "{{.Repository}}").stdout
    assert told.count("berth.build/") >= 1  # what the next one takes its steps from

    child = "ARG BASE\nFROM ${BASE}\n" + SHELL % "echo upon $SAYS"
    given = {"BASE": clients.image(path)}
    upon = succeeded(asker, asker.build({"Dockerfile": child}, repository="upon", arguments=given))
    assert "upon hello" in asker.log(upon)
    assert client.digest_of("acme/shop/upon", "1") == upon.digest


def test_it_is_built_upon_what_the_platform_offers(clients: Clients, asker: Asker) -> None:
    real = Cluster.objects.get(name="real")
    found = clients.docker("images", "--quiet", "--no-trunc", "berth/hello:1").stdout.split()[0]
    home = Repository.objects.create(name="berth/hello", cluster=real)
    artifact = Artifact.objects.create(repository=home, digest=found, pinned=found)
    Tag.objects.create(repository=home, name="1", artifact=artifact)
    succeeded(asker, asker.build({"Dockerfile": "FROM berth/hello:1\nLABEL more=1\n"}))
    home.cluster = Cluster.objects.create(name="other", kind=Cluster.Kind.SWARM)
    home.save()
    operation = work_off(asker.build({"Dockerfile": "FROM berth/hello:1\n"}))
    assert operation.failure["code"] == "build_base_elsewhere"


def test_steps_are_taken_over_from_the_same_project_alone(
    clients: Clients, asker: Asker, api: Callable[[str], APIClient], cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = HEAD + SHELL % "/bin/busybox date +%s%N > /when"
    first = succeeded(asker, asker.build(sources(recipe)))
    assert "Using cache" not in asker.log(first)
    again = succeeded(asker, asker.build(sources(recipe)))
    assert asker.log(again).count("Using cache") >= 3
    assert again.digest == first.digest
    monkeypatch.setattr("tests.building.conftest.P", "/api/v1/tenants/globex/projects/store")
    monkeypatch.setattr("tests.building.conftest.BUILDS", "/api/v1/tenants/globex/projects/store/builds")
    stranger = Asker(api("outsider"))
    other = succeeded(stranger, stranger.build(sources(recipe)))
    assert "Using cache" not in stranger.log(other)
    assert other.digest != first.digest


@pytest.fixture
def neighbour(clients: Clients) -> Iterator[str]:
    """The address of a container that serves on the engine's own network, as a build with the network would be on."""
    made = clients.docker("run", "--detach", "--rm", "berth/hello:1")
    assert made.returncode == 0, made.stderr
    name = made.stdout.strip()
    found = clients.docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", name)
    yield found.stdout.strip()
    clients.docker("rm", "--force", name)


def test_nothing_is_reached_unless_it_is_allowed(clients: Clients, asker: Asker, cast: Cast, neighbour: str) -> None:
    host, _colon, port = clients.address.rpartition(":")
    registry = f"/bin/busybox nc -w 3 {host} {port} </dev/null && echo ANSWERED registry || echo apart from registry"
    other = f"echo GET / | /bin/busybox nc -w 5 {neighbour} 8080 && echo ANSWERED other || echo apart from other"
    look = SHELL % f"{registry}; {other}; /bin/busybox ip addr"
    apart = succeeded(asker, asker.build(sources(HEAD + look)))
    said = [line for line in asker.log(apart).splitlines() if not line.startswith("Step")]
    assert {"apart from registry", "apart from other"} <= set(said)
    assert not [line for line in said if line.startswith("ANSWERED") or "eth" in line]
    refused = asker.ask(address="https://example.com/x.git", network=True)
    assert refused.status_code == 422
    assert "network" in [one["field"] for one in refused.json()["errors"]]
    BuildPolicy.objects.create(tenant=cast.acme, project=cast.shop, network=True)
    asked = {"repository": "online", "network": True}
    build = succeeded(asker, asker.build(sources(HEAD + look), **asked))
    said = [line for line in asker.log(build).splitlines() if not line.startswith("Step")]
    assert "ANSWERED other" in said
    Builder.objects.update(network=False)  # the operator takes it back again
    waits = asker.ask(address="https://example.com/x.git", **asked)
    assert waits.status_code == 422


def test_it_takes_no_more_than_it_may(clients: Clients, asker: Asker, settings: Any) -> None:
    settings.BUILDS = settings.BUILDS | {"memory_bytes": 64 * 2**20, "seconds": 8, "disk_bytes": 20 * 2**20}
    eats = "/bin/busybox awk 'BEGIN { s = sprintf(\\\"%1000000s\\\", 1); while (1) a[i++] = s i }'"
    assert work_off(asker.build(sources(HEAD + SHELL % eats))).failure["code"] == "build_failed"
    fills = "/bin/busybox dd if=/dev/zero of=/large bs=1M count=60; /bin/busybox sleep 60"
    assert work_off(asker.build(sources(HEAD + SHELL % fills))).failure["code"] == "build_large"
    assert work_off(asker.build(sources(HEAD + SHELL % "/bin/busybox sleep 60"))).failure["code"] == "build_slow"
    eventually(lambda: not containers(clients))


def eventually(good: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not good():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_what_is_kept_goes_when_its_project_is_gone_for_good(
    clients: Clients, asker: Asker, api: Callable[[str], APIClient], cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept() -> set[str]:
        told = clients.docker("images", "--filter", "label=build.berth.owner", "--format", "{{.Repository}}:{{.Tag}}")
        ours = (cast.shop.pk.hex, cast.store.pk.hex)
        return {name for name in told.stdout.split() if any(f"berth.build/{owner}/" in name for owner in ours)}

    succeeded(asker, asker.build(sources(HEAD + "LABEL of=shop\n")))
    succeeded(asker, asker.build(sources(HEAD + "LABEL of=shop\n"), repository="deep/er"))
    assert clients.login("guest", PASSWORD).returncode == 0
    assert clients.fetch("acme/shop/web").returncode == 0  # as a host does that runs it
    monkeypatch.setattr("tests.building.conftest.P", "/api/v1/tenants/globex/projects/store")
    monkeypatch.setattr("tests.building.conftest.BUILDS", "/api/v1/tenants/globex/projects/store/builds")
    stranger = Asker(api("outsider"))
    succeeded(stranger, stranger.build(sources(HEAD + "LABEL of=store\n")))
    mine = {f"berth.build/{cast.shop.pk.hex}/{name}:kept" for name in ("web", "deep/er")}
    theirs = {f"berth.build/{cast.store.pk.hex}/web:kept"}
    assert kept() == mine | theirs
    Project.objects.filter(pk=cast.shop.pk).update(deleted_at=from_now(-timedelta(days=31)), state="deleted")
    tasks.forget_builds()
    assert kept() == mine | theirs, "deleted is not gone for good"
    assert purge_deleted() == 1
    tasks.forget_builds()
    assert kept() == theirs
    assert clients.docker("images", "-q", clients.image("acme/shop/web")).stdout.strip(), "it has a name of its own"
    assert not dangling(clients, cast.shop.pk.hex)


def test_a_cancel_ends_what_runs(clients: Clients, asker: Asker, cast: Cast) -> None:
    build = asker.build(sources(HEAD + SHELL % "echo begun; /bin/busybox sleep 600"))

    def cancel() -> None:
        eventually(lambda: bool(containers(clients)))
        assert asker.client.delete(f"{BUILDS}/{build.pk}").status_code == 204

    thread = threading.Thread(target=cancel)
    thread.start()
    operation = work_off(build)
    thread.join()
    assert operation.state == Operation.State.CANCELLED
    eventually(lambda: not containers(clients))
    assert not dangling(clients, cast.shop.pk.hex)
    assert "begun" in asker.log(build)


def test_what_a_project_may_not_pull_it_may_not_build_upon(
    clients: Clients, asker: Asker, api: Callable[[str], APIClient]
) -> None:
    assert clients.login("outsider", PASSWORD).returncode == 0
    assert clients.put("globex/store/secret").returncode == 0  # and so it lies on the engine, by name and by id
    refusals = ("build_base_denied", "build_base_away", "recipe_image")
    secret = clients.docker("images", "-q", "--no-trunc", clients.image("globex/store/secret")).stdout.split()[0]
    for image in (clients.image("globex/store/secret"), secret, secret.removeprefix("sha256:")[:12], "127.0.0.1:5/x"):
        for recipe in (f"FROM {image}\n", f"FROM scratch\nCOPY --from={image} / /\n"):
            operation = work_off(asker.build({"Dockerfile": "# first\n" + recipe}))
            assert operation.state == Operation.State.FAILED
            assert operation.failure["code"] in refusals, operation.failure
            assert operation.failure["params"]["line"] in (2, 3)
    hands_on = "FROM scratch\nLABEL x=y\nONBUILD COPY a /a\n"
    assert work_off(asker.build({"Dockerfile": hands_on, "a": "1"}, repository="trigger")).failure is None


def test_a_push_that_may_not_be_is_told(clients: Clients, asker: Asker, cast: Cast) -> None:
    build = asker.build(sources(HEAD))
    step(build)  # its turn
    step(build)  # the sources
    operation = step(build)  # built
    assert operation.step == "pushing", operation.failure
    cast.developer.grants.all().delete()
    operation = work_off(build)
    assert operation.failure["code"] == "not_allowed_any_more"
    assert client.digest_of("acme/shop/web", "1") == ""


def test_a_worker_that_is_killed_leaves_nothing(
    clients: Clients, asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call ends with the process; here it ends without anybody noticing, and the next worker does it again."""
    build = asker.build(sources(HEAD + SHELL % "echo once more"))
    step(build)
    step(build)

    class Killed(BaseException):
        pass

    def die(*_told: object, **_named: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("images.building.logs.Log.flush", die)
        with pytest.raises(Killed):
            step(build)
    Operation.objects.filter(pk=build.operation_id).update(lease_until=None)
    eventually(lambda: not containers(clients))
    succeeded(asker, build)
    assert "once more" in asker.log(build)


def test_a_process_that_is_killed_takes_its_build_with_it(clients: Clients, tmp_path: Path) -> None:
    recipe = (
        "FROM scratch\nLABEL build.berth.owner=killed\nCOPY busybox /bin/busybox\n" + SHELL % "/bin/busybox sleep 600"
    )
    (tmp_path / "sources").write_bytes(tar(sources(recipe), packed=False))
    words = ["-m", "tests.building.alone", clients.engine.url, str(tmp_path / "sources"), "killed"]
    child = subprocess.Popen([sys.executable, *words])
    try:
        eventually(lambda: bool(containers(clients)))
    finally:
        child.kill()
        child.wait()
    eventually(lambda: not containers(clients))
