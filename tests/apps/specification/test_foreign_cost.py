"""Documents cost no more to look at than they are long."""

import json
import sys
from typing import Any

import pytest

from apps.specification import ForeignImport, import_of
from tests.apps.specification.test_foreign import deployment


def thing(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def heavy() -> dict[str, list[dict[str, Any]]]:
    """Documents within all bounds whose parts multiply, were each looked at for each other."""
    keys = {f"k{number}": "" for number in range(4000)}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": keys}
    volume = {"volumes": [{"name": "v", "configMap": {"name": "c"}}]}
    mounts = [{"name": "v", "mountPath": f"/{number}"} for number in range(1500)]
    sources = [{"configMapRef": {"name": "c"}} for _number in range(2000)]
    single = [{"name": f"A{n}", "valueFrom": {"configMapKeyRef": {"name": "c", "key": f"k{n}"}}} for n in range(900)]
    paths = [{"backend": {"service": {"name": "s1", "port": {"number": 80}}}} for _number in range(1500)]
    ingress = thing("Ingress", "i", {"rules": [{"http": {"paths": paths}}]})
    led = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    services = [thing("Service", f"s{number}", led) for number in range(40)]
    several = [deployment() | {"metadata": {"name": f"d{n}"}} for n in range(50)]
    odd = deployment({f"odd{number}": 1 for number in range(4000)}, {f"more{number}": 1 for number in range(4000)})
    return {
        "mounts": [config, deployment(volume, {"volumeMounts": mounts})],
        "sources": [config, deployment(container={"envFrom": sources})],
        "variables": [config, deployment(container={"env": single})],
        "ways in": [ingress, *services, *several],
        "unknown": [odd],
    }


@pytest.mark.parametrize("name", list(heavy()))
def test_parts_do_not_multiply(name: str) -> None:
    """Counted, not timed: what is looked at stays within a multiple of what was sent."""
    looked = 0

    def count(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal looked
        looked += event in ("call", "c_call")

    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": heavy()[name]})
    sys.setprofile(count)
    try:
        found = import_of(text)
        lines = found.lines
    finally:
        sys.setprofile(None)
    assert isinstance(found, ForeignImport)
    assert found.specification is None
    assert len(lines) < 3000
    assert looked < 8_000_000, looked
