"""An engine that only talks to who shows a certificate, by the credentials that stand encrypted in its row."""

import pytest

from backends import registry
from backends.models import Cluster
from core.secrets import Secret
from tests.backends.guarded import Guarded, guarded
from tests.certificates import Pair, signed

__all__ = ["guarded"]

pytestmark = [pytest.mark.live, pytest.mark.django_db]


def cluster(guarded: Guarded, *, by: Pair | None) -> Cluster:
    return Cluster.objects.create(
        name="guarded",
        kind=Cluster.Kind.SWARM,
        address=guarded.address,
        authority=guarded.authority.pem,
        client_certificate=by.pem if by else "",
        client_key=Secret(by.key_pem) if by else None,
    )


def test_with_its_certificate_the_engine_answers(guarded: Guarded) -> None:
    row = cluster(guarded, by=guarded.client)
    driver = registry.driver_for(Cluster.objects.get(pk=row.pk))
    assert driver.health().ready
    assert [host.ready for host in driver.hosts()] == [True]


def test_without_one_or_with_a_strangers_it_is_away_and_nothing_raises(guarded: Guarded) -> None:
    row = cluster(guarded, by=signed("stranger", by=signed("another authority")))
    assert not registry.driver_for(row).health().ready
    row.client_key, row.version = None, row.version + 1
    assert not registry.driver_for(row).health().ready
