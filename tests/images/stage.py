"""A real registry at an address that the engine reaches, and a portal there that it asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from launcher.registry import PrivateRegistry
from tests.conftest import Cast
from tests.engine import LiveEngine
from tests.images.real import Clients, asked


@dataclass
class Stage:
    clients: Clients
    registry: PrivateRegistry

    @property
    def key(self) -> str:
        return (self.registry.state.keys / "registry_key").read_text()


@pytest.fixture
def stage(cast: Cast, engine: LiveEngine, tmp_path: Path, settings: Any) -> Iterator[Stage]:
    with asked(engine.machine, tmp_path, settings, PrivateRegistry) as (registry, _berth):
        yield Stage(Clients.of(engine, registry, tmp_path), registry)
