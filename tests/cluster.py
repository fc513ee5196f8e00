"""The real Kubernetes of live tests: the one named in BERTH_TEST_KUBECONFIG, else one of their own."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backends.kubernetes.access import Access, from_kubeconfig
from launcher.kubernetes import binaries
from launcher.kubernetes.cluster import PrivateCluster


@dataclass(frozen=True)
class LiveCluster:
    """`own`: it was started for these tests, so they may do to its nodes what they like."""

    kubeconfig: str
    own: PrivateCluster | None = None

    @property
    def access(self) -> Access:
        return from_kubeconfig(self.kubeconfig)


@pytest.fixture(scope="session")
def kubernetes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCluster]:
    """A cluster of one node with the sample images on it."""
    if given := os.environ.get("BERTH_TEST_KUBECONFIG"):
        yield LiveCluster(Path(given).read_text())
        return
    if reason := binaries.why_not():
        # where nobody looks, tests that were left out must not look like tests that passed
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"NOT RUN on Kubernetes: {reason}")
    private = PrivateCluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield LiveCluster(private.start().read_text(), private)
    finally:
        private.destroy()
