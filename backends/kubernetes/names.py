"""What our objects are called and how they are marked."""

from collections.abc import Container, Iterable, Mapping
from typing import Any

from backends.contract import ServiceRef

MANAGER = "berth"  # as whom we apply
MOVER = f"{MANAGER}-hosts"  # as whom we empty hosts: an apply leaves that be
MANAGED = "app.kubernetes.io/managed-by"
ENVIRONMENT = "berth/environment"
APP = "berth/app"
SERVICE = "berth/service"
REVISION = "berth/revision"
IMAGE = "berth/image"  # an annotation: the image as the person wrote it, for words only
MONITOR = "berth/monitor-seconds"  # an annotation: so long an instance without a check must last to count as there
LABELS = "berth/labels"  # an annotation: the person's own, as JSON; they need not keep to the engine's alphabet
MOVED = "berth/moved"  # an annotation of instances: the one they were made to replace on another host
LAYOUT = "berth/layout"  # an annotation of namespaces: which state of our own objects they hold
CONTAINER = "app"
ACCOUNT = "app"
OURS = f"{MANAGED}={MANAGER}"

Raw = Mapping[str, Any]


def identity(ref: ServiceRef) -> dict[str, str]:
    return {ENVIRONMENT: ref.environment, APP: ref.app, SERVICE: ref.service}


def common(ref: ServiceRef) -> dict[str, str]:
    """Labels of every object of a service."""
    usual = {MANAGED: MANAGER, "app.kubernetes.io/name": ref.service, "app.kubernetes.io/part-of": ref.app}
    return usual | identity(ref)


def chosen(ref: ServiceRef) -> dict[str, str]:
    """The labels by which a service finds its instances; they never change."""
    return {APP: ref.app, SERVICE: ref.service}


def selector(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in labels.items())


def ref_of(thing: Raw) -> ServiceRef | None:
    """None: not one of ours. Labels alone prove nothing, for whoever uses the cluster beside us may write them."""
    ref = claimed(thing)
    return ref if ref is not None and _made_by_us(thing["metadata"], ref) else None


def forged(things: Iterable[Raw], *, there: Container[ServiceRef] = ()) -> list[str]:
    """Where they are that say they belong to one of our services and do not. `there`: services with a workload."""
    found = [(one["metadata"], ref) for one in things if (ref := claimed(one)) is not None and ref_of(one) is None]
    some = [about for about, ref in found if ref in there or not _left_behind(about, ref)]
    return sorted({f"{about.get('namespace', '')}/{about['name']}" for about in some})


def _left_behind(about: Raw, ref: ServiceRef) -> bool:
    """An instance whose maker is just being made anew around it: until then it counts for nothing, and is no alarm."""
    stem, _dash, number = str(about["name"]).rpartition("-")
    alone = not about.get("ownerReferences")
    return alone and about.get("namespace") == ref.environment and stem == ref.engine_name and number.isdecimal()


def claimed(thing: Raw) -> ServiceRef | None:
    """The service to which its labels say it belongs."""
    labels: Raw = thing["metadata"].get("labels") or {}
    if labels.get(MANAGED) != MANAGER or SERVICE not in labels:
        return None
    return ServiceRef(labels.get(ENVIRONMENT, ""), labels.get(APP, ""), labels[SERVICE])


def _made_by_us(about: Raw, ref: ServiceRef) -> bool:
    """A workload or a way in has its service's own name, which nothing else can have in a namespace; an instance was
    made by the engine for one of that name, which nobody can pretend: the engine ends what names a maker that is none.
    """
    if about.get("namespace") != ref.environment:
        return False
    if about.get("name") == ref.engine_name:
        return True
    makers = [one for one in about.get("ownerReferences") or () if one.get("controller")]
    return any(_named_for(one["kind"], str(one["name"]), ref) for one in makers)


def _named_for(kind: str, name: str, ref: ServiceRef) -> bool:
    """A ReplicaSet bears its Deployment's name and a hash; the other workload makes its instances itself."""
    return name == ref.engine_name if kind == "StatefulSet" else name.rpartition("-")[0] == ref.engine_name


def edited(workload: Raw) -> bool:
    """Whether somebody else has set anything in it that is ours to say."""
    return any(_foreign(one) for one in workload["metadata"].get("managedFields") or ())


def strangers(workload: Raw) -> list[dict[str, Any]]:
    """Of who set what in it only what tells that somebody else did."""
    entries = workload["metadata"].get("managedFields") or ()
    return [{"manager": one.get("manager"), "fieldsV1": {"f:spec": {}}} for one in entries if _foreign(one)]


def _foreign(entry: Raw) -> bool:
    said = entry.get("fieldsV1") or {}
    return entry.get("manager") not in {MANAGER, MOVER} and entry.get("subresource") != "status" and "f:spec" in said


def taken_over(workload: Raw) -> list[dict[str, Any]]:
    """Who set what in it, as if it had been us: what we then do not say goes when we apply."""
    entries = [dict(one) for one in workload["metadata"].get("managedFields") or ()]
    strange = [one for one in entries if _foreign(one)]
    ours = [one for one in entries if one not in strange]
    mine = next((one for one in ours if one.get("manager") == MANAGER and one.get("operation") == "Apply"), None)
    if mine is None:
        mine = {"manager": MANAGER, "operation": "Apply", "apiVersion": workload["apiVersion"]}
        mine |= {"fieldsType": "FieldsV1", "fieldsV1": {}}
        ours.append(mine)
    for one in strange:
        mine["fieldsV1"] = _joined(mine["fieldsV1"], {"f:spec": one["fieldsV1"]["f:spec"]})
    return ours


def _joined(one: Raw, other: Raw) -> dict[str, Any]:
    both = dict(one)
    for name, below in other.items():
        both[name] = _joined(both.get(name) or {}, below)
    return both


def note(thing: Raw, name: str) -> str:
    """One of our annotations."""
    return str((thing["metadata"].get("annotations") or {}).get(name, ""))
