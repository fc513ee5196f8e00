"""The real engine of live tests: the one that `./berth test` started, else one of their own."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

import pytest

from launcher import sample_images
from launcher.engine import PrivateEngine
from launcher.engine_api import EngineClient


@dataclass(frozen=True)
class LiveEngine:
    """`url` to call it, `address` where its instances' ports answer."""

    url: str
    address: str

    @property
    def machine(self) -> str:
        """This machine's address on the engine's link."""
        return str(IPv4Address(self.address) - 1)

    def call(self) -> EngineClient:
        return EngineClient(self.url)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveEngine]:
    """A Swarm of one host with the sample images on it."""
    if given := os.environ.get("BERTH_TEST_ENGINE"):
        yield LiveEngine(given, os.environ.get("BERTH_TEST_ENGINE_ADDRESS", ""))
        return
    private = PrivateEngine(tmp_path_factory.mktemp("engine"))
    started = private.start()
    try:
        sample_images.ensure(started.url)
        yield LiveEngine(started.url, started.address)
    finally:
        private.destroy()
