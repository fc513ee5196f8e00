"""The OCI distribution specification's own tests: what the registry keeps, it keeps with Berth in front of it too."""

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from launcher import conformance
from launcher.paths import State
from launcher.registry import Berth, PrivateRegistry
from tests.cluster import leave_out
from tests.conftest import PASSWORD
from tests.images.stage import Stage, stage

__all__ = ["stage"]
pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]

SECONDS = 300
Results = Counter[tuple[str, str]]  # (name, what came of it): a name may come more than once, in any order


class AsksNobody(PrivateRegistry):
    """The same registry, which lets everybody do everything."""

    def settings(self, address: str, berth: Berth) -> dict[str, object]:
        kept = super().settings(address, berth)
        return {name: kept[name] for name in kept if name not in ("auth", "notifications")}


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[str]:
    """HOST:PORT of it."""
    state = State(tmp_path / "bare")
    state.prepare()
    registry = AsksNobody(state)
    try:
        yield registry.start("127.0.0.1", Berth("", "")).partition("://")[2]
    finally:
        registry.destroy()


def judged(program: Path, address: str, folder: Path, **more: str) -> Results:
    env = {
        "PATH": os.environ["PATH"],
        "OCI_REGISTRY": address,
        "OCI_TLS": "disabled",
        "OCI_REPO1": "acme/shop/one",
        "OCI_REPO2": "acme/shop/two",
        "OCI_RESULTS_DIR": str(folder),
    }
    done = subprocess.run(
        [program], env=env | more, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=folder.parent
    )
    assert (folder / "junit.xml").exists(), done.stderr
    cases = ElementTree.parse(folder / "junit.xml").iter("testcase")  # noqa: S314  of a program that we built
    return Counter((case.attrib["name"], case.attrib["status"]) for case in cases)


def test_the_registry_keeps_to_the_specification_as_it_does_by_itself(stage: Stage, bare: str, tmp_path: Path) -> None:
    if reason := conformance.why_not():
        leave_out(reason)
    program = conformance.build()
    alone = judged(program, bare, tmp_path / "alone")
    signed_in = {"OCI_USERNAME": "owner", "OCI_PASSWORD": PASSWORD}
    asked = judged(program, stage.clients.address, tmp_path / "asked", **signed_in)
    assert (asked - alone, alone - asked) == (Counter(), Counter())
    counted = Counter(status for _name, status in asked.elements())
    assert counted["passed"] > 500, counted  # the rest it refuses by itself too: sha512, referrers
