"""From specs to the engine's JSON: compared with files, so that every change of a word is seen at review."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.contract import (
    EnvironmentRef,
    FileMount,
    HealthCheck,
    Port,
    Resources,
    RestartPolicy,
    ServiceRef,
    ServiceSpec,
    TmpfsMount,
    UpdatePolicy,
    VolumeMount,
)
from backends.swarm.manifests import file_body, network_body, scaled, service_body

GOLDEN = Path(__file__).parent / "golden"
REF = ServiceRef("e-1", "a-1", "web")
PLAIN = ServiceSpec(ref=REF, image="sha256:" + "a" * 64, instances=2)
FULL = ServiceSpec(
    ref=REF,
    image="registry.example/shop/web@sha256:" + "b" * 64,
    image_name="registry.example/shop/web:1.4",
    instances=3,
    aliases=("web", "shop-web"),
    entrypoint=("/app/start",),
    command=("--port", "8080"),
    environment=(("A", "1"), ("QUOTE", 'x="y" $HOME')),
    ports=(Port(8080), Port(9000, published=False), Port(53, protocol="udp")),
    health=HealthCheck(("/app/check",), interval_seconds=1.5, timeout_seconds=1, retries=2, start_period_seconds=0.5),
    resources=Resources(
        cpu_limit=500, cpu_reserved=100, memory_limit=64 << 20, memory_reserved=32 << 20, pids_limit=100
    ),
    update=UpdatePolicy(parallelism=2, delay_seconds=1, monitor_seconds=7.5, start_first=False, max_failure_ratio=0.2),
    restart=RestartPolicy(condition="on-failure", delay_seconds=0.5, max_attempts=3, window_seconds=60),
    volumes=(VolumeMount("v-1", "/data"), VolumeMount("v-2", "/shared", read_only=True)),
    tmpfs=(TmpfsMount("/tmp", size_bytes=1 << 20), TmpfsMount("/run")),  # noqa: S108 - a path inside the instance
    files=(
        FileMount("f-1", "/etc/app.conf", b"key=value\n"),
        FileMount("f-2", "/run/secrets/word", b"hush", mode=0o400, uid=10, gid=20, secret=True),
    ),
    host_labels=(("zone", "north"),),
    max_per_host=1,
    user="1000:1000",
    working_dir="/app",
    read_only=True,
    stop_grace_seconds=30,
    labels=(("team", "shop"), ("berth.app", "forged"), ("com.docker.stack.namespace", "forged")),
    restarts=2,
)
IDS = {"f-1": "id-1", "f-2": "id-2"}


@pytest.mark.parametrize(("name", "spec"), [("plain", PLAIN), ("full", FULL)])
def test_a_spec_becomes_exactly_this(name: str, spec: ServiceSpec) -> None:
    body = service_body(spec, attempt="attempt-1", files=IDS)
    assert body == json.loads((GOLDEN / f"{name}.json").read_text())


def test_what_a_person_labels_cannot_pose_as_ours() -> None:
    labels = service_body(FULL, attempt="x", files=IDS)["TaskTemplate"]["ContainerSpec"]["Labels"]
    assert (labels["team"], labels["berth.app"]) == ("shop", "a-1")
    assert "com.docker.stack.namespace" not in labels


def test_braces_stay_braces() -> None:
    spec = replace(PLAIN, environment=(("A", "{{.Node.Hostname}} {{{ }}"),), tmpfs=(TmpfsMount("/{{x}}"),))
    container = service_body(spec, attempt="x", files={})["TaskTemplate"]["ContainerSpec"]
    assert container["Env"] == ['A={{"{{"}}.Node.Hostname}} {{"{{"}}{ }}']
    assert container["Mounts"][0]["Target"] == '/{{"{{"}}x}}'


def test_a_check_can_be_kept_or_switched_off() -> None:
    def check(health: HealthCheck | None) -> object:
        body = service_body(replace(PLAIN, health=health), attempt="x", files={})
        return body["TaskTemplate"]["ContainerSpec"].get("Healthcheck")

    assert check(None) is None
    assert check(HealthCheck(())) == {"Test": ["NONE"]}


def test_scaling_touches_the_number_only() -> None:
    held = service_body(PLAIN, attempt="x", files={}) | {"Unknown": {"kept": True}}
    more = scaled(held, instances=9)
    assert more["Mode"] == {"Replicated": {"Replicas": 9}}
    assert {**more, "Mode": held["Mode"]} == held


def test_networks_and_files_carry_who_they_are() -> None:
    assert network_body(EnvironmentRef("e-1", internal=True)) == {
        "Name": "e-1",
        "Driver": "overlay",
        "Scope": "swarm",
        "CheckDuplicate": True,
        "Attachable": True,
        "Internal": True,
        "Labels": {"berth.environment": "e-1"},
    }
    assert file_body(REF, FULL.files[0]) == {
        "Name": "f-1",
        "Labels": {"berth.environment": "e-1", "berth.app": "a-1", "berth.service": "web"},
        "Data": "a2V5PXZhbHVlCg==",
    }


def test_neither_the_number_nor_the_written_name_is_part_of_the_revision() -> None:
    assert replace(FULL, instances=9, image_name="other").revision == FULL.revision
    assert replace(FULL, restarts=3).revision != FULL.revision
    assert replace(FULL, files=(replace(FULL.files[0], content=b"x"),)).revision != FULL.revision


words = st.text(max_size=30)
specs = st.builds(
    ServiceSpec,
    ref=st.just(REF),
    image=words,
    instances=st.integers(0, 100),
    entrypoint=st.none() | st.tuples(words),
    environment=st.tuples(st.tuples(words, words)),
    volumes=st.tuples(st.builds(VolumeMount, volume=words, path=words)),
    tmpfs=st.tuples(st.builds(TmpfsMount, path=words)),
    user=words,
    labels=st.tuples(st.tuples(words, words)),
)


@given(specs)
def test_no_spec_reaches_the_host(spec: ServiceSpec) -> None:
    body = service_body(spec, attempt="x", files={})
    template = body["TaskTemplate"]
    container = template["ContainerSpec"]
    assert {mount["Type"] for mount in container["Mounts"]} <= {"volume", "tmpfs"}
    assert container["CapabilityDrop"] == ["CAP_NET_RAW"]
    assert not {"CapabilityAdd", "Privileges", "Sysctls", "Ulimits", "Hosts", "DNSConfig", "Isolation"} & set(container)
    assert [network["Target"] for network in template["Networks"]] == ["e-1"]
    assert set(template) == {
        "ContainerSpec", "Resources", "RestartPolicy", "Placement", "Networks", "LogDriver", "ForceUpdate"
    }  # fmt: skip
