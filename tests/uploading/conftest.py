"""A folder for uploads, and a registry of its own kind: the real one, asked with tokens that Berth signs."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from images.models import Upload
from images.uploading import room
from launcher.commands import find
from launcher.paths import State
from launcher.registry import PROGRAM, Berth, PrivateRegistry, write
from launcher.services import free_at
from operations import tasks
from operations.models import Operation
from portal import environment as environments
from tests.conftest import Cast

UPLOADS = "/api/v1/tenants/acme/projects/shop/uploads"
PATIENCE_SECONDS = 60.0


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.UPLOADS = {
        "folder": str(tmp_path / "uploads"), "tenant_bytes": 2**30, "spare_bytes": 2**20, "keep_hours": 24,
    }  # fmt: skip


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """It never has to ask Berth: who brings a token that Berth signed is let in."""
    if find(PROGRAM) is None:
        pytest.skip(f"{PROGRAM} is not installed")
    state = State(tmp_path_factory.mktemp("registry"))
    state.prepare()
    registry = PrivateRegistry(state)
    write(registry.place_file, {"url": f"http://127.0.0.1:{free_at('127.0.0.1', 0)}"})  # other tests run beside these
    registry.start("127.0.0.1", Berth("http://127.0.0.1:9/registry/token", ""))
    yield state
    registry.destroy()


@pytest.fixture
def registry(_running: State, settings: Any) -> dict[str, str]:
    settings.REGISTRY = environments.registry(_running.keys)
    told: dict[str, str] = settings.REGISTRY
    return told


@dataclass
class Sender:
    """Sends archives as a program does."""

    client: APIClient

    def begin(self, data: bytes, **more: Any) -> Any:
        body = {"file_name": "web.tar", "size_bytes": len(data)} | more
        return self.client.post(UPLOADS, body, format="json")

    def send(self, upload: str, data: bytes, at: int = 0) -> Any:
        return self.client.patch(
            f"{UPLOADS}/{upload}",
            data,
            content_type="application/offset+octet-stream",
            headers={"Upload-Offset": str(at)},
        )

    def put(self, data: bytes, **more: Any) -> Any:
        """All of it, in one piece; the last answer."""
        begun = self.begin(data, **more)
        assert begun.status_code == 201, begun.content
        return self.send(begun.json()["id"], data)

    def shown(self, upload: object) -> Any:
        return self.client.get(f"{UPLOADS}/{upload}").json()


@pytest.fixture
def sender(api: Callable[[str], APIClient], cast: Cast) -> Sender:
    return Sender(api("developer"))


def newest() -> Upload:
    return Upload.objects.latest("created_at")


def work_off(upload: Upload) -> Operation:
    """Be the worker until the operation of this upload has ended."""
    end = time.monotonic() + PATIENCE_SECONDS
    upload.refresh_from_db()
    while True:
        operation = Operation.objects.get(pk=upload.operation_id)
        if not operation.active:
            return operation
        assert time.monotonic() < end, f"{operation.step}: {[(e.code, e.params) for e in operation.events.all()]}"
        Operation.objects.filter(pk=operation.pk).update(not_before=None)
        tasks.run_operation(str(operation.pk))
        time.sleep(0.02)


def left_behind() -> list[Path]:
    """What still lies on the disk of any upload."""
    return sorted(room.folder().rglob("*")) if room.folder().exists() else []
