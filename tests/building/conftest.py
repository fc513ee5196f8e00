"""Sources, and the way they take: uploaded by a program, built from, worked off as a worker would."""

import io
import tarfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from core.clock import database_now
from images.models import Build
from launcher.processes import until
from operations import tasks
from operations.models import Operation
from tests.conftest import Cast

P = "/api/v1/tenants/acme/projects/shop"
BUILDS = f"{P}/builds"
PATIENCE_SECONDS = 120.0


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.UPLOADS = {
        "folder": str(tmp_path / "uploads"), "tenant_bytes": 2**30, "spare_bytes": 2**20, "keep_hours": 24,
    }  # fmt: skip


def tar(files: dict[str, bytes | str], *, packed: bool = True) -> bytes:
    """An archive of sources; what begins with a program's name may be run."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz" if packed else "w") as archive:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            header = tarfile.TarInfo(name)
            header.size, header.mode = len(data), 0o755
            archive.addfile(header, io.BytesIO(data))
    return made.getvalue()


def zipped(files: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


@dataclass
class Asker:
    """A program that builds images."""

    client: APIClient

    def upload(self, data: bytes, name: str = "web.tar.gz") -> str:
        data = data.ljust(1100, b"\0")
        asked = {"file_name": name, "size_bytes": len(data), "purpose": "sources"}
        begun = self.client.post(f"{P}/uploads", asked, format="json")
        assert begun.status_code == 201, begun.content
        key = str(begun.json()["id"])
        sent = self.client.patch(
            f"{P}/uploads/{key}",
            data,
            content_type="application/offset+octet-stream",
            headers={"Upload-Offset": "0"},
        )
        assert sent.status_code == 204, sent.content
        return key

    def ask(self, **asked: Any) -> Any:
        return self.client.post(BUILDS, {"repository": "web", "tags": ["1"]} | asked, format="json")

    def build(self, files: dict[str, bytes | str], **asked: Any) -> Build:
        """Sources that were uploaded, and a build of them that waits for a worker."""
        answer = self.ask(upload=self.upload(tar(files)), **asked)
        assert answer.status_code == 201, answer.content
        return Build.objects.get(pk=answer.json()["id"])

    def log(self, build: Build) -> str:
        answer = self.client.get(f"{BUILDS}/{build.pk}/log")
        assert answer.status_code == 200
        return str(answer.content.decode())


@pytest.fixture
def asker(api: Callable[[str], APIClient], cast: Cast) -> Asker:
    return Asker(api("developer"))


def step(build: Build) -> Operation:
    """One turn of a worker."""
    operation = Operation.objects.get(pk=build.operation_id)
    if operation.failure and (due := operation.not_before):  # it is undone, and looked at only so many times
        assert until(lambda: database_now() >= due, seconds=PATIENCE_SECONDS)
    Operation.objects.filter(pk=operation.pk).update(not_before=None)
    tasks.run_long_operation(str(operation.pk))
    operation.refresh_from_db()
    return operation


def work_off(build: Build) -> Operation:
    """Be the worker until the build has ended."""
    end = time.monotonic() + PATIENCE_SECONDS
    build.refresh_from_db()
    while (operation := step(build)).active:
        told = [(one.code, one.params) for one in operation.events.all()]
        assert time.monotonic() < end, f"{operation.step}: {told}"
    build.refresh_from_db()
    return operation
