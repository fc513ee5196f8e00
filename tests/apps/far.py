"""A cluster that was made known by its kubeconfig, and an app there: for tests on a real one."""

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps.models import AppEnvironment
from apps.services import create_app, create_environment, deploy
from apps.specification import from_image
from backends import registry
from backends.kubernetes.client import ApiServer
from backends.models import Cluster
from backends.registry import driver_for
from operations.models import Operation
from portal import seed
from tests.cluster import LiveCluster
from tests.conftest import Cast, Wakeups

SECONDS = 60
Deployed = Callable[[str], Operation]


@pytest.fixture
def east(cast: Cast, kubernetes: LiveCluster, tmp_path: Path) -> Iterator[Cluster]:
    """With the sample images in everybody's list."""
    file = tmp_path / "kubeconfig"
    file.write_text(kubernetes.kubeconfig)
    said = io.StringIO()
    call_command("add_cluster", "east", "--kubeconfig", str(file), "--everyone", stdout=said)
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
        return ended(deploy(cast.actor("developer"), place, spec=spec), wakeups)

    return bring


def ended(operation: Operation, wakeups: Wakeups) -> Operation:
    """Once it is over, or its time is."""
    end = time.monotonic() + SECONDS
    while operation.state in Operation.ACTIVE and time.monotonic() < end:
        wakeups.ids.append(str(operation.pk))
        wakeups.drain(most=2000)
        operation.refresh_from_db()
    return operation


def workload(api: ApiServer, place: AppEnvironment) -> dict[str, Any]:
    (found,) = api.items("Deployment", place.environment.engine_name)
    return found


def pods(api: ApiServer, place: AppEnvironment) -> set[str]:
    return {pod["metadata"]["uid"] for pod in api.items("Pod", place.environment.engine_name)}
