"""Looking through what a test made."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.access import SYSTEM
from images.happening import Happened, tell
from images.models import Artifact, Repository
from images.registry import names
from images.scanning.limits import Limits
from images.scanning.looking import look_through
from images.scanning.operations import last_try
from operations.models import Operation
from operations.tasks import run_long_operation
from tests.conftest import Cast, Wakeups
from tests.scanning import shelf as shelves
from tests.scanning.advisories import zipped
from tests.scanning.images import Made, deb, digest, layer
from tests.scanning.operator import debian, run
from tests.scanning.shelf import Shelf

Look = Callable[..., dict[str, Any]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """`look(layer_entries, …)`: what is in an image of these layers, by the real child process."""

    def run(*layers: Any, limits: Limits | None = None, **more: Any) -> dict[str, Any]:
        laid = [one if isinstance(one, bytes) else layer(one) for one in layers]
        return look_through(Made(laid, **more).docker(tmp_path), limits=limits)

    return run


@pytest.fixture
def _no_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def brought(tmp_path: Path) -> Callable[..., str]:
    """`brought(advisory(…), …)`: import these."""

    def bring(*advisories: Any) -> str:
        return run("import_vulnerabilities", zipped(tmp_path / "all.zip", advisories))

    return bring


@pytest.fixture
def scanned(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """`scanned(layer_entries, …)`: the report of an image of these layers, as JSON."""

    def scan(*layers: Any, words: tuple[object, ...] = (), **more: Any) -> dict[str, Any]:
        archive = Made([layer(one) for one in layers], **more).docker(tmp_path)
        report: dict[str, Any] = json.loads(run("scan_image", archive, *words, format="json"))
        return report

    return scan


@pytest.fixture
def kept(tmp_path: Path, cast: Cast) -> tuple[Path, Artifact]:
    """An archive, and the artifact it is known as: acme's."""
    made = Made([layer(debian(deb("bash", "5.2-1")))])
    home = Repository.objects.create(tenant=cast.acme, name="shop/web")
    return made.oci(tmp_path), Artifact.objects.create(repository=home, digest=digest(made.manifest), pinned="x")


@pytest.fixture
def shelf(settings: Any) -> Iterator[Shelf]:
    """A registry over HTTP that the portal takes for its own."""
    with shelves.opened(settings) as made:
        yield made


Push = Callable[..., tuple[Artifact, Operation]]


@pytest.fixture
def pushed(cast: Cast, shelf: Shelf, wakeups: Wakeups, django_capture_on_commit_callbacks: Any) -> Push:
    """`pushed(made, …)`: an image comes to acme/shop, and so many steps of what that begins are taken."""

    def push(made: Made | str, *, path: str = "acme/shop/web", steps: int = 200, **changed: Any) -> Any:
        known = made if isinstance(made, str) else shelf.put(made, **changed)
        home, _new = Repository.objects.get_or_create(
            tenant=cast.acme, project=cast.shop, path=path, name=names.reference(path)
        )
        artifact, _new = Artifact.objects.get_or_create(repository=home, digest=known, pinned=f"{home.name}@{known}")
        with django_capture_on_commit_callbacks(execute=True):
            tell(Happened("pushed", home, known, SYSTEM, tag="1"))
        operation = last_try(artifact)
        assert operation is not None
        work(wakeups, django_capture_on_commit_callbacks, steps)
        operation.refresh_from_db()
        return artifact, operation

    return push


def work(wakeups: Wakeups, capture: Any, steps: int = 200) -> None:
    """Take so many steps of whatever waits."""
    for _step in range(steps):
        if not wakeups.ids:
            return
        operation_id = wakeups.ids.pop(0)
        Operation.objects.filter(pk=operation_id).update(not_before=None)
        with capture(execute=True):
            run_long_operation(operation_id)
