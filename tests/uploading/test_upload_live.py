"""What was uploaded is what real clients find: skopeo looks at it, and an engine pulls and runs it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from images.registry import client
from launcher.registry import PrivateRegistry
from operations.models import Operation
from tests.conftest import PASSWORD, Cast
from tests.engine import LiveEngine, engine
from tests.images.real import Clients, asked
from tests.uploading import archives
from tests.uploading.conftest import Sender, newest, work_off

__all__ = ["engine"]
pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def clients(cast: Cast, engine: LiveEngine, tmp_path: Path, settings: Any) -> Iterator[Clients]:
    """A registry at an address that the engine reaches, and a portal that it asks."""
    with asked(engine.machine, tmp_path, settings, PrivateRegistry) as (registry, _berth):
        yield Clients.of(engine, registry, tmp_path)


@pytest.mark.parametrize("kind", ["docker", "layout", "layout without gzip"])
def test_an_engine_pulls_and_runs_what_was_uploaded(kind: str, clients: Clients, sender: Sender) -> None:
    made = {
        "docker": lambda: archives.docker("web:1"),
        "layout": lambda: archives.layout("web:1"),
        "layout without gzip": lambda: archives.layout("web:1", packed=False),
    }
    assert sender.put(made[kind](), repository="uploaded").status_code == 204
    operation = work_off(newest())
    assert operation.state == Operation.State.SUCCEEDED, operation.failure
    path = "acme/shop/uploaded"
    looked = clients.skopeo(
        "inspect", "--tls-verify=false", "--creds", f"guest:{PASSWORD}", f"docker://{clients.image(path)}"
    )
    assert looked.returncode == 0, looked.stderr
    assert newest().digest in looked.stdout
    assert clients.login("guest", PASSWORD).returncode == 0
    pulled = clients.fetch(path)
    assert pulled.returncode == 0, pulled.stderr
    assert newest().digest in pulled.stdout
    ran = clients.docker("run", "--rm", "--network", "none", clients.image(path), "/bin/busybox", "echo", "it runs")
    assert (ran.returncode, ran.stdout.strip()) == (0, "it runs"), ran.stderr
    assert client.digest_of(path, "1") == newest().digest
