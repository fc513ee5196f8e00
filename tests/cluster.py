"""The real Kubernetes of live tests: the one named in BERTH_TEST_KUBECONFIG, else one of their own."""

import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NoReturn

import pytest

from backends.kubernetes.access import Access, from_kubeconfig
from launcher.commands import run
from launcher.image_archive import Image
from launcher.kubernetes import binaries
from launcher.kubernetes.cluster import PrivateCluster


@dataclass(frozen=True)
class LiveCluster:
    """`own`: it was started for these tests, so they may do to its nodes what they like."""

    kubeconfig: str
    own: PrivateCluster | None = None
    registry: str = ""  # one that its hosts may ask
    home: PrivateCluster | None = None  # the project's own, of which other tests make use too

    @property
    def access(self) -> Access:
        return from_kubeconfig(self.kubeconfig)

    def administer(self, *documents: dict[str, Any]) -> None:
        """As its administrator, with its own client."""
        apply = ["apply", "--server-side", "-f", "-"]
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
        self.kubectl(*apply, text=text)

    def kubectl(self, *words: str, text: str | None = None) -> str:
        with NamedTemporaryFile("w") as file:
            file.write(self.kubeconfig)
            file.flush()
            return run([str(binaries.kube()), "kubectl", "--kubeconfig", file.name, *words], text=text)


def of_its_own(image: Image) -> Image:
    """The same in what it does, but an image of its own: a host tells no more than five names of each that it holds."""
    return replace(image, config={**image.config, "Labels": {"of": uuid.uuid4().hex}})


@pytest.fixture(scope="session")
def kubernetes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCluster]:
    """A cluster of one node with the sample images on it."""
    if given := os.environ.get("BERTH_TEST_KUBECONFIG"):
        folder = os.environ.get("BERTH_TEST_CLUSTER")
        home = PrivateCluster(Path(folder)) if folder else None
        yield LiveCluster(Path(given).read_text(), registry=os.environ.get("BERTH_TEST_REGISTRY", ""), home=home)
        return
    if reason := binaries.why_not():
        leave_out(reason)
    private = PrivateCluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield LiveCluster(private.start().read_text(), private, private.registry, private)
    finally:
        private.destroy()


def leave_out(reason: str) -> NoReturn:
    """Where nobody looks, tests that were left out must not look like tests that passed."""
    text = f"NOT RUN: {reason}"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)
