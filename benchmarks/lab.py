"""A Kubernetes of its own for the measurements, its own client beside Berth, and what its API tells as it happens."""

import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends.kubernetes import names
from benchmarks.deploys import wait_for
from launcher.commands import run
from launcher.kubernetes import binaries
from launcher.kubernetes.cluster import PrivateCluster
from launcher.kubernetes.registry import push
from launcher.sample_images import images

Raw = Mapping[str, Any]
LABEL = f"labelSelector={names.MANAGED}%3D{names.MANAGER}"
WATCHED = {
    "deployments": f"/apis/apps/v1/deployments?watch=true&{LABEL}",
    "pods": f"/api/v1/pods?watch=true&{LABEL}",
}
AGAIN_SECONDS = 0.5
KEPT = ("name", "labels", "annotations")  # of an object's own words about itself
GIVEN = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy")  # by the API


@dataclass(frozen=True)
class Told:
    """An event of a watch, and when we heard it: the API's own times are whole seconds."""

    at: float
    kind: str
    type: str
    thing: Raw

    @property
    def uid(self) -> str:
        return str(self.thing["metadata"]["uid"])

    @property
    def ready(self) -> bool:
        told = (self.thing.get("status") or {}).get("conditions") or ()
        return any(one["type"] == "Ready" and one["status"] == "True" for one in told)

    @property
    def leaving(self) -> bool:
        return self.type == "DELETED" or bool(self.thing["metadata"].get("deletionTimestamp"))


@dataclass
class Lab:
    kubeconfig: str
    image: str  # a sample, where its nodes may fetch it
    told: list[Told] = field(default_factory=list)
    watches: dict[str, "subprocess.Popen[str]"] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        return [str(binaries.kube()), "kubectl", "--kubeconfig", self.kubeconfig]

    def kubectl(self, *words: str, text: str | None = None) -> str:
        return run([*self.words, *words], text=text)

    def items(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.kubectl("get", "--raw", path))["items"]
        return found

    def await_told(self, what: str, found: Callable[[Told], bool], *, number: int = 1) -> Told:
        """The first event of its kind of the `number`-th thing that it is told of."""

        def firsts() -> list[Told]:
            by_thing: dict[str, Told] = {}
            for one in list(self.told):
                if found(one):
                    by_thing.setdefault(one.uid, one)
            return list(by_thing.values())

        wait_for(lambda: len(firsts()) >= number, what)
        return firsts()[number - 1]

    def listen(self, kind: str, path: str, over: threading.Event) -> None:
        """A young API ends its first watches with an error: then again."""
        while not over.is_set():
            words = [*self.words, "get", "--raw", path]
            with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
                self.watches[kind] = process
                assert process.stdout is not None
                for line in process.stdout:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        break
                    self.told.append(Told(time.time(), kind, event["type"], event["object"]))
                process.kill()
            over.wait(AGAIN_SECONDS)


@contextmanager
def lab() -> Iterator[Lab]:
    """One node, and two watches that run from its beginning to its end."""
    with tempfile.TemporaryDirectory(prefix="berth-bench-lab-", dir="/var/tmp") as folder:  # noqa: S108  it is ours
        cluster, over, made = PrivateCluster(Path(folder)), threading.Event(), None
        try:
            kubeconfig = str(cluster.start())
            push(cluster.registry, images()[0], name="berth/hello", tag="1")
            made = Lab(kubeconfig, f"{cluster.registry}/berth/hello:1")
            for kind, path in WATCHED.items():
                threading.Thread(target=made.listen, args=(kind, path, over), daemon=True).start()
            yield made
        finally:
            over.set()
            for one in made.watches.values() if made else ():
                one.kill()
            cluster.destroy()


def plain(thing: Raw, *, namespace: str) -> dict[str, Any]:
    """An object as somebody would have written it, for a namespace of theirs."""
    about = {name: thing["metadata"][name] for name in KEPT if name in thing["metadata"]} | {"namespace": namespace}
    spec = {name: value for name, value in thing["spec"].items() if name not in GIVEN}
    for port in spec.get("ports", ()) if thing["kind"] == "Service" else ():
        port.pop("nodePort", None)
    return {"apiVersion": thing["apiVersion"], "kind": thing["kind"], "metadata": about, "spec": spec}


def listed(things: Sequence[Raw]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(things)})
