"""What people push with their own client to the real registry is scanned, and their page says so."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from images import tasks
from images.models import Artifact, LookedLayer, RegistryEvent
from images.scanning.operations import last_try
from launcher.processes import until
from launcher.registry import Berth, PrivateRegistry
from operations.models import Operation
from operations.tasks import run_long_operation
from tests.conftest import PASSWORD, Cast, Wakeups
from tests.images.real import asked
from tests.scanning.advisories import CRITICAL, advisory, zipped
from tests.scanning.images import Made, deb, layer
from tests.scanning.operator import debian, run

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
SECONDS = 60


@dataclass
class Stage:
    registry: PrivateRegistry
    berth: Berth
    home: Path

    def push(self, archive: Path, path: str) -> None:
        address = self.registry.url.partition("://")[2]
        words = ["skopeo", "copy", "--dest-tls-verify=false", "--dest-creds", f"developer:{PASSWORD}"]
        words += [f"docker-archive:{archive}", f"docker://{address}/{path}:1"]
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.home)}
        done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stderr
        assert until(lambda: RegistryEvent.objects.filter(action="push").exists(), seconds=SECONDS)
        tasks.take_in()


@pytest.fixture
def stage(cast: Cast, tmp_path: Path, settings: Any) -> Iterator[Stage]:
    """A registry on this machine, and a portal that it asks and tells; no engine is needed."""
    home = tmp_path / "home"
    home.mkdir()
    with asked("127.0.0.1", tmp_path, settings, PrivateRegistry) as (registry, berth):
        yield Stage(registry, berth, home)


def work(wakeups: Wakeups, *, steps: int = 50) -> None:
    for _step in range(steps):
        if not wakeups.ids:
            return
        operation_id = wakeups.ids.pop(0)
        Operation.objects.filter(pk=operation_id).update(not_before=None)
        run_long_operation(operation_id)


def test_a_push_is_scanned_from_the_real_registry_and_its_base_is_read_once(
    stage: Stage, cast: Cast, wakeups: Wakeups, tmp_path: Path, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("images.scanning.external.installed", lambda: None)
    known = [advisory("CVE-2026-1", "Debian:12", "bash", fixed="5.3-1", vector=CRITICAL), advisory("P-1", "PyPI", "x")]
    run("import_vulnerabilities", zipped(tmp_path / "all.zip", known))
    base = layer(debian(deb("bash", "5.2-1")))
    for name in ("web", "worker"):
        folder = tmp_path / name
        folder.mkdir()
        stage.push(Made([base, layer({"srv/name": name})], names=(f"{name}:1",)).docker(folder), f"acme/shop/{name}")
        work(wakeups)
    artifacts = list(Artifact.objects.order_by("repository__path"))
    assert [last.state for one in artifacts if (last := last_try(one))] == ["succeeded", "succeeded"]
    assert [one.scans.get().rating for one in artifacts] == ["F", "F"]
    assert LookedLayer.objects.count() == 3, "the base, and one on top of it each"
    client.force_login(cast.developer)
    names = {"tenant": "acme", "project": "shop", "artifact": artifacts[0].pk}
    assert "CVE-2026-1" in client.get(reverse("image_scan", kwargs=names)).content.decode()


def test_it_waits_for_a_registry_that_was_stopped(
    stage: Stage, cast: Cast, wakeups: Wakeups, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("images.scanning.external.installed", lambda: None)
    stage.push(Made([layer(debian(deb("bash", "5.2-1")))]).docker(tmp_path), "acme/shop/web")
    stage.registry.stop()
    work(wakeups, steps=2)
    operation = Operation.objects.get(kind="image.scan.run")
    assert (operation.state, operation.events.latest("seq").code) == ("running", "registry_away")
    stage.registry.start("127.0.0.1", stage.berth)
    work(wakeups)
    operation.refresh_from_db()
    assert operation.state == "succeeded"
