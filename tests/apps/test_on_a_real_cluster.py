"""The whole way from a kubeconfig to an app that runs, and back from a release that cannot."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps import observing
from apps.models import AppEnvironment
from backends.kubernetes.client import ApiServer
from backends.models import Cluster
from launcher.processes import until
from operations.models import Operation
from tests.apps.far import SECONDS, Deployed, deployed, east, place, pods, workload
from tests.cluster import LiveCluster
from tests.conftest import Cast

__all__ = ["deployed", "east", "place"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.django_db(transaction=True)]


def test_an_app_runs_and_comes_back_from_a_release_that_cannot(
    deployed: Deployed, place: AppEnvironment, east: Cluster, kubernetes: LiveCluster
) -> None:
    first = deployed("berth/hello:1")
    assert first.state == Operation.State.SUCCEEDED, first.failure
    api = ApiServer(kubernetes.access)
    assert workload(api, place)["status"]["readyReplicas"] == 2
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
    with pytest.raises(CommandError, match="user.exec would run a program"):
        call_command("add_cluster", "east", "--kubeconfig", str(file))
    assert not (tmp_path / "done").exists()
    assert not Cluster.objects.filter(name="east").exists()
