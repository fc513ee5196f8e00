"""Closing a host for new instances, and moving ours off it: pause, replace, then drain.

To drain a host at once would end its instances before others are there, whatever their service says. So each service
is replaced as by an update, new ones first where it says so; on a paused host none of them is put. The engine cannot
replace some instances of a service only.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from backends.contract import Held, Leaving, Reason, ReasonCode, ServiceRef
from backends.failing import host_gone
from backends.swarm import manifests, observe
from backends.swarm.client import EngineClient
from backends.swarm.errors import RefusedError

Raw = Mapping[str, Any]

_OPEN, _CLOSED, _EMPTIED = "active", "pause", "drain"
_TRIES = 5
_AT_ONCE = 10  # services that are replaced at the same time
_CHANGING = {"updating", "rollback_started"}
_PATIENCE = timedelta(minutes=1)  # after a replacement that the engine gave up


def set_schedulable(client: EngineClient, host: str, wanted: bool) -> None:
    node = _node(client, host)
    if (node["Spec"].get("Availability") == _OPEN) != wanted:
        _set(client, host, _OPEN if wanted else _CLOSED)


def step(client: EngineClient, host: str) -> Leaving:
    _node(client, host)
    tasks = client.get("/tasks", filters={"node": [host]})
    alive = [task for task in tasks if not observe.over(task)]
    there: dict[ServiceRef, list[Raw]] = {}
    for task in alive:
        ref = observe.ref_of(observe.container_spec(task["Spec"]).get("Labels"))
        if ref is not None:
            there.setdefault(ref, []).append(task)
    if not alive:
        _set(client, host, _EMPTIED)  # what is not ours is moved by nobody: with some of it there it stays paused
    held, changing = [], 0
    for ref, its in there.items():
        staying = [task for task in its if observe.wanted(task)]
        if changing == _AT_ONCE:
            break
        reason, replaced = _replace(client, ref, staying) if staying else (None, False)
        changing += replaced
        held += [Held(ref, reason)] if reason else []
    return Leaving(sum(map(len, there.values())), tuple(held))


def _node(client: EngineClient, host: str) -> Raw:
    try:
        found: Raw = client.get(f"/nodes/{host}")
    except RefusedError as error:
        if error.status == 404:
            raise host_gone(host) from error
        raise
    return found


def _set(client: EngineClient, host: str, availability: str) -> None:
    for left in reversed(range(_TRIES)):
        node = _node(client, host)
        if node["Spec"].get("Availability") == availability:
            return
        spec = {**node["Spec"], "Availability": availability}
        try:
            client.post(f"/nodes/{node['ID']}/update", spec, version=node["Version"]["Index"])
            return
        except RefusedError as error:
            if error.reason.code != ReasonCode.CONFLICT or not left:
                raise


def _replace(client: EngineClient, ref: ServiceRef, there: Sequence[Raw]) -> tuple[Reason | None, bool]:
    """What keeps a service's instances there, and whether they are being replaced. Asked for once, until it ended."""
    try:
        service: Raw = client.get(f"/services/{ref.engine_name}")
    except RefusedError as error:
        if error.status == 404:
            return None, False  # its instances are on their way out
        raise
    count = _count(service["Spec"]["TaskTemplate"])
    update: Raw = service.get("UpdateStatus") or {}
    if update.get("State") in _CHANGING or all(_count(task["Spec"]) != count for task in there):
        return _trouble(client, ref), True
    if update.get("State", "").startswith("rollback_") and _of_late(update):
        reason = Reason(ReasonCode.UPDATE_ROLLED_BACK, {"service": ref.service})
        return _trouble(client, ref) or reason, True
    return None, _ask(client, service, count)


def _count(holder: Raw) -> int:
    """How often replacement was asked for without another change."""
    return int(holder.get("ForceUpdate") or 0)


def _of_late(update: Raw) -> bool:
    ended = observe.moment(update.get("CompletedAt") or update.get("StartedAt"))
    return ended is not None and datetime.now(UTC) - ended < _PATIENCE


def _ask(client: EngineClient, service: Raw, count: int) -> bool:
    spec = service["Spec"]
    body = {**spec, "TaskTemplate": {**spec["TaskTemplate"], "ForceUpdate": count + 1}}
    try:
        client.post(f"/services/{service['ID']}/update", body, version=service["Version"]["Index"])
    except RefusedError as error:
        if error.reason.code != ReasonCode.CONFLICT:  # it is being changed, and replaced by that
            raise
    return True


def _trouble(client: EngineClient, ref: ServiceRef) -> Reason | None:
    """What keeps a replacement from serving."""
    labels = [f"{name}={value}" for name, value in manifests.identity(ref).items()]
    tasks = client.get("/tasks", filters={"label": labels})
    found = [run.instance for run in observe.runs(tasks, hosts={}) if run.instance.wanted and run.instance.reason]
    return found[0].reason if found else None
