"""Reading what the API tells of nodes. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from backends.contract import HostStatus
from backends.kubernetes.observe import Host, condition

Raw = Mapping[str, Any]

_CONTROL = "node-role.kubernetes.io/control-plane"
_OVER = {"Succeeded", "Failed"}
_POWERS = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    "k": Decimal("1e3"),
    "M": Decimal("1e6"),
    "G": Decimal("1e9"),
    "T": Decimal("1e12"),
    "P": Decimal("1e15"),
    "Ki": Decimal(1 << 10),
    "Mi": Decimal(1 << 20),
    "Gi": Decimal(1 << 30),
    "Ti": Decimal(1 << 40),
    "Pi": Decimal(1 << 50),
}


@lru_cache(maxsize=4096)
def quantity(text: str | None) -> Decimal:
    """What "250m", "1Gi", "1e3" or "507972n" stand for."""
    text = text or "0"
    number = text.rstrip("".join(set("".join(_POWERS))))
    if number != text and text[len(number) :] in _POWERS:
        return Decimal(number) * _POWERS[text[len(number) :]]
    return Decimal(text)


def table(nodes: Iterable[Raw]) -> dict[str, Host]:
    return {
        node["metadata"]["name"]: Host(address=_address(node), up=condition(node, "Ready").get("status") == "True")
        for node in nodes
    }


def _address(node: Raw) -> str:
    """Where it is reached from outside, if it tells that; else within."""
    told = {one["type"]: one["address"] for one in node["status"].get("addresses") or ()}
    address = str(told.get("ExternalIP") or told.get("InternalIP") or "")
    return f"[{address}]" if ":" in address else address


def listed(nodes: Iterable[Raw], pods: Iterable[Raw]) -> list[HostStatus]:
    """With what is set aside on each, also for pods that are not ours."""
    reserved: dict[str, list[int]] = {}
    for pod in pods:
        name = pod["spec"].get("nodeName")
        if name and pod["status"].get("phase") not in _OVER:
            sums = reserved.setdefault(name, [0, 0])
            for container in pod["spec"]["containers"]:
                asked = (container.get("resources") or {}).get("requests") or {}
                sums[0] += int(quantity(asked.get("cpu")) * 1000)
                sums[1] += int(quantity(asked.get("memory")))
    return [_host(node, reserved.get(node["metadata"]["name"], [0, 0])) for node in nodes]


def _host(node: Raw, reserved: list[int]) -> HostStatus:
    about, room = node["status"]["nodeInfo"], node["status"].get("allocatable") or {}
    ready = condition(node, "Ready")
    labels = node["metadata"].get("labels") or {}
    return HostStatus(
        id=node["metadata"]["name"],
        name=node["metadata"]["name"],
        ready=ready.get("status") == "True",
        schedulable=not node["spec"].get("unschedulable", False),
        manager=_CONTROL in labels,
        address=_address(node).strip("[]"),
        engine_version=str(about.get("kubeletVersion", "")).removeprefix("v"),
        platform=f"{about.get('operatingSystem', '')}/{about.get('architecture', '')}",
        cpu_millicores=int(quantity(room.get("cpu")) * 1000),
        memory_bytes=int(quantity(room.get("memory"))),
        cpu_reserved=reserved[0],
        memory_reserved=reserved[1],
        labels=dict(labels),
        said=_said(node, ready),
    )


def _said(node: Raw, ready: Raw) -> str:
    """Why it is not ready; of one that is, what it is short of."""
    if ready.get("status") != "True":
        return str(ready.get("message", ""))
    others = [one for one in node["status"].get("conditions") or () if one is not ready]
    return "; ".join(str(one.get("message") or one["type"]) for one in others if one.get("status") == "True")
