from typing import Any

import pytest

from tests.engine import engine
from tests.images import doors
from tests.images.there import There

__all__ = ["engine"]


@pytest.fixture
def registry(settings: Any) -> None:
    """There is a registry, as far as the settings say."""
    settings.REGISTRY = doors.SETTINGS


@pytest.fixture
def there(registry: None, monkeypatch: pytest.MonkeyPatch) -> There:
    """What lies in it, in place of its answers."""
    found = There()
    found.stand_in(monkeypatch)
    return found
