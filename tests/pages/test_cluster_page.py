"""The operators' page of clusters."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps import observing
from apps.models import AppEnvironment
from apps.selectors.clusters import COMMAND
from backends.fake import FakeDriver, Mood
from backends.models import Cluster, Host
from tests.conftest import Cast

CLUSTERS = "/clusters/"
Browse = Callable[[str], Client]


def test_a_cluster_with_its_hosts_and_what_is_reserved(browse: Browse, cast: Cast, running: AppEnvironment) -> None:
    assert observing.observe(cast.cluster)
    page = browse("operator").get(CLUSTERS).content.decode()
    assert "The cluster is well." in page
    for host in Host.objects.all():
        assert host.name in page
    assert "just now" in page


def test_only_operators_may_look(browse: Browse, cast: Cast) -> None:
    for name in ("owner", "developer", "auditor", "outsider"):
        answer = browse(name).get(CLUSTERS)
        assert answer.status_code == 403
        assert cast.cluster.name not in answer.content.decode()


def test_a_cluster_that_is_away_says_since_when_why_and_what_to_do(
    browse: Browse, cast: Cast, driver: FakeDriver
) -> None:
    observing.observe(cast.cluster)
    driver.mood = Mood.AWAY
    assert not observing.observe(cast.cluster)
    Cluster.objects.update(seen_at=timezone.now() - timedelta(minutes=14))
    page = browse("operator").get(CLUSTERS).content.decode()
    assert "does not answer" in page
    assert "Berth tries again by itself" in page
    assert "Away since" in page
    assert "14 min ago" in page
    assert "is-old-number" in page


def test_without_an_engine_the_page_says_what_to_type(browse: Browse, cast: Cast) -> None:
    note = (
        "A private engine needs dockerd, which this machine lacks. "
        "Install with: apt-get install -y docker.io slirp4netns"
    )
    Cluster.objects.update(address="", state=Cluster.State.UNKNOWN, note=note)
    page = browse("operator").get(CLUSTERS).content.decode()
    assert "has no engine" in page
    assert ">apt-get install -y docker.io slirp4netns</pre>" in page
    assert ">./berth up</pre>" in page


@pytest.mark.parametrize(
    ("note", "found"),
    [
        ("Install them as root with: apt-get install -y docker.io.", ["apt-get install -y docker.io"]),
        (
            "Install with: apt-get install -y docker.io slirp4netns (./berth up does it)",
            ["apt-get install -y docker.io slirp4netns"],
        ),
        ("Load the kernel module: modprobe tun", ["modprobe tun"]),
        ("No engine.", []),
    ],
)
def test_commands_are_found_in_a_note(note: str, found: list[str]) -> None:
    assert COMMAND.findall(note) == found


def test_queries_do_not_grow_with_clusters_and_hosts(browse: Browse, cast: Cast) -> None:
    client = browse("operator")
    few = _queries(client)
    for number in range(5):
        cluster = Cluster.objects.create(name=f"more-{number}", kind=Cluster.Kind.FAKE, address="fake://")
        for host in range(10):
            Host.objects.create(cluster=cluster, engine_id=str(host), name=f"host-{host}", seen_at=timezone.now())
    assert _queries(client) == few


def _queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(CLUSTERS).status_code == 200
    return len(caught)
