"""What only this engine can lack, or forbids: each comes out as a sentence of the product, with a next step."""

import json
import re
from collections.abc import Iterator

import pytest

from backends.contract import HealthCheck, Phase, Reason, ReasonCode, ServiceSpec, VolumeMount
from backends.kubernetes import manifests
from backends.kubernetes.driver import KubernetesDriver
from backends.words import hint, sentence
from launcher.problems import Problem
from launcher.processes import until
from tests.backends.world import PATIENCE_SECONDS, World, new_world
from tests.cluster import LiveCluster

pytestmark = pytest.mark.kubernetes

ENGINE_WORDS = re.compile(r"\b(kube\w*|pods?|namespaces?|deployments?|containers?|nodes?|replicas?|secrets?)\b", re.I)


@pytest.fixture
def world(kubernetes: LiveCluster) -> Iterator[World]:
    made = new_world(KubernetesDriver(kubernetes.access))
    yield made
    made.leave()
    made.driver.remove_environment(made.environment)


def failing(world: World, spec: ServiceSpec, code: ReasonCode) -> Reason:
    world.driver.apply(spec)
    seen = [world.driver.status(spec)]

    def there() -> bool:
        seen[0] = world.driver.status(spec)
        return seen[0].phase == Phase.FAILING and seen[0].reason is not None and seen[0].reason.code == code

    assert until(there, seconds=PATIENCE_SECONDS, every=0.1), seen[0]
    reason = seen[0].reason
    assert reason is not None
    return reason


def plain(reason: Reason) -> str:
    """The sentence, which but for what it quotes is no engine's."""
    told = sentence(reason)
    own = sentence(Reason(reason.code, {**reason.params, "said": ""}))
    assert not ENGINE_WORDS.search(own), own
    assert not ENGINE_WORDS.search(hint(reason)), hint(reason)
    return told


def test_a_volume_that_nothing_provides_is_named(world: World, kubernetes: LiveCluster) -> None:
    spec = world.spec(instances=1, volumes=(VolumeMount("data", "/data"),))
    name = f"data-{spec.ref.engine_name}-0"
    asked = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "none",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    about = {"name": name, "namespace": world.environment.name}
    kubernetes.administer({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": about, "spec": asked})
    reason = failing(world, spec, ReasonCode.VOLUME_NOT_READY)
    assert plain(reason) == "web is not starting: a volume it needs is not ready."


def test_what_takes_too_long_is_told_with_how_far_it_came(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that may take its time, in a deadline that leaves it none."""
    monkeypatch.setattr(manifests, "_DEADLINE_SECONDS", -65)
    patient = HealthCheck(("false",), start_period_seconds=70.0, interval_seconds=1.0)
    reason = failing(world, world.spec(instances=1, health=patient), ReasonCode.NOT_READY_IN_TIME)
    assert plain(reason) == "web was not ready in time: 0 of 1 instances."


def refusal(world: World, kubernetes: LiveCluster) -> str:
    """What the cluster would say of an instance."""
    made = manifests.objects(world.spec(instances=1))[-1]["spec"]["template"]["spec"]
    about = {"name": "asked", "namespace": world.environment.name}
    text = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": made})
    try:
        return kubernetes.kubectl("create", "--dry-run=server", "-f", "-", text=text)
    except Problem as problem:
        return f"{problem.message} {problem.hint}"


def test_a_rule_of_the_cluster_is_quoted(world: World, kubernetes: LiveCluster) -> None:
    """Somebody who runs the cluster forbids what Berth would allow."""
    name = f"no-shells-{world.environment.name}"
    version = "admissionregistration.k8s.io/v1"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    said = "images of berth/hello are not for this cluster"
    policy = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": "object.spec.containers.all(c, c.image == 'x')", "message": said}],
    }
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": world.environment.name}}}
    binding = {"policyName": name, "validationActions": ["Deny"], "matchResources": where}
    kinds = {"ValidatingAdmissionPolicy": policy, "ValidatingAdmissionPolicyBinding": binding}
    for kind, body in kinds.items():
        kubernetes.administer({"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": body})
    try:
        assert until(lambda: said in refusal(world, kubernetes), seconds=PATIENCE_SECONDS, every=0.2)
        spec = world.spec(instances=1)
        reason = failing(world, spec, ReasonCode.NOT_ALLOWED)
        assert said in plain(reason)
    finally:
        for kind in kinds:
            kubernetes.kubectl("delete", kind.lower(), name, "--wait=false")
