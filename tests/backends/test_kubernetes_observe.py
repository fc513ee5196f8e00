"""Reading pods and nodes: each text of the engine becomes the reason it stands for."""

from decimal import Decimal
from typing import Any

import pytest

from backends.contract import InstanceState, ReasonCode
from backends.kubernetes.hosts import listed, quantity, table
from backends.kubernetes.observe import place_of, runs
from tests.backends.raw_kubernetes import REF, ended, node, pod, running, spec, unscheduled, waiting

HOSTS = table([node()])
PULL = 'failed to pull and unpack image "docker.io/shop/web:1": failed to resolve reference "docker.io/shop/web:1": '
STAT = 'failed to create containerd task: exec: "/app/start": stat /app/start: no such file or directory: unknown'


def read(*pods: dict[str, Any]) -> list[Any]:
    return [run.instance for run in runs(pods, hosts=HOSTS, ports={REF: [(8080, 31000)]})]


def test_one_that_is_ready_runs_and_has_its_host_s_address() -> None:
    (one,) = read(pod(spec()))
    assert (one.state, one.number, one.wanted, one.host) == (InstanceState.RUNNING, 1, True, "n1")
    assert one.id == "e-1.a-1-web-one.0"
    assert one.addresses == ((8080, "10.0.0.1:31000"),)
    assert one.revision == spec().revision


def test_one_that_does_not_pass_its_check_yet_starts() -> None:
    (one,) = read(pod(spec(), ready=False))
    assert one.state == InstanceState.STARTING
    assert one.addresses == ()


def test_the_oldest_is_the_first_and_those_that_leave_come_last() -> None:
    found = read(pod(spec(), "new", ago=5), pod(spec(), "old", ago=50), pod(spec(), "gone", ago=90, leaving=True))
    assert [(one.number, one.id) for one in found] == [
        (1, "e-1.a-1-web-old.0"),
        (2, "e-1.a-1-web-new.0"),
        (3, "e-1.a-1-web-gone.0"),
    ]
    assert [(one.state, one.wanted) for one in found][2] == (InstanceState.STOPPING, False)


@pytest.mark.parametrize(
    "forged",
    [
        {"namespace": "e-2"},  # with our labels, somewhere else
        {"ownerReferences": []},  # made by hand
        {"ownerReferences": [{"kind": "ReplicaSet", "name": "a-1-web-5d4f", "controller": False}]},
        {"ownerReferences": [{"kind": "ReplicaSet", "name": "other-5d4f", "controller": True}]},
        {"ownerReferences": [{"kind": "StatefulSet", "name": "a-1-web-more", "controller": True}]},
        {"labels": {"app.kubernetes.io/managed-by": "somebody"}},
    ],
)
def test_what_only_bears_our_marks_is_none_of_ours(forged: dict[str, Any]) -> None:
    one = pod(spec())
    one["metadata"] |= forged
    assert read(one) == []


def test_each_start_of_a_container_is_an_instance_of_its_own() -> None:
    """The engine goes on telling the number of the one that ended while the next waits for its turn."""
    found = read(pod(spec(), state=waiting("CrashLoopBackOff"), before=ended(3), starts=2))
    assert [(one.id[-1], one.state, one.exit_code) for one in found] == [
        ("3", InstanceState.PREPARING, None),
        ("2", InstanceState.FAILED, 3),
        ("1", InstanceState.FAILED, None),
        ("0", InstanceState.FAILED, None),
    ]
    assert {one.number for one in found} == {1}
    assert found[1].reason.params == {"service": "web", "exit_code": 3}
    assert read(pod(spec(), state=ended(3), before=ended(3), starts=2))[0].id == found[1].id
    assert read(pod(spec(), before=ended(3), starts=3))[0].id == found[0].id
    lost = ended(137, "ContainerStatusUnknown")
    assert read(pod(spec(), state=waiting("ContainerCreating"), before=lost, starts=3))[0].id == found[0].id


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (waiting("ErrImageNeverPull", "is not present with pull policy of Never"), ReasonCode.IMAGE_NOT_FOUND),
        (waiting("ErrImagePull", PULL + "docker.io/shop/web:1: not found"), ReasonCode.IMAGE_NOT_FOUND),
        (waiting("ImagePullBackOff", PULL + "unexpected status code: 401 Unauthorized"), ReasonCode.IMAGE_DENIED),
        (waiting("ErrImagePull", PULL + "dial tcp: lookup r.example: no such host"), ReasonCode.REGISTRY_AWAY),
        (waiting("ErrImagePull", PULL + "no match for platform in manifest: not found"), ReasonCode.BAD_IMAGE),
        (waiting("InvalidImageName"), ReasonCode.BAD_IMAGE),
        (waiting("RunContainerError", STAT), ReasonCode.COMMAND_NOT_FOUND),
        (
            waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"),
            ReasonCode.RUNS_AS_ROOT,
        ),
        (waiting("CreateContainerConfigError", 'secret "none" not found'), ReasonCode.UNKNOWN),
        (ended(137, "OOMKilled"), ReasonCode.OUT_OF_MEMORY),
        (ended(128, "StartError", said=STAT), ReasonCode.COMMAND_NOT_FOUND),
        (ended(0, "Completed"), ReasonCode.EXITED),
    ],
)
def test_what_stands_in_the_way_is_named(state: dict[str, Any], code: ReasonCode) -> None:
    (one,) = read(pod(spec(), state=state))
    assert (one.state, one.reason.code) == (InstanceState.FAILED, code)
    assert one.reason.params["service"] == "web"
    if code in {ReasonCode.IMAGE_NOT_FOUND, ReasonCode.IMAGE_DENIED, ReasonCode.RUNS_AS_ROOT}:
        assert one.reason.params["image"] == "shop/web:1"
    if code == ReasonCode.COMMAND_NOT_FOUND:
        assert one.reason.params["command"] == "/app/start"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint", ReasonCode.NO_CAPACITY),
        ("0/1 nodes are available: 1 Insufficient memory. no new claims", ReasonCode.NO_CAPACITY),
        ("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector", ReasonCode.NO_SUITABLE_HOST),
        ('0/1 nodes are available: persistentvolumeclaim "none" not found', ReasonCode.VOLUME_NOT_READY),
        ("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims", ReasonCode.VOLUME_NOT_READY),
    ],
)
def test_why_no_host_was_found_is_named(said: str, code: ReasonCode) -> None:
    (one,) = read(unscheduled(spec(), said))
    assert (one.state, one.reason.code) == (InstanceState.WAITING, code)


def test_on_a_host_that_is_away_nobody_knows() -> None:
    away = table([node(ready="Unknown")])
    (run,) = runs([pod(spec())], hosts=away, ports={})
    assert run.instance.state == InstanceState.FAILED
    assert run.instance.reason is not None
    assert run.instance.reason.code == ReasonCode.HOST_LOST


def test_what_is_not_ours_is_left_out() -> None:
    strange = pod(spec())
    strange["metadata"]["labels"] = {"app": "web"}
    assert read(strange) == []


def test_one_that_was_ready_and_fails_its_check_now_is_unhealthy() -> None:
    (one,) = read(pod(spec(), state=running(), ready=False))
    assert one.reason is not None
    assert one.reason.code == ReasonCode.UNHEALTHY


def test_one_that_has_passed_once_and_does_not_count_yet_is_only_starting() -> None:
    """The engine checks whether it has started and whether it is ready one after the other."""
    young = pod(spec(), state=running(28), ready=False)
    assert young["status"]["containerStatuses"][0]["started"]
    (one,) = read(young)
    assert (one.state, one.reason) == (InstanceState.STARTING, None)


def test_hosts_tell_what_is_set_aside() -> None:
    wanted = spec(instances=1)
    busy = pod(wanted)
    busy["spec"] = busy["spec"] | {
        "containers": [{"resources": {"requests": {"cpu": "250m", "memory": "64Mi"}}}, {"resources": {}}]
    }
    over = busy | {"status": {"phase": "Succeeded"}}
    (host,) = listed([node()], [busy, over])
    assert (host.cpu_millicores, host.cpu_reserved, host.memory_reserved) == (3920, 250, 64 << 20)
    assert (host.id, host.address, host.platform, host.manager) == ("n1", "10.0.0.1", "linux/amd64", True)
    assert (host.ready, host.schedulable, host.engine_version, host.said) == (True, True, "1.34.4", "")


def test_a_host_says_what_it_is_short_of() -> None:
    short = node()
    pressure = {"type": "DiskPressure", "status": "True", "message": "the disk is nearly full"}
    short["status"]["conditions"].append(pressure)
    short["status"]["conditions"].append({"type": "PIDPressure", "status": "False", "message": "enough"})
    (host,) = listed([short], [])
    assert (host.ready, host.said) == (True, "the disk is nearly full")


@pytest.mark.parametrize(
    ("text", "meant"),
    [("250m", "0.25"), ("1Gi", str(1 << 30)), ("507972n", "0.000507972"), ("1e3", "1000"), ("2", "2")],
)
def test_quantities(text: str, meant: str) -> None:
    assert quantity(text) == Decimal(meant)
    assert quantity(None) == 0


@pytest.mark.parametrize("odd", ["nothing", "a.b", "a.b.c", "../../x.y.1", "a.b%2f.1", "e-1.web.1.2", "e-1.web.-1"])
def test_what_is_no_instance_s_id_is_none(odd: str) -> None:
    assert place_of(odd) is None


def test_an_instance_s_id_leads_back() -> None:
    assert place_of("e-1.a-1-web-one.12") == ("e-1", "a-1-web-one", 12)
