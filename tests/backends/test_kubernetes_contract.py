"""The contract against a real Kubernetes, and what only a real one can show."""

import pytest

from backends.contract import ReasonCode
from backends.kubernetes.access import Access
from backends.kubernetes.driver import KubernetesDriver
from tests.backends.emptying_contract import EmptyingContract
from tests.backends.real_contract import RealContract
from tests.cluster import LiveCluster

pytestmark = pytest.mark.kubernetes


class TestEmptying(EmptyingContract):
    @pytest.fixture(scope="class")
    @classmethod
    def driver(cls, kubernetes: LiveCluster) -> KubernetesDriver:
        return KubernetesDriver(kubernetes.access)


class TestKubernetesDriver(RealContract):
    @pytest.fixture(scope="class")
    @classmethod
    def driver(cls, kubernetes: LiveCluster) -> KubernetesDriver:
        return KubernetesDriver(kubernetes.access)

    def test_an_engine_that_is_not_there_is_an_answer(self) -> None:
        health = KubernetesDriver(Access("https://127.0.0.1:1")).health()
        assert not health.ready
        assert health.reason is not None
        assert health.reason.code == ReasonCode.ENGINE_AWAY
