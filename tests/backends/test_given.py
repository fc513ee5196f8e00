"""What each engine would be given can be told where no engine is: nothing is asked of it."""

import pytest

from backends.contract import Driver
from backends.kubernetes.access import Access
from backends.kubernetes.driver import KubernetesDriver
from backends.swarm.driver import SwarmDriver
from tests.backends.given_contract import GivenContract


class TestKubernetesGiven(GivenContract):
    @pytest.fixture
    def driver(self) -> Driver:
        return KubernetesDriver(Access("https://127.0.0.1:1"))


class TestSwarmGiven(GivenContract):
    @pytest.fixture
    def driver(self) -> Driver:
        return SwarmDriver("tcp://127.0.0.1:1")
