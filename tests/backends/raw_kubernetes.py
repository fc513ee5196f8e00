"""Pods, workloads and nodes as the API tells them: cut to what is read, in the shapes of a real one."""

from datetime import UTC, datetime, timedelta
from typing import Any

from backends.contract import HealthCheck, ServiceRef, ServiceSpec
from backends.kubernetes.manifests import objects

NOW = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
REF = ServiceRef("e-1", "a-1", "web")


def spec(version: str = "1", *, instances: int = 2, checked: bool = True, **more: Any) -> ServiceSpec:
    health = HealthCheck(("check",)) if checked else None
    return ServiceSpec(
        ref=REF, image=f"shop/web@{version}", image_name="shop/web:1", instances=instances, health=health, **more
    )


def stamp(ago: float) -> str:
    return (NOW - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def workload(wanted: ServiceSpec, *, seen: bool = True, refused: str = "", late: bool = False) -> dict[str, Any]:
    made = objects(wanted)[-1]
    made["metadata"]["generation"] = 2
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": refused}
    progress = {"type": "Progressing", "status": str(not late), "reason": "ProgressDeadlineExceeded" if late else "x"}
    conditions = [progress, *([failure] if refused else [])]
    made["status"] = {"observedGeneration": 2 if seen else 1, "conditions": conditions}
    made["status"]["updatedReplicas"] = wanted.instances
    return made


def pod(
    wanted: ServiceSpec,
    name: str = "one",
    state: dict[str, Any] | None = None,
    *,
    before: dict[str, Any] | None = None,
    starts: int = 0,
    ready: bool = True,
    ago: float = 30,
    leaving: bool = False,
    node: str = "n1",
) -> dict[str, Any]:
    """`state`: of its container now (None: it runs); `before`: how the start before this one ended."""
    template = objects(wanted)[-1]["spec"]["template"]
    now = state or running(ago - 1)
    conditions = [
        {"type": "PodScheduled", "status": "True" if node else "False"},
        {"type": "Ready", "status": str(ready and "running" in now), "lastTransitionTime": stamp(ago - 2)},
    ]
    container = {
        "name": "app",
        "restartCount": starts,
        "state": now,
        "lastState": before or {},
        "ready": ready and "running" in now,
        "started": "running" in now,
    }
    about: dict[str, Any] = {
        "name": f"a-1-web-{name}",
        "namespace": REF.environment,
        "uid": f"uid-{name}",
        "creationTimestamp": stamp(ago),
        "labels": template["metadata"]["labels"],
        "annotations": template["metadata"]["annotations"],
        "ownerReferences": [{"kind": "ReplicaSet", "name": f"{wanted.ref.engine_name}-5d4f", "controller": True}],
    }
    if leaving:
        about["deletionTimestamp"] = stamp(1)
    status: dict[str, Any] = {"phase": "Running", "conditions": conditions, "containerStatuses": [container]}
    place = {"nodeName": node} if node else {}
    return {"metadata": about, "spec": template["spec"] | place, "status": status}


def unscheduled(wanted: ServiceSpec, said: str) -> dict[str, Any]:
    made = pod(wanted, state={}, node="")
    made["status"]["phase"] = "Pending"
    made["status"].pop("containerStatuses")
    made["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": said}
    ]
    return made


def running(ago: float = 29) -> dict[str, Any]:
    return {"running": {"startedAt": stamp(ago)}}


def waiting(why: str, said: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": why, "message": said}}


def ended(code: int = 1, why: str = "Error", *, said: str = "", ago: float = 10) -> dict[str, Any]:
    about = {"exitCode": code, "reason": why, "startedAt": stamp(ago + 1), "finishedAt": stamp(ago), "message": said}
    return {"terminated": about}


def node(name: str = "n1", *, ready: str = "True", address: str = "10.0.0.1") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"zone": "north", "node-role.kubernetes.io/control-plane": ""}},
        "spec": {},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
            "allocatable": {"cpu": "3920m", "memory": "8041364Ki"},
            "capacity": {"cpu": "4", "memory": "8143764Ki"},
            "conditions": [{"type": "Ready", "status": ready, "message": "kubelet is posting ready status"}],
            "nodeInfo": {"kubeletVersion": "v1.34.4", "operatingSystem": "linux", "architecture": "amd64"},
        },
    }
