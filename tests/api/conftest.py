"""What several tests of the API need."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Wakeups

Settle = Callable[[], None]
Committed = Callable[..., Any]


@pytest.fixture
def settle(wakeups: Wakeups, django_capture_on_commit_callbacks: Any) -> Settle:
    """Work on what was accepted until nothing is left to do."""

    def work() -> None:
        with django_capture_on_commit_callbacks(execute=True):
            wakeups.drain()

    return work


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Committed:
    """Send a request and let what waits for its commit happen."""

    def send(act: Callable[..., Any], *args: Any, **more: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return act(*args, **more)

    return send
