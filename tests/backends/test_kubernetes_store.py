"""What a watch keeps of a cluster: the same as a list would tell, of which looks read no more than they need."""

from typing import Any

import orjson
import pytest

from backends.contract import DriverError, Port, ServiceRef, ServiceSpec
from backends.kubernetes import names, pages, store
from backends.kubernetes.driver import ports_of
from backends.kubernetes.hosts import listed, table
from backends.kubernetes.manifests import objects
from backends.kubernetes.observe import runs
from backends.kubernetes.progress import service_status
from backends.kubernetes.store import Store
from backends.kubernetes.trimming import trimmed
from tests.backends.raw_kubernetes import NOW, REF, ended, node, pod, running, spec, unscheduled, waiting, workload

FOREIGN = {
    "metadata": {"name": "db-0", "namespace": "theirs", "uid": "u", "labels": {"app": "db"}, "annotations": {"a": "b"}},
    "spec": {
        "nodeName": "n1",
        "containers": [
            {"name": "db", "image": "db:1", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}, "env": [{}]}
        ],
    },
    "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "podIP": "10.0.0.9"},
}


def edited() -> dict[str, Any]:
    one = workload(spec())
    one["metadata"]["managedFields"] = [
        {"manager": "berth", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {}}}}},
        {"manager": "controller", "subresource": "status", "fieldsV1": {"f:status": {}, "f:spec": {}}},
    ]
    return one


PODS = [
    pod(spec()),
    pod(spec(), "two", state=ended(3), before=ended(1), starts=4),
    pod(spec(), "three", state=waiting("ErrImagePull", "not found")),
    pod(spec(), "four", leaving=True),
    pod(spec(), "five", state=running(), ready=False),
    unscheduled(spec(), "0/1 nodes are available: 1 Insufficient cpu."),
    FOREIGN,
]


def test_what_is_kept_of_instances_tells_the_same() -> None:
    kept = [trimmed("Pod", one) for one in PODS]
    hosts, ports = table([node()]), {REF: [(8080, 31000)]}
    assert runs(kept, hosts=hosts, ports=ports) == runs(PODS, hosts=hosts, ports=ports)
    assert listed([trimmed("Node", node())], kept) == listed([node()], PODS)
    assert table([trimmed("Node", node())]) == hosts


@pytest.mark.parametrize(
    "one",
    [
        workload(spec()),
        workload(spec(checked=False)),
        workload(spec(), refused="pods is forbidden: no", late=True),
        edited(),
    ],
)
def test_what_is_kept_of_a_workload_tells_the_same(one: dict[str, Any]) -> None:
    kept = trimmed("Deployment", one)
    found = runs(PODS[:1], hosts={}, ports={})
    assert service_status(REF, kept, found, now=NOW) == service_status(REF, one, found, now=NOW)
    assert names.ref_of(kept) == names.ref_of(one)
    assert names.edited(kept) is names.edited(one)


def test_what_is_kept_of_a_way_in_tells_the_same() -> None:
    ways = [one for one in objects(full()) if one["kind"] == "Service"]
    for one in ways:
        for number, port in enumerate(one["spec"].get("ports") or ()):
            port["nodePort"] = 31000 + number
    assert ports_of([trimmed("Service", one) for one in ways]) == ports_of(ways) != {}


def full() -> ServiceSpec:
    return spec(ports=(Port(8080), Port(9090, published=False)), aliases=("web",))


def test_of_others_hardly_anything_is_kept() -> None:
    kept = trimmed("Pod", FOREIGN)
    assert len(orjson.dumps(kept)) < len(orjson.dumps(FOREIGN)) / 1.5
    assert set(kept["metadata"]) == {"name", "namespace", "uid"}
    assert "podIP" not in kept["status"]


def event(what: str, one: dict[str, Any], version: str) -> dict[str, Any]:
    return {"type": what, "object": one | {"metadata": one["metadata"] | {"resourceVersion": version}}}


def filled(*pods: dict[str, Any]) -> Store:
    made = Store()
    told = orjson.dumps({"metadata": {"resourceVersion": "5"}, "items": list(pods)})
    page = pages.page_of("Pod", told)
    made.fill("Pod", page.things, page.version)
    return made


def there(held: Store) -> set[str] | None:
    found = held.all("Pod")
    return None if found is None else {one["metadata"]["name"] for one in found}


def test_it_counts_only_while_its_stream_is_there_and_until_it_is_doubted() -> None:
    held = filled(pod(spec()))
    assert there(held) is None, "nobody watches yet"
    held.opened("Pod")
    assert there(held) == {"a-1-web-one"}
    held.doubt()
    assert there(held) is None
    held.fill("Pod", {}, "9")
    held.opened("Pod")
    assert there(held) == set(), "it was listed anew"
    held.broke("Pod")
    assert there(held) is None


def test_events_change_it_and_a_bookmark_only_its_place() -> None:
    held = filled(pod(spec()))
    held.opened("Pod")
    held.note("Pod", event("ADDED", pod(spec(), "two"), "6"))
    held.note("Pod", event("MODIFIED", pod(spec(), leaving=True), "7"))
    assert there(held) == {"a-1-web-one", "a-1-web-two"}
    assert [one["metadata"]["name"] for one in held.all("Pod") or () if "deletionTimestamp" in one["metadata"]] == [
        "a-1-web-one"
    ]
    held.note("Pod", event("DELETED", pod(spec()), "8"))
    held.note("Pod", {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "20"}}})
    assert there(held) == {"a-1-web-two"}
    assert held.version("Pod") == "20"


def test_it_is_listed_at_first_and_again_when_ten_minutes_are_over(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Store()
    assert not held.version("Pod")
    held.fill("Pod", {}, "5")
    assert 0 < held.due("Pod") <= store.FULL_PASS_SECONDS
    monkeypatch.setattr(store, "FULL_PASS_SECONDS", 0.0)
    assert held.due("Pod") == 0
    held.forget("Pod")
    assert not held.version("Pod")


@pytest.mark.parametrize("told", [b"<html>", b"[]", b"{}", b'{"items": 1, "metadata": {}}', b'{"items": [{}]}'])
def test_what_is_no_list_is_no_engine(told: bytes) -> None:
    with pytest.raises(DriverError):
        pages.page_of("Pod", told)


def test_names_alone_make_nothing_ours_in_it_either() -> None:
    forged = pod(spec())
    forged["metadata"]["ownerReferences"] = []
    assert names.ref_of(trimmed("Pod", forged)) is None
    assert names.claimed(trimmed("Pod", forged)) == ServiceRef("e-1", "a-1", "web")
