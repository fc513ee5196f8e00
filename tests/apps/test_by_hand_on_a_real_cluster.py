"""What somebody does on the cluster itself, past Berth: it is shown and put right; what bears our marks is not ours."""

import json
from typing import Any

import pytest

from apps import observing, reconciling
from apps.models import AppEnvironment
from apps.selectors.state import PlaceState, place_state
from audit.models import AuditEntry
from backends.kubernetes import names
from backends.kubernetes.client import ApiServer
from backends.models import Cluster
from backends.registry import driver_for
from core.status import Status
from launcher.processes import until
from operations.models import Operation
from tests.apps.far import SECONDS, Deployed, deployed, east, ended, place, pods, workload
from tests.cluster import LiveCluster
from tests.conftest import Wakeups

__all__ = ["deployed", "east", "place"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def api(kubernetes: LiveCluster) -> ApiServer:
    return ApiServer(kubernetes.access)


def shown(place: AppEnvironment, cluster: Cluster) -> PlaceState:
    """What pages say after a look."""
    assert observing.observe(cluster)
    row = AppEnvironment.objects.select_related("release", "environment__cluster").get(pk=place.pk)
    return place_state(row, row.services.all(), row.observed_instances.all(), None)


def soon(place: AppEnvironment, cluster: Cluster, wanted: Status) -> PlaceState:
    """The same once it is so: a look reads what the watch has brought by then."""
    seen: list[PlaceState] = []

    def there() -> bool:
        seen.append(shown(place, cluster))
        return seen[-1].status is wanted

    assert until(there, seconds=SECONDS), seen[-1]
    return seen[-1]


def repaired(place: AppEnvironment, cluster: Cluster, wakeups: Wakeups) -> Operation:
    """By what runs once a minute."""
    assert reconciling.reconcile_cluster(cluster) == 1
    operation = ended(Operation.objects.get(target=f"place:{place.pk}", state__in=Operation.ACTIVE), wakeups)
    assert operation.state == Operation.State.SUCCEEDED, operation.failure
    assert operation.kind == "app.repair.run"
    return operation


def test_what_was_changed_by_hand_is_shown_and_put_right(
    deployed: Deployed, place: AppEnvironment, east: Cluster, kubernetes: LiveCluster, api: ApiServer, wakeups: Wakeups
) -> None:
    assert deployed("berth/hello:1").state == Operation.State.SUCCEEDED
    soon(place, east, Status.RUNNING)
    assert reconciling.reconcile_cluster(east) == 0
    as_made = workload(api, place)["spec"]
    name = workload(api, place)["metadata"]["name"]
    where = ("-n", place.environment.engine_name)

    kubernetes.kubectl("scale", "deployment", name, "--replicas=1", *where)
    told = soon(place, east, Status.DRIFTED)
    assert "but 2 are declared" in told.sentence
    repaired(place, east, wakeups)
    soon(place, east, Status.RUNNING)

    beside = {"name": "stranger", "image": "berth/hello:1", "imagePullPolicy": "Never"}
    patch = {"spec": {"template": {"spec": {"hostNetwork": True, "containers": [beside]}}}}
    kubernetes.kubectl("set", "image", f"deployment/{name}", "app=berth/hello:crash", *where)
    kubernetes.kubectl("patch", "deployment", name, "--patch", json.dumps(patch), *where)
    told = soon(place, east, Status.DRIFTED)
    assert "changed on the cluster itself" in told.sentence
    repaired(place, east, wakeups)
    soon(place, east, Status.RUNNING)
    assert workload(api, place)["spec"] == as_made, "nothing of the stranger's is left"
    assert reconciling.reconcile_cluster(east) == 0, "and it stays so"


def test_an_environment_that_was_deleted_by_hand_comes_back(
    deployed: Deployed, place: AppEnvironment, east: Cluster, kubernetes: LiveCluster, api: ApiServer, wakeups: Wakeups
) -> None:
    assert deployed("berth/hello:1").state == Operation.State.SUCCEEDED
    before = pods(api, place)
    kubernetes.kubectl("delete", "namespace", place.environment.engine_name, "--wait=false")
    soon(place, east, Status.MISSING)
    repaired(place, east, wakeups)
    soon(place, east, Status.RUNNING)
    assert not before & pods(api, place)
    closed = {one["metadata"]["name"] for one in api.items("NetworkPolicy", place.environment.engine_name)}
    assert {"closed", "inside", "names", "world"} <= closed, "apart from others as before"


def test_what_bears_our_marks_is_not_ours(
    deployed: Deployed, place: AppEnvironment, east: Cluster, kubernetes: LiveCluster, api: ApiServer
) -> None:
    """Somebody with an account on the cluster points at another's app: from outside of it, and from inside."""
    assert deployed("berth/hello:1").state == Operation.State.SUCCEEDED
    before = shown(place, east)
    real = workload(api, place)
    labels = {**real["spec"]["template"]["metadata"]["labels"], names.REVISION: "9"}
    (mine,) = place.services.all()
    elsewhere, inside = f"{place.environment.engine_name}-not", place.environment.engine_name
    pod = {"containers": [{"name": "app", "image": "berth/hello:1", "imagePullPolicy": "Never"}]}

    def made(kind: str, namespace: str, name: str, **fields: Any) -> dict[str, Any]:
        version = {"Pod": "v1", "Namespace": "v1"}.get(kind, "apps/v1")
        about = {"name": name, "labels": labels} | ({"namespace": namespace} if namespace else {})
        return {"apiVersion": version, "kind": kind, "metadata": about, **fields}

    template = {"metadata": {"labels": labels}, "spec": pod}
    body = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    real_name = real["metadata"]["name"]
    kubernetes.administer(made("Namespace", "", elsewhere))
    try:
        kubernetes.administer(
            made("Deployment", elsewhere, real_name, spec=body), made("Deployment", inside, "other", spec=body)
        )
        assert until(lambda: len(api.items("Pod", elsewhere)) == 1, seconds=SECONDS)
        assert not AuditEntry.objects.filter(action="cluster.forged_seen").exists()
        forged = AuditEntry.objects.filter(action="cluster.forged_seen")
        assert until(lambda: bool(shown(place, east)) and forged.exists(), seconds=SECONDS)
        after, entry = shown(place, east), forged.get()
        assert all(name.startswith((f"{elsewhere}/{real_name}", f"{inside}/other")) for name in entry.detail["names"])
        assert f"{inside}/{real_name}" not in entry.detail["names"]
        assert (after.status, after.count) == (before.status, before.count)
        assert place.services.get() == mine
        driver = driver_for(east)
        assert len(driver.services(place.engine_name)) == 1
        assert all("-not" not in one.engine_id for one in place.observed_instances.all())
        assert reconciling.reconcile_cluster(east) == 0
    finally:
        kubernetes.kubectl("delete", "namespace", elsewhere, "--wait=false")
        kubernetes.kubectl("delete", "deployment", "other", "-n", inside, "--wait=false")
