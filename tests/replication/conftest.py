from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from core.secrets import Secret
from images.registry import client
from images.replication import working
from images.replication.models import RemoteRegistry
from operations import tasks
from operations.models import Operation
from tests.conftest import Cast
from tests.replication.depots import PASSWORD, USER, Depot, own, with_password


@pytest.fixture(autouse=True)
def _loopback(settings: Any) -> None:
    """An operator opened this machine's own network."""
    settings.OUTBOUND = settings.OUTBOUND | {"networks": [ip_network("127.0.0.0/8")]}


@pytest.fixture(scope="session")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with own(tmp_path_factory.mktemp("home")) as (_registry, said):
        yield said


@pytest.fixture
def home(_home: dict[str, str], settings: Any) -> Callable[[str, str], str]:
    """Our own registry, a real one: `home(path, tag)` is the digest that lies there."""
    settings.REGISTRY = _home
    return client.digest_of


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Depot]:
    """A registry of somebody else, with user and password."""
    depot = with_password(tmp_path / "elsewhere").start()
    yield depot
    depot.kill()


@pytest.fixture
def remote(cast: Cast, elsewhere: Depot) -> RemoteRegistry:
    """The same, as shop knows it."""
    return RemoteRegistry.objects.create(
        tenant=cast.acme, project=cast.shop, name="elsewhere", address=elsewhere.url, user=USER, secret=Secret(PASSWORD)
    )


@pytest.fixture
def worked(django_capture_on_commit_callbacks: Any) -> Callable[..., Any]:
    """`worked(act)` does something and then all that it leads workers to do; answers what it gave."""

    def work(act: Callable[[], Any] = lambda: None, *, turns: int = 200) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            made = act()
        for _turn in range(turns):
            running = Operation.objects.filter(state__in=Operation.ACTIVE).exclude(kind="image.scan.run")
            waiting = running.values_list("pk", flat=True).first()
            if waiting is None:
                return made
            with django_capture_on_commit_callbacks(execute=True):
                step(waiting)
        raise AssertionError("operations are still not over")

    return work


def step(operation: object) -> None:
    """One turn of a worker at it, whenever it was to be."""
    Operation.objects.filter(pk=operation).update(not_before=None)
    tasks.run_operation(str(operation))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trying again in vain ends soon."""
    monkeypatch.setattr(working, "MOST_TRIES", 2)
