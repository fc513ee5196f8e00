"""The nftables rules of one node that its NetworkPolicies ask for. Pure.

Return traffic and the node's own traffic to its pods (probes) pass. The cluster's DNS is a host process: for selectors
it counts as a pod labelled k8s-app=kube-dns in kube-system. Not handled: SCTP and IPv6.
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Raw = Mapping[str, Any]
Objects = Mapping[tuple[str, str], Raw]  # by namespace and name

_TESTS: dict[str, Callable[[str | None, Raw], bool]] = {
    "In": lambda value, test: value in test["values"],
    "NotIn": lambda value, test: value not in test["values"],
    "Exists": lambda value, _: value is not None,
    "DoesNotExist": lambda value, _: value is None,
}


@dataclass(frozen=True)
class Pod:
    namespace: str
    labels: Raw
    address: str
    ports: tuple[tuple[str, int], ...] = ()  # named ones


@dataclass
class Rules:
    allowed: dict[str, list[str]] = field(default_factory=lambda: {"ingress": [], "egress": []})
    closed: dict[str, set[str]] = field(default_factory=lambda: {"ingress": set(), "egress": set()})


def table(namespaces: Objects, pods: Objects, policies: Objects, *, prefix: str, dns: str) -> str:
    """What `nft -f` takes for the node whose pods' addresses begin with `prefix`."""
    labels = {name: one["metadata"].get("labels") or {} for (_, name), one in namespaces.items()}
    known = [*_pods(pods), Pod("kube-system", {"k8s-app": "kube-dns"}, dns)]
    rules = Rules()
    for (namespace, _), policy in sorted(policies.items()):
        spec = policy["spec"]
        selector = spec.get("podSelector") or {}
        mine = [p for p in known if p.namespace == namespace and p.address.startswith(prefix)]
        mine = [pod for pod in mine if matches(selector, pod.labels)]
        for kind in spec.get("policyTypes") or () if mine else ():
            way = kind.lower()
            rules.closed[way] |= {pod.address for pod in mine}
            for rule in spec.get(way) or ():
                rules.allowed[way] += _allowed(way, rule, mine, known, namespace=namespace, labels=labels)
    return _text(rules)


def matches(selector: Raw, labels: Raw) -> bool:
    wanted = (selector.get("matchLabels") or {}).items()
    tests = selector.get("matchExpressions") or ()
    return all(labels.get(key) == value for key, value in wanted) and all(
        _TESTS[test["operator"]](labels.get(test["key"]), test) for test in tests
    )


def _pods(pods: Objects) -> list[Pod]:
    return [
        Pod(namespace, one["metadata"].get("labels") or {}, one["status"]["podIP"], tuple(_named(one)))
        for (namespace, _), one in pods.items()
        if one["status"].get("podIP")
        and not one["spec"].get("hostNetwork")
        and one["status"].get("phase") in ("Pending", "Running")
    ]


def _named(pod: Raw) -> Iterable[tuple[str, int]]:
    ports = [port for container in pod["spec"]["containers"] for port in container.get("ports") or ()]
    return [(port["name"], port["containerPort"]) for port in ports if port.get("name")]


def _allowed(
    way: str, rule: Raw, mine: Sequence[Pod], known: Sequence[Pod], *, namespace: str, labels: Mapping[str, Raw]
) -> list[str]:
    here, there = ("daddr", "saddr") if way == "ingress" else ("saddr", "daddr")
    made = []
    for peer in rule.get("from" if way == "ingress" else "to") or [None]:
        others = [pod for pod in known if peer and _meant(peer, pod, namespace=namespace, labels=labels)]
        if peer and not peer.get("ipBlock") and not others:
            continue
        other = _block(peer["ipBlock"], there) if peer and peer.get("ipBlock") else _set(there, others)
        for port in _ports(rule.get("ports"), mine if way == "ingress" else others):
            made.append(f"{_set(here, mine)}{other}{port}return")
    return made


def _meant(peer: Raw, pod: Pod, *, namespace: str, labels: Mapping[str, Raw]) -> bool:
    if peer.get("ipBlock"):
        return False
    there = peer.get("namespaceSelector")
    where = pod.namespace == namespace if there is None else matches(there, labels.get(pod.namespace, {}))
    return where and matches(peer.get("podSelector") or {}, pod.labels)


def _set(side: str, pods: Sequence[Pod]) -> str:
    return f"ip {side} {{{','.join(sorted({pod.address for pod in pods}))}}} " if pods else ""


def _block(block: Raw, side: str) -> str:
    text = f"ip {side} {ipaddress.ip_network(block['cidr'], strict=False)} "
    return text + (f"ip {side} != {{{','.join(block['except'])}}} " if block.get("except") else "")


def _ports(ports: Sequence[Raw] | None, targets: Sequence[Pod]) -> list[str]:
    if not ports:
        return [""]
    made: list[str] = []
    for port in ports:
        asked, protocol = port.get("port"), port.get("protocol", "TCP").lower()
        if asked is None:
            made.append(f"meta l4proto {protocol} ")
            continue
        named = {number for pod in targets for name, number in pod.ports if name == asked}
        end = f"-{port['endPort']}" if port.get("endPort") else ""
        made += [f"{protocol} dport {number}{end} " for number in sorted(named if isinstance(asked, str) else {asked})]
    return made


def _text(rules: Rules) -> str:
    lines = ["table inet berth", "delete table inet berth", "table inet berth {"]
    for way, allowed in rules.allowed.items():
        lines += [f"chain {way} {{", *dict.fromkeys(allowed), "drop", "}"]
    for hook in ("forward", "input"):  # input: from a pod to its own node
        lines += [f"chain {hook} {{ type filter hook {hook} priority 10;", "ct state established,related accept"]
        for way, side in (("egress", "saddr"), *((("ingress", "daddr"),) if hook == "forward" else ())):
            if closed := rules.closed[way]:
                lines.append(f"ip {side} {{{','.join(sorted(closed))}}} jump {way}")
        lines.append("}")
    return "\n".join([*lines, "}", ""])
