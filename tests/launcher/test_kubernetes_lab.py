"""The private Kubernetes: its network, its node agent's rules and what its parts are started with."""

import ipaddress
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from backends.contract import EnvironmentRef
from backends.kubernetes.environments import namespace, policies
from launcher.kubernetes import binaries, control, extras, lan, node
from launcher.kubernetes.certificates import Certificates
from launcher.kubernetes.policies import matches, table
from launcher.problems import Problem

DNS = "10.78.7.11"


def pod(namespace: str, address: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
    ports = [{"name": "http", "containerPort": 8080}]
    return {
        "metadata": {"namespace": namespace, "labels": labels or {}},
        "spec": {"containers": [{"ports": ports}]},
        "status": {"podIP": address, "phase": "Running"},
    }


def keyed(*things: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    about = [one["metadata"] for one in things]
    keys = [(one.get("namespace", ""), one.get("name", str(place))) for place, one in enumerate(about)]
    return dict(zip(keys, things, strict=True))


def rules(*things: dict[str, Any], pods: list[dict[str, Any]], prefix: str = "10.88.1.") -> list[str]:
    places = [namespace(EnvironmentRef(name)) for name in ("e-1", "e-2")]
    for place in places:
        place["metadata"]["labels"]["kubernetes.io/metadata.name"] = place["metadata"]["name"]
    system = {"metadata": {"name": "kube-system", "labels": {"kubernetes.io/metadata.name": "kube-system"}}}
    text = table(keyed(*places, system), keyed(*pods), keyed(*things), prefix=prefix, dns=DNS)
    return text.splitlines()


def test_our_policies_close_all_but_what_they_name() -> None:
    mine, strange = pod("e-1", "10.88.1.2"), pod("e-2", "10.88.1.3")
    found = rules(*policies(EnvironmentRef("e-1")), pods=[mine, strange])
    assert "ip daddr {10.88.1.2} ip saddr {10.88.1.2} return" in found
    assert f"ip saddr {{10.88.1.2}} ip daddr {{{DNS}}} udp dport 53 return" in found
    assert any("ip daddr 0.0.0.0/0 ip daddr != {10.0.0.0/8," in line for line in found)
    assert "ip saddr {10.88.1.2} jump egress" in found
    assert not any("10.88.1.3" in line for line in found)


def test_an_inner_environment_has_no_way_out() -> None:
    found = rules(*policies(EnvironmentRef("e-1", internal=True)), pods=[pod("e-1", "10.88.1.2")])
    assert not any("0.0.0.0/0" in line for line in found)


def test_each_node_sees_to_its_own() -> None:
    here, there = pod("e-1", "10.88.1.2"), pod("e-1", "10.88.2.2")
    found = rules(*policies(EnvironmentRef("e-1")), pods=[here, there])
    assert "ip daddr {10.88.1.2} ip saddr {10.88.1.2,10.88.2.2} return" in found
    assert "ip daddr {10.88.2.2} jump ingress" not in found


def test_ports_by_name_and_by_number() -> None:
    by_name = {"ports": [{"port": "http"}, {"port": 53, "protocol": "UDP"}, {"port": 9000, "endPort": 9009}]}
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [by_name]}
    policy = {"metadata": {"namespace": "e-1", "name": "p"}, "spec": spec}
    found = rules(policy, pods=[pod("e-1", "10.88.1.2")])
    for port in ("tcp dport 8080 ", "udp dport 53 ", "tcp dport 9000-9009 "):
        assert f"ip daddr {{10.88.1.2}} {port}return" in found


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ({}, True),
        ({"matchLabels": {"a": "1"}}, True),
        ({"matchLabels": {"a": "2"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, True),
        ({"matchExpressions": [{"key": "b", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, False),
    ],
)
def test_selectors(selector: dict[str, Any], fits: bool) -> None:
    assert matches(selector, {"a": "1"}) is fits


def test_a_cluster_keeps_its_network_and_steps_aside_for_others(tmp_path: Path) -> None:
    kept = tmp_path / "network.json"
    first = lan.choose("00000007", kept=kept, taken=[])
    assert str(first.subnet) == "10.78.7.0/24"
    assert (first.machine, first.address(1)) == ("10.78.7.1", "10.78.7.11")
    assert len(first.link) <= 15
    assert lan.choose("00000007", kept=kept, taken=[first.subnet]) == first
    other = lan.choose("00000007", kept=tmp_path / "other.json", taken=[first.subnet])
    assert str(other.subnet) == "10.78.8.0/24"
    with pytest.raises(Problem, match="No free network"):
        lan.choose("00000007", kept=tmp_path / "none.json", taken=[ipaddress.IPv4Network("10.0.0.0/8")])


def test_certificates_and_kubeconfigs_are_made_once(tmp_path: Path) -> None:
    keys = Certificates(tmp_path / "keys")
    keys.authorities()
    path = Path(keys.kubeconfig("admin", "/O=system:masters/CN=admin", server="https://10.78.7.11:6443"))
    text = path.read_text()
    config = json.loads(text)
    assert config["clusters"][0]["cluster"]["server"] == "https://10.78.7.11:6443"
    assert keys.kubeconfig("admin", "/CN=other", server="https://elsewhere") == str(path)
    assert path.read_text() == text
    assert (tmp_path / "keys").stat().st_mode & 0o077 == 0


def test_nothing_of_the_cluster_lies_outside_its_folder() -> None:
    home = "/state/n1"
    kubelet = node.kubelet(home, cgroup="g", dns=DNS, authority="/state/ca", resolver="/state/r", plugins="/state/p")
    texts = [
        node.containerd(home),
        json.dumps(node.pod_network(1, home=home)),
        json.dumps(kubelet | {"cgroupRoot": ""}),
        " ".join(node.kubelet_words("kube", home, config="/state/c", name="n1", address="10.78.7.11")),
        " ".join(control.etcd("/state/n1/etcd")),
    ]
    words = " ".join(texts).replace('"', " ").replace("=", " ").split()
    places = [word for word in words if word.startswith("/")]
    assert all(place.startswith(("/state", "/run/containerd", "/usr/lib/cni")) for place in places), places


def test_what_is_missing_is_said_with_its_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BERTH_CACHE", str(tmp_path))
    monkeypatch.setattr(binaries.os, "geteuid", lambda: 0)
    monkeypatch.setattr(binaries, "lacking", lambda _names: ["etcd-server"])
    assert binaries.why_not() == "packages are missing: apt-get install -y etcd-server"
    monkeypatch.setattr(binaries, "lacking", lambda _names: [])
    monkeypatch.setattr(binaries, "find", lambda _name: None)
    assert "Go" in binaries.why_not()
    assert binaries.kube().is_relative_to(tmp_path)
    monkeypatch.setattr(binaries.os, "geteuid", lambda: 1000)
    assert "root" in binaries.why_not()


def test_programs_are_built_once_however_many_ask_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The second comes to the build while the first is in it, and finds all of it done."""
    monkeypatch.setenv("BERTH_CACHE", str(tmp_path))
    monkeypatch.setattr(binaries, "EXTRAS", {})
    second = threading.Thread(target=binaries.build)
    made: list[Path] = []

    def slowly(path: Path) -> None:
        if not made:
            made.append(path)
            second.start()
            second.join(0.2)
        made.append(path)
        path.parent.mkdir(parents=True)
        path.touch()

    monkeypatch.setattr(binaries, "build_kube", slowly)
    binaries.build()
    second.join(10)
    assert made == [binaries.kube()] * 2  # the first call's two lines, none of a second call


def test_the_cluster_s_extras_name_the_helper_image_that_every_node_holds() -> None:
    assert extras.HELPER == "docker.io/berth/hello:1"
    kinds = [one["kind"] for one in extras.objects(DNS)]
    assert kinds.count("EndpointSlice") == 2
    assert "StorageClass" in kinds
