"""Whether a cluster can be relied on: its version, the rights of our account, hosts, storage, network policies."""

import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from backends.contract import CheckCode, Checkup, DriverError, Finding, HostStatus, Level
from backends.failing import NO_ENGINE, away
from backends.finding import finding_of
from backends.kubernetes import hosts
from backends.kubernetes.client import ApiServer
from backends.kubernetes.errors import RefusedError
from backends.kubernetes.rights import rules

Raw = Mapping[str, Any]

NEEDED = (1, 27)  # since then a field that the API does not know is refused for certain
AT_ONCE = 8  # questions; each is small, and a far cluster answers each after the same while
_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_CACHED = {"resourceVersion": "0"}
_VERSION = re.compile(r"v?(\d+)\.(\d+)")

#: what lacks without it, and whether one can do without; of all else: deployments fail
_WITHOUT: dict[str, tuple[CheckCode, Level]] = {
    "nodes/proxy": (CheckCode.NO_USAGE, Level.WARN),
    "pods/log": (CheckCode.NO_LOGS, Level.WARN),
    "pods/exec": (CheckCode.NO_CONSOLE, Level.WARN),
    "pods/eviction": (CheckCode.NO_EMPTYING, Level.WARN),
    "events": (CheckCode.NO_EVENTS, Level.WARN),
    "storageclasses": (CheckCode.RIGHT_UNSEEN, Level.WARN),
    "persistentvolumeclaims": (CheckCode.NO_GROWING, Level.WARN),
    "replicasets": (CheckCode.NO_NEWEST, Level.WARN),
    "networkpolicies": (CheckCode.NO_POLICY_RIGHT, Level.BAD),
}
#: of network plugins that enforce policies: groups of their own, what they write on hosts, what a version ends with
_ENFORCING_GROUPS = ("projectcalico.org", "cilium.io", "antrea.io", "k8s.ovn.org", "kubeovn.io", "networking.k8s.aws")
_ENFORCING_NOTES = ("projectcalico.org/", "cilium.io/", "antrea.io/", "k8s.ovn.org/", "kube-router.io/")
_ENFORCING_BUILDS = ("+k3s", "+rke2")


class Right(NamedTuple):
    group: str
    resource: str
    verb: str


def examine(api: ApiServer) -> Checkup:
    """Never raises. Asks and changes nothing."""
    try:
        version = str(api.get("/version").get("gitVersion", ""))
        missing = _missing(api)
        nodes = [] if Right("", "nodes", "list") in missing else api.items("Node", **_CACHED)
        found = [*_of_version(version), *_of_rights(missing), *_of_hosts(nodes, missing), *_of_storage(api, missing)]
        found += _of_policies(api, version, nodes)
        if _allowed(api, Right("*", "*", "*")):
            found.append(Finding(CheckCode.ALL_RIGHTS, Level.WARN))
    except DriverError as error:
        return Checkup(findings=(_failed(error),))
    except (KeyError, TypeError, AttributeError):  # JSON, but not as this API writes it
        return Checkup(findings=(finding_of(away(NO_ENGINE)),))
    listed = hosts.listed(nodes, ())
    return Checkup(
        version=version.removeprefix("v"),
        hosts=len(listed),
        hosts_ready=_ready(listed),
        host_ids=frozenset(one.id for one in listed),
        findings=tuple(found),
    )


def _failed(error: DriverError) -> Finding:
    return finding_of(error, status=error.status if isinstance(error, RefusedError) else 0)


def wanted() -> Iterator[Right]:
    """All that the role holds, one by one."""
    for rule in rules():
        for resource in rule["resources"]:
            for verb in rule["verbs"]:
                yield Right(rule["apiGroups"][0], resource, verb)


def _missing(api: ApiServer) -> set[Right]:
    asked = list(wanted())
    with ThreadPoolExecutor(AT_ONCE) as several:
        answers = several.map(lambda right: _allowed(api, right), asked)
        return {right for right, allowed in zip(asked, answers, strict=True) if not allowed}


def _allowed(api: ApiServer, right: Right) -> bool:
    """In every namespace, also those that are yet to be made."""
    resource, _slash, part = right.resource.partition("/")
    asked = {"group": right.group, "resource": resource, "subresource": part, "verb": right.verb}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    return bool(api.post(_REVIEW, review)["status"].get("allowed"))


def _of_version(version: str) -> Iterator[Finding]:
    told = _VERSION.match(version)
    if told is None or (int(told[1]), int(told[2])) < NEEDED:
        params = {"version": version.removeprefix("v") or "?", "needed": ".".join(str(part) for part in NEEDED)}
        yield Finding(CheckCode.OLD_VERSION, Level.BAD, params)


def _of_rights(missing: set[Right]) -> Iterator[Finding]:
    """One for each kind of thing, the worst first."""
    by_resource: dict[str, list[str]] = {}
    for right in wanted():
        if right in missing:
            by_resource.setdefault(right.resource, []).append(right.verb)
    found = [
        Finding(*_without(resource, verbs), {"right": _told(resource, verbs)})
        for resource, verbs in by_resource.items()
    ]
    yield from sorted(found, key=lambda one: one.level is not Level.BAD)


def _without(resource: str, verbs: list[str]) -> tuple[CheckCode, Level]:
    if (resource, verbs) == ("nodes", ["patch"]):
        return _WITHOUT["pods/eviction"]
    if (resource, verbs) == ("services", ["watch"]):
        return CheckCode.NO_WATCH, Level.WARN
    return _WITHOUT.get(resource, (CheckCode.RIGHT_MISSING, Level.BAD))


def _told(resource: str, verbs: Iterable[str]) -> str:
    return f"{', '.join(verbs)} {resource}"


def _of_hosts(nodes: list[dict[str, Any]], missing: set[Right]) -> Iterator[Finding]:
    if Right("", "nodes", "list") not in missing and not _ready(hosts.listed(nodes, ())):
        yield Finding(CheckCode.NO_HOSTS, Level.WARN, {"hosts": len(nodes)})


def _ready(listed: Iterable[HostStatus]) -> int:
    return sum(one.ready for one in listed)


def _of_storage(api: ApiServer, missing: set[Right]) -> Iterator[Finding]:
    if Right("storage.k8s.io", "storageclasses", "list") in missing:
        return
    classes = api.get(_CLASSES)["items"]
    if not any((one["metadata"].get("annotations") or {}).get(_DEFAULT) == "true" for one in classes):
        yield Finding(CheckCode.NO_STORAGE, Level.WARN)


def _of_policies(api: ApiServer, version: str, nodes: Iterable[Raw]) -> Iterator[Finding]:
    groups = [str(one.get("name", "")) for one in api.get("/apis").get("groups") or ()]
    notes = [note for node in nodes for note in node["metadata"].get("annotations") or ()]
    known = (
        any(build in version for build in _ENFORCING_BUILDS)
        or any(group.endswith(_ENFORCING_GROUPS) for group in groups)
        or any(mark in note for note in notes for mark in _ENFORCING_NOTES)
    )
    if not known:
        yield Finding(CheckCode.POLICIES_UNSURE, Level.WARN)
