"""What a portal of these tests deploys to: a real engine of each kind, and what the engine itself says runs there."""

import json
import os
import subprocess
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from backends.kubernetes.environments import PULL
from backends.kubernetes.images import question, read
from launcher.engine_api import EngineError
from launcher.kubernetes.cluster import PrivateCluster
from launcher.processes import until
from tests.cluster import LiveCluster, leave_out
from tests.e2e.portal import Portal
from tests.engine import LiveEngine
from tests.faults import leftovers

OURS = "app.kubernetes.io/managed-by=berth,berth/app"
GONE_SECONDS = 60.0
FETCH_SECONDS = 90.0
UNFETCHED = {"ErrImagePull", "ImagePullBackOff"}


class Ground(Protocol):
    keeps_rotated_logs: bool  # an engine that turned a log over still tells what stood before
    asks_each_time: bool  # for what a stage approved its hosts ask the registry, though they hold it

    @property
    def machine(self) -> str:
        """This machine, as hosts reach it."""
        ...

    def portal(self, state: Path, **environment: str) -> Portal:
        """One that begins as after `./berth up` with this engine alone. Not started."""
        ...

    def running(self) -> list[str]:
        """The digest of the image of each instance that runs and is ready, as the engine's own tool tells it."""
        ...

    def clear(self) -> None:
        """Take away what was deployed."""
        ...

    def let_fetch(self, address: str) -> None:
        """Hosts may ask the registry at HOST:PORT over plain HTTP."""
        ...

    def fetched(self, reference: str) -> bool:
        """Whether the engine says that a host has this image by this very name."""
        ...

    def tries(self, place: str, account: str, reference: str, *, home: Path) -> bool:
        """Whether a host gets an image with the account of an environment (its engine name, and NAME:PASSWORD)."""
        ...

    def serving(self, digest: str) -> int:
        """How many instances of an image are ready."""
        ...

    def end(self, digest: str, *, lost: bool) -> None:
        """End an image's instances behind Berth's back; `lost`: and have the hosts lose their copies of it."""
        ...

    def refused(self, digest: str) -> str:
        """What the engine says of an instance that it cannot start for want of its image; empty if there is none."""
        ...


@dataclass(frozen=True)
class OnSwarm:
    engine: LiveEngine
    keeps_rotated_logs: bool = True
    asks_each_time: bool = False

    @property
    def machine(self) -> str:
        return self.engine.machine

    def portal(self, state: Path, **environment: str) -> Portal:
        return Portal.prepared(state, self.engine, **environment)

    def running(self) -> list[str]:
        return [row["ImageID"] for row in self._ready()]

    def clear(self) -> None:
        leftovers.clear_all(self.engine)

    def let_fetch(self, address: str) -> None:
        assert address.startswith(f"{self.machine}:"), "the private engine asks what listens at its own link"

    def fetched(self, reference: str) -> bool:
        return reference in (self._image(reference) or {}).get("RepoDigests", ())

    def tries(self, place: str, account: str, reference: str, *, home: Path) -> bool:
        name, _colon, password = account.partition(":")
        registry = reference.partition("/")[0]
        entered = self._docker(home, "login", "--username", name, "--password-stdin", registry, text=password)
        assert entered.returncode == 0, entered.stderr
        return self._docker(home, "pull", reference).returncode == 0

    def serving(self, digest: str) -> int:
        return sum(digest in row["Image"] for row in self._ready())

    def end(self, digest: str, *, lost: bool) -> None:
        image = next(row["ImageID"] for row in self._containers(digest))

        def gone() -> bool:
            """The engine starts anew what ends, so both go until the copy is gone."""
            for row in self._containers(digest):
                self._delete(f"/containers/{row['Id']}?force=true")
            if lost:
                self._delete(f"/images/{image}?force=true")
            return not lost or self._image(image) is None

        assert until(gone, seconds=GONE_SECONDS, every=0.1)

    def refused(self, digest: str) -> str:
        tasks = self.engine.call().call("GET", "/tasks")
        rows = [one for one in tasks if digest in one["Spec"].get("ContainerSpec", {}).get("Image", "")]
        said = [one["Status"].get("Err", "") for one in sorted(rows, key=lambda one: one["CreatedAt"])[-2:]]
        return next((text for text in said if "No such image" in text or "denied" in text), "")

    def _ready(self) -> list[dict[str, Any]]:
        rows = leftovers.labelled(self.engine.call(), "containers")
        return [row for row in rows if "unhealthy" not in row["Status"] and "starting" not in row["Status"]]

    def _containers(self, digest: str) -> list[dict[str, Any]]:
        return [row for row in leftovers.labelled(self.engine.call(), "containers") if digest in row["Image"]]

    def _image(self, reference: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self.engine.call().call("GET", f"/images/{urllib.parse.quote(reference)}/json")
        except EngineError as error:
            if error.status != 404:
                raise
            return None
        return found

    def _delete(self, address: str) -> None:
        try:
            self.engine.call().call("DELETE", address)
        except EngineError as error:
            if error.status not in (404, 409):  # gone already, or in use again
                raise

    def _docker(self, home: Path, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        env = {"PATH": os.environ["PATH"], "HOME": str(home), "DOCKER_HOST": self.engine.url}
        program = ["docker", "--config", str(home / "docker")]
        return subprocess.run(
            [*program, *words], env=env, input=text, capture_output=True, text=True, timeout=120, check=False
        )


@dataclass(frozen=True)
class OnKubernetes:
    cluster: LiveCluster
    keeps_rotated_logs: bool = False
    asks_each_time: bool = True

    @property
    def machine(self) -> str:
        return self._home().lan.machine

    def portal(self, state: Path, **environment: str) -> Portal:
        return Portal.prepared(state, None, kubeconfig=self.cluster.kubeconfig, **environment)

    def running(self) -> list[str]:
        return list(self._digests())

    def clear(self) -> None:
        """A namespace goes with all that is in it."""
        self.cluster.kubectl("delete", "namespace", "-l", "app.kubernetes.io/managed-by=berth", "--wait=false")
        assert until(lambda: not self._pods(), seconds=GONE_SECONDS, every=0.5)

    def let_fetch(self, address: str) -> None:
        self._home().let_fetch(address)

    def fetched(self, reference: str) -> bool:
        told = json.loads(self.cluster.kubectl("get", "events", "-A", "-o", "json"))["items"]
        said = f'Successfully pulled image "{reference}"'
        return any(one["reason"] == "Pulled" and said in one["message"] for one in told)

    def tries(self, place: str, account: str, reference: str, *, home: Path) -> bool:
        """By hand, as the cluster's administrator, in the environment's own namespace and with its own secret."""
        pod = question(reference)
        pod["metadata"]["namespace"] = place
        pod["spec"]["imagePullSecrets"] = [{"name": PULL}]
        pod["spec"]["activeDeadlineSeconds"] = int(FETCH_SECONDS)
        pod["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "10m"
        name = pod["metadata"]["name"]
        self.cluster.administer(pod)
        seen: list[bool] = []

        def known() -> bool:
            digest, reason = read(json.loads(self.cluster.kubectl("-n", place, "get", "pod", name, "-o", "json")))
            seen[:] = [bool(digest)] if digest or reason else []
            return bool(seen)

        try:
            assert until(known, seconds=FETCH_SECONDS, every=0.3), reference
        finally:
            self.cluster.kubectl("-n", place, "delete", "pod", name, "--grace-period=0", "--force")
        return seen[0]

    def serving(self, digest: str) -> int:
        return list(self._digests()).count(digest)

    def end(self, digest: str, *, lost: bool) -> None:
        before = self._of(digest)
        assert before

        def gone() -> bool:
            if lost:
                self._home().lose_image(digest)
            return not {one["metadata"]["uid"] for one in before} & {one["metadata"]["uid"] for one in self._of(digest)}

        for pod in before:
            place, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
            self.cluster.kubectl("-n", place, "delete", "pod", name, "--grace-period=0", "--force")
        assert until(gone, seconds=GONE_SECONDS, every=0.2)

    def refused(self, digest: str) -> str:
        for pod in self._of(digest):
            for one in pod["status"].get("containerStatuses") or ():
                waiting = one["state"].get("waiting") or {}
                if waiting.get("reason") in UNFETCHED:
                    return str(waiting.get("message") or waiting["reason"])
        return ""

    def _home(self) -> PrivateCluster:
        if self.cluster.home is None:
            leave_out("the cluster is not the project's own, so its hosts cannot be told of a registry")
        return self.cluster.home

    def _of(self, digest: str) -> list[dict[str, Any]]:
        """Pods of an image that are not on their way out."""
        return [
            pod
            for pod in self._pods()
            if pod["spec"]["containers"][0]["image"].endswith(f"@{digest}")
            and "deletionTimestamp" not in pod["metadata"]
        ]

    def _digests(self) -> Iterable[str]:
        for pod in self._pods():
            ready = [one["status"] for one in pod["status"].get("conditions", ()) if one["type"] == "Ready"]
            if ready == ["True"] and "deletionTimestamp" not in pod["metadata"]:
                yield pod["spec"]["containers"][0]["image"].partition("@")[2]

    def _pods(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.cluster.kubectl("get", "pods", "-A", "-l", OURS, "-o", "json"))[
            "items"
        ]
        return found
