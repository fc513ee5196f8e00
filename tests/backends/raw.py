"""Tasks, services and hosts as the engine tells them: cut to what is read, in the shapes of a real one."""

from datetime import UTC, datetime, timedelta
from typing import Any

from backends.contract import HealthCheck, ServiceRef, ServiceSpec
from backends.swarm.manifests import service_body

NOW = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
REF = ServiceRef("e-1", "a-1", "web")


def spec(version: str = "1", *, instances: int = 2, checked: bool = True) -> ServiceSpec:
    health = HealthCheck(("check",)) if checked else None
    return ServiceSpec(
        ref=REF, image=f"shop/web@{version}", image_name="shop/web:1", instances=instances, health=health
    )


def stamp(ago: float) -> str:
    return (NOW - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")


def service(wanted: ServiceSpec, *, attempt: str = "1", update: str = "") -> dict[str, Any]:
    body = service_body(wanted, attempt=attempt, files={})
    told: dict[str, Any] = {"ID": "s1", "Version": {"Index": 7}, "Spec": body}
    return told | ({"UpdateStatus": {"State": update}} if update else {})


def task(
    wanted: ServiceSpec,
    number: int = 1,
    state: str = "running",
    *,
    attempt: str = "1",
    desired: str = "running",
    err: str = "",
    code: int | None = None,
    ago: float = 30,
    node: str = "n1",
) -> dict[str, Any]:
    body = service_body(wanted, attempt=attempt, files={})["TaskTemplate"]
    status: dict[str, Any] = {"State": state, "Timestamp": stamp(ago), "Message": state, "Err": err, "PortStatus": {}}
    if state in {"running", "complete", "failed", "shutdown"}:
        status["ContainerStatus"] = {"ContainerID": f"c{number}-{ago}", "PID": 1, "ExitCode": code or 0}
    if state == "running":
        ports = [{"Protocol": "tcp", "TargetPort": 8080, "PublishedPort": 32768 + number, "PublishMode": "host"}]
        status["PortStatus"] = {"Ports": ports}
    return {
        "ID": f"t{number}-{state}-{ago}",
        "CreatedAt": stamp(ago + 1),
        "Spec": body,
        "ServiceID": "s1",
        "Slot": number,
        "NodeID": node if state not in {"new", "pending"} else "",
        "Status": status,
        "DesiredState": desired,
    }


def failed(
    wanted: ServiceSpec, number: int = 1, *, ago: float = 10, code: int = 1, attempt: str = "1"
) -> dict[str, Any]:
    err = f"task: non-zero exit ({code})"
    return task(wanted, number, "failed", desired="shutdown", err=err, code=code, ago=ago, attempt=attempt)


def node(id_: str = "n1", *, state: str = "ready", address: str = "10.0.0.1") -> dict[str, Any]:
    return {
        "ID": id_,
        "Spec": {"Role": "manager", "Availability": "active", "Labels": {"zone": "north"}},
        "Description": {
            "Hostname": f"host-{id_}",
            "Platform": {"Architecture": "x86_64", "OS": "linux"},
            "Resources": {"NanoCPUs": 4_000_000_000, "MemoryBytes": 8 << 30},
            "Engine": {"EngineVersion": "20.10.24"},
        },
        "Status": {"State": state, "Addr": address, "Message": "" if state == "ready" else "heartbeat failure"},
        "ManagerStatus": {"Leader": True, "Reachability": "reachable", "Addr": "10.0.0.9:2377"},
    }
