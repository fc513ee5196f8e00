from collections.abc import Callable
from typing import Any

import pytest

from operations.models import Operation
from tests.conftest import Wakeups
from tests.images.conftest import registry
from tests.promotion.laid import Registry

__all__ = ["registry"]


@pytest.fixture
def shelf(registry: None, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """What lies in the registry, as far as Berth's own client is told."""
    return Registry(monkeypatch)


@pytest.fixture
def done(wakeups: Wakeups, django_capture_on_commit_callbacks: Any) -> Callable[[Callable[[], Any]], Operation]:
    """Begin a change and work on it until it is over; answers its operation."""

    def run(begin: Callable[[], Any]) -> Operation:
        with django_capture_on_commit_callbacks(execute=True):
            operation = begin()
        with django_capture_on_commit_callbacks(execute=True):
            wakeups.drain()
        operation.refresh_from_db()
        found: Operation = operation
        return found

    return run
