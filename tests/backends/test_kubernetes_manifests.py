"""From specs to the engine's objects: compared with files, so that every change of a word is seen at review."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given

from backends.contract import Ceiling, DriverError, EnvironmentRef, HealthCheck, ReasonCode, ServiceSpec, UpdatePolicy
from backends.kubernetes import environments, images, rights
from backends.kubernetes.manifests import objects
from tests.backends.test_swarm_manifests import FULL as SWARM_FULL
from tests.backends.test_swarm_manifests import PLAIN, specs

GOLDEN = Path(__file__).parent / "golden" / "kubernetes"
FULL = replace(
    SWARM_FULL,
    restarts=2,
    volumes=(replace(SWARM_FULL.volumes[0], size_bytes=10 << 30), *SWARM_FULL.volumes[1:]),
)
STATELESS = replace(FULL, volumes=())


def workload(spec: ServiceSpec) -> dict[str, Any]:
    return objects(spec)[-1]


def pod(spec: ServiceSpec) -> dict[str, Any]:
    found: dict[str, Any] = workload(spec)["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("plain", objects(PLAIN)),
        ("stateless", objects(STATELESS)),
        ("stateful", objects(FULL)),
        ("environment", [environments.namespace(EnvironmentRef("e-1")), *environments.objects(EnvironmentRef("e-1"))]),
        ("image", [images.question("registry.example/shop/web:1.4")]),
        ("rights", rights.objects()),
    ],
)
def test_a_spec_becomes_exactly_this(name: str, made: list[dict[str, Any]]) -> None:
    assert made == json.loads((GOLDEN / f"{name}.json").read_text())


def test_the_rights_are_printed_for_whoever_administers_the_cluster() -> None:
    def printed(*words: str) -> list[str]:
        said = io.StringIO()
        call_command("cluster_rights", *words, stdout=said)
        (role,) = [one for one in json.loads(said.getvalue())["items"] if one["kind"] == "ClusterRole"]
        return [resource for rule in role["rules"] for resource in rule["resources"]]

    assert "nodes/proxy" in printed()
    assert set(printed()) - set(printed("--without-usage")) == {"nodes/proxy"}
    assert not {"clusterroles", "roles", "*", "persistentvolumes"} & set(printed())


def test_the_workload_comes_last_so_that_all_beside_it_is_there() -> None:
    kinds = [one["kind"] for one in objects(FULL)]
    assert kinds[-1] == "StatefulSet"
    assert kinds[0] == "Secret"
    assert set(kinds[1:-1]) == {"ConfigMap", "Secret", "Service", "NetworkPolicy", "PodDisruptionBudget"}


def test_what_a_person_labels_cannot_pose_as_ours() -> None:
    labels = workload(FULL)["spec"]["template"]["metadata"]["labels"]
    assert labels["berth/app"] == "a-1"
    assert "team" not in labels


def test_dollars_and_values_stay_as_they_are() -> None:
    spec = replace(PLAIN, command=("echo", "$(HOME)", "$HOME"), environment=(("A", "$(B)"), ("odd name", "x")))
    container = pod(spec)["containers"][0]
    assert container["args"] == ["echo", "$$(HOME)", "$$HOME"]
    assert [one["name"] for one in container["env"]] == ["A", "odd name"]
    assert all("value" not in one for one in container["env"])


def test_a_check_can_be_switched_off_and_then_time_tells() -> None:
    spec = replace(PLAIN, health=HealthCheck(()), update=UpdatePolicy(monitor_seconds=7))
    assert not {"startupProbe", "livenessProbe", "readinessProbe"} & set(pod(spec)["containers"][0])
    assert workload(spec)["spec"]["minReadySeconds"] == 7


def test_a_user_has_to_be_a_number() -> None:
    with pytest.raises(DriverError) as refused:
        objects(replace(PLAIN, user="node"))
    assert refused.value.reason.code == ReasonCode.ENGINE_REFUSED
    assert refused.value.permanent
    assert pod(replace(PLAIN, user="1000:2000"))["securityContext"]["runAsGroup"] == 2000


def test_an_image_that_only_lies_on_hosts_is_never_fetched() -> None:
    assert pod(PLAIN)["containers"][0]["imagePullPolicy"] == "Never"
    assert pod(FULL)["containers"][0]["imagePullPolicy"] == "IfNotPresent"


def test_what_a_stage_approved_is_asked_for_at_each_start() -> None:
    laid = replace(FULL, image="registry.test/stage.prod/1@sha256:" + "a" * 64, same_as=FULL.image)
    assert pod(laid)["containers"][0]["imagePullPolicy"] == "Always"
    assert laid.revision == FULL.revision


def test_one_instance_needs_no_budget_and_an_update_leaves_none_out() -> None:
    assert "PodDisruptionBudget" not in {one["kind"] for one in objects(replace(PLAIN, instances=1))}
    assert workload(PLAIN)["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    stop_first = replace(PLAIN, update=UpdatePolicy(parallelism=2, start_first=False))
    assert workload(stop_first)["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 2}


def test_inner_environments_have_no_way_out() -> None:
    def world(internal: bool) -> list[Any]:
        made = environments.policies(EnvironmentRef("e-1", internal=internal))
        rules: list[Any] = next(one for one in made if one["metadata"]["name"] == "world")["spec"]["egress"]
        return rules

    assert world(True) == []
    assert "10.0.0.0/8" in world(False)[0]["to"][0]["ipBlock"]["except"]
    assert environments.layout(EnvironmentRef("e-1")) != environments.layout(EnvironmentRef("e-1", internal=True))


def test_one_instance_or_volume_takes_no_more_than_the_quota() -> None:
    given = {"cpu": "10m", "memory": "32Mi"}
    assert environments.ranges(Ceiling()) == [{"type": "Container", "defaultRequest": given}]
    ceiling = Ceiling(each_cpu_millicores=1500, each_memory_bytes=2 << 30, each_storage_bytes=10 << 30)
    instance, volume = environments.ranges(ceiling)
    assert instance["max"] == instance["default"] == {"cpu": "1500m", "memory": "2Gi"}
    assert volume == {"type": "PersistentVolumeClaim", "max": {"storage": "10Gi"}}
    (least,) = environments.ranges(Ceiling(each_cpu_millicores=0, each_memory_bytes=0))
    assert least["max"] == given, "the cluster refuses a range whose most is less than what it gives"


def test_a_ceiling_is_of_what_is_asked_for_and_another_one_is_another_content() -> None:
    ceiling = Ceiling(cpu_millicores=1500, memory_bytes=3 << 29, instances=0, storage_bytes=2000)
    assert environments.hard(ceiling) == {
        "requests.cpu": "1500m",
        "requests.memory": "1536Mi",
        "pods": "0",
        "requests.storage": "2000",
    }
    assert environments.hard(Ceiling(memory_bytes=0)) == {"requests.memory": "0"}
    assert environments.layout(EnvironmentRef("e-1", ceiling=ceiling)) != environments.layout(EnvironmentRef("e-1"))


@given(specs)
def test_no_spec_reaches_the_host(spec: ServiceSpec) -> None:
    try:
        made = pod(spec)
    except DriverError:
        return  # a user that is no number
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostAliases", "runtimeClassName", "initContainers"} & set(made)
    assert made["automountServiceAccountToken"] is False
    assert made["securityContext"]["runAsNonRoot"] is True
    assert all(set(volume) & {"emptyDir", "secret", "configMap"} for volume in made.get("volumes", ()))
    (container,) = made["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert not {"volumeDevices", "envFrom"} & set(container)
    assert not any("hostPort" in port for port in container.get("ports", ()))
