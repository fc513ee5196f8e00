"""What a check finds of clusters that lack something, and that it never raises."""

from typing import Any

import pytest

from backends.check_words import hint, sentence
from backends.contract import CheckCode, Checkup, DriverError, Finding, Level, Reason, ReasonCode
from backends.finding import finding_of
from backends.kubernetes.access import Access
from backends.kubernetes.checks import Right, wanted
from backends.kubernetes.driver import KubernetesDriver
from backends.swarm.driver import SwarmDriver
from tests.backends.answering import answering

PARAMS = {"said": "it is so.", "version": "1.2", "needed": "1.3", "hosts": 2, "right": "get pods", "address": "a:1"}
CLASS = {"metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}}


def node(name: str = "n1", *, ready: bool = True, **annotations: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "annotations": annotations},
        "spec": {},
        "status": {"nodeInfo": {}, "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def kubernetes(
    *,
    denied: frozenset[Right] = frozenset(),
    everything: bool = False,
    version: str = "v1.34.1",
    nodes: tuple[dict[str, Any], ...] = (node(),),
    classes: tuple[dict[str, Any], ...] = (CLASS,),
    groups: tuple[str, ...] = ("apps", "crd.projectcalico.org"),
) -> Checkup:
    def answer(path: str, sent: Any) -> tuple[int, Any]:
        if path.endswith("selfsubjectaccessreviews"):
            about = sent["spec"]["resourceAttributes"]
            resource = about["resource"] + (f"/{about['subresource']}" if about["subresource"] else "")
            right = Right(about["group"], resource, about["verb"])
            allowed = everything if right == Right("*", "*", "*") else right not in denied
            return 201, {"status": {"allowed": allowed}}
        told: dict[str, Any] = {
            "/version": {"gitVersion": version},
            "/api/v1/nodes": {"items": list(nodes)},
            "/apis/storage.k8s.io/v1/storageclasses": {"items": list(classes)},
            "/apis": {"groups": [{"name": name} for name in groups]},
        }
        return (200, told[path]) if path in told else (404, {"message": path})

    with answering(answer) as where:
        return KubernetesDriver(Access(f"http://{where}", token="t")).checks()


def codes(found: Checkup) -> list[tuple[str, str]]:
    return [(str(one.level), str(one.code)) for one in found.findings]


def test_a_cluster_that_lacks_nothing() -> None:
    found = kubernetes()
    assert (codes(found), found.version, found.hosts_ready, found.passed) == ([], "1.34.1", 1, True)
    assert found.host_ids == {"n1"}


@pytest.mark.parametrize(
    ("resource", "code", "passed"),
    [
        ("nodes/proxy", "no_usage", True),
        ("pods/log", "no_logs", True),
        ("pods/exec", "no_console", True),
        ("events", "no_events", True),
        ("storageclasses", "right_unseen", True),
        ("networkpolicies", "no_policy_right", False),
        ("secrets", "right_missing", False),
        ("nodes", "right_missing", False),
        ("deployments", "right_missing", False),
    ],
)
def test_each_right_that_is_missing_has_its_consequence(resource: str, code: str, passed: bool) -> None:
    found = kubernetes(denied=frozenset(right for right in wanted() if right.resource == resource))
    assert [one.code for one in found.findings] == [code]
    assert found.passed is passed
    assert str(found.findings[0].params["right"]).endswith(resource)


def test_one_verb_is_enough_to_be_told() -> None:
    found = kubernetes(denied=frozenset({Right("", "pods", "delete")}))
    assert [one.params["right"] for one in found.findings] == ["delete pods"]


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"version": "v1.26.9"}, [("bad", "old_version")]),
        ({"version": "none"}, [("bad", "old_version")]),
        ({"nodes": (node(ready=False),)}, [("warn", "no_hosts")]),
        ({"classes": ()}, [("warn", "no_storage")]),
        ({"classes": ({"metadata": {"name": "slow"}},)}, [("warn", "no_storage")]),
        ({"groups": ("apps",)}, [("warn", "policies_unsure")]),
        ({"groups": (), "version": "v1.30.1+k3s1"}, []),
        ({"groups": (), "nodes": (node(**{"kube-router.io/x": "1"}),)}, []),
        ({"everything": True}, [("warn", "all_rights")]),
    ],
)
def test_what_else_is_told(more: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert codes(kubernetes(**more)) == found


@pytest.mark.parametrize(
    ("status", "told", "code"),
    [
        (401, {"message": "Unauthorized"}, "credentials_unknown"),
        (403, {"message": "forbidden"}, "cluster_refused"),
        (500, {"message": "broken"}, "cluster_refused"),
        (503, {"message": "later"}, "cluster_away"),
        (200, b"<html>", "cluster_away"),
        (200, [], "cluster_away"),
        (200, {"gitVersion": "v1.34"}, "cluster_away"),  # and the same to every other question
        (302, b"", "cluster_away"),
    ],
)
def test_whatever_answers_nothing_raises(status: int, told: Any, code: str) -> None:
    with answering(lambda _path, _sent: (status, told)) as where:
        found = KubernetesDriver(Access(f"http://{where}", token="t")).checks()
        assert (codes(found), found.passed) == ([("bad", code)], False)


def swarm(*, version: dict[str, Any] | None = None, info: dict[str, Any] | None = None, nodes: int = 1) -> Checkup:
    told: dict[str, Any] = {
        "/version": {"Version": "24.0", "ApiVersion": "1.43"} | (version or {}),
        "/info": {"ServerVersion": "24.0", "MemoryLimit": True, "Swarm": {"ControlAvailable": True, "Managers": 1}}
        | (info or {}),
        "/nodes": [
            {"ID": str(number), "Description": {}, "Status": {"State": "ready"}, "Spec": {}} for number in range(nodes)
        ],
    }
    with answering(lambda path, _sent: (200, told[path])) as where:
        return SwarmDriver(f"tcp://{where}").checks()


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, []),
        ({"version": {"ApiVersion": "1.40"}}, [("bad", "old_version")]),
        ({"version": {"ApiVersion": "x"}}, [("bad", "old_version")]),
        ({"info": {"Swarm": {"LocalNodeState": "inactive"}}}, [("bad", "not_a_manager")]),
        ({"info": {"MemoryLimit": False}}, [("warn", "no_memory_limits")]),
        ({"nodes": 0}, [("warn", "no_hosts")]),
        ({"nodes": 3}, [("warn", "one_host_reached"), ("warn", "one_manager")]),
    ],
)
def test_what_is_told_of_an_engine(more: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert codes(swarm(**more)) == found


@pytest.mark.parametrize(("status", "told"), [(200, b"<html>"), (200, []), (200, "text"), (302, b"x"), (404, {})])
def test_what_is_no_engine_is_told(status: int, told: Any) -> None:
    with answering(lambda _path, _sent: (status, told)) as where:
        assert not SwarmDriver(f"tcp://{where}").checks().passed


def test_the_way_to_a_far_engine_in_the_clear_is_told() -> None:
    found = SwarmDriver("tcp://192.0.2.1:1").checks()
    assert ("warn", "in_the_clear") in codes(found)
    assert not found.passed


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed", CheckCode.UNTRUSTED),
        ("Hostname mismatch, certificate is not valid for 'a'", CheckCode.UNTRUSTED),
        ("tlsv13 alert certificate required", CheckCode.WANTS_CERTIFICATE),
        ("Client sent an HTTP request to an HTTPS server.", CheckCode.WANTS_CERTIFICATE),
        ("Connection refused", CheckCode.AWAY),
    ],
)
def test_what_an_engine_s_words_mean(said: str, code: CheckCode) -> None:
    assert finding_of(DriverError(Reason(ReasonCode.ENGINE_AWAY, {"said": said}))).code == code


@pytest.mark.parametrize("code", CheckCode)
def test_every_finding_has_words(code: CheckCode) -> None:
    found = Finding(code, Level.WARN, PARAMS)
    for text in (sentence(found), hint(found)):
        assert text.endswith(".")
        assert "%(" not in text
        assert "?" not in text
    assert sentence(Finding(code, Level.WARN))
