"""The whole way from a kubeconfig to an app that runs, and back from a release that cannot."""

import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps import observing
from apps.models import AppEnvironment
from apps.services import create_app, create_environment, deploy
from apps.specification import from_image
from backends import registry
from backends.kubernetes.client import ApiServer
from backends.models import Cluster
from backends.registry import driver_for
from launcher.processes import until
from operations.models import Operation
from portal import seed
from tests.cluster import LiveCluster
from tests.conftest import Cast, Wakeups

pytestmark = [pytest.mark.kubernetes, pytest.mark.django_db(transaction=True)]

SECONDS = 60
Deployed = Callable[[str], Operation]


@pytest.fixture
def east(cast: Cast, kubernetes: LiveCluster, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster that was made known by its kubeconfig, with the sample images in everybody's list."""
    file = tmp_path / "kubeconfig"
    file.write_text(kubernetes.kubeconfig)
    said = io.StringIO()
    call_command("add_cluster", "east", "--kubeconfig", str(file), stdout=said)
    assert "hosts ready, version 1." in said.getvalue()
    cluster = Cluster.objects.get(name="east")
    seed.offer(cluster, ["berth/hello:1", "berth/hello:crash"])
    yield cluster
    registry.close_all()


@pytest.fixture
def place(cast: Cast, east: Cluster) -> Iterator[AppEnvironment]:
    environment = create_environment(cast.actor("owner"), cast.shop, name="far", stage="dev", cluster=east)
    app = create_app(cast.actor("developer"), cast.shop, name="hello")
    place = app.places.select_related("app", "environment__cluster", "project", "release").get(environment=environment)
    yield place
    driver = driver_for(east)
    for ref in driver.services(place.engine_name):
        driver.remove(ref)


@pytest.fixture
def deployed(cast: Cast, place: AppEnvironment, wakeups: Wakeups) -> Deployed:
    def bring(image: str) -> Operation:
        place.refresh_from_db()
        spec = from_image(image, name="web", instances=2, ports=[8080])
        operation = deploy(cast.actor("developer"), place, spec=spec)
        end = time.monotonic() + SECONDS
        while operation.state in Operation.ACTIVE and time.monotonic() < end:
            wakeups.ids.append(str(operation.pk))
            wakeups.drain(most=2000)
            operation.refresh_from_db()
        return operation

    return bring


def seen(api: ApiServer, place: AppEnvironment) -> dict[str, Any]:
    (workload,) = api.items("Deployment", place.environment.engine_name)
    return workload


def pods(api: ApiServer, place: AppEnvironment) -> set[str]:
    return {pod["metadata"]["uid"] for pod in api.items("Pod", place.environment.engine_name)}


def test_an_app_runs_and_comes_back_from_a_release_that_cannot(
    deployed: Deployed, place: AppEnvironment, east: Cluster, kubernetes: LiveCluster
) -> None:
    first = deployed("berth/hello:1")
    assert first.state == Operation.State.SUCCEEDED, first.failure
    api = ApiServer(kubernetes.access)
    assert seen(api, place)["status"]["readyReplicas"] == 2
    before = pods(api, place)

    second = deployed("berth/hello:crash")
    assert second.state == Operation.State.FAILED
    assert second.failure is not None
    assert second.failure["code"] in ("exited", "crashing")
    assert second.failure["params"]["exit_code"] == 1
    place.refresh_from_db()
    assert place.release is not None
    assert place.release.number == 1
    assert until(lambda: before == pods(api, place), seconds=SECONDS), "those that served before never left"

    assert observing.observe(east)
    east.refresh_from_db()
    assert (east.state, east.engine_version) == (Cluster.State.READY, seen_version(api))
    (service,) = place.services.all()
    assert (service.running, service.wanted, service.phase) == (2, 2, "converged")


def seen_version(api: ApiServer) -> str:
    return str(api.get("/version")["gitVersion"]).removeprefix("v")


def test_a_kubeconfig_that_would_run_a_program_is_refused(cast: Cast, tmp_path: Path) -> None:
    config = {
        "current-context": "x",
        "clusters": [{"name": "c", "cluster": {"server": "https://c.example"}}],
        "users": [{"name": "u", "user": {"exec": {"command": "touch", "args": [str(tmp_path / "done")]}}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(config))
    with pytest.raises(CommandError, match="exec is not taken"):
        call_command("add_cluster", "east", "--kubeconfig", str(file))
    assert not (tmp_path / "done").exists()
    assert not Cluster.objects.filter(name="east").exists()
