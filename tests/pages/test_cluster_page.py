"""The operators' page of clusters."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps import observing
from apps.models import AppEnvironment, ObservedInstance
from apps.selectors.clusters import COMMAND, cluster_lines
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
    away = timezone.now() - timedelta(minutes=14)
    Cluster.objects.update(seen_at=away, away_since=away)
    page = browse("operator").get(CLUSTERS).content.decode()
    assert "does not answer" in page
    assert "Berth tries again by itself" in page
    assert "local does not answer, 14 min" in page
    assert "The cluster is not well." in page
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


def test_what_is_broken_says_whom_it_hurts(
    browse: Browse, cast: Cast, running: AppEnvironment, driver: FakeDriver
) -> None:
    driver.mood = Mood.AWAY
    observing.observe(cast.cluster)
    page = browse("operator").get(CLUSTERS).content.decode()
    assert "Hurts, as last seen, acme / shop, hello dev (3 instances)." in page
    assert "1 tenant notices it." in page
    assert "0 of 1" not in page  # of a silent cluster nobody says that nothing runs


def test_a_host_that_is_down_hurts_those_on_it(browse: Browse, cast: Cast, running: AppEnvironment) -> None:
    observing.observe(cast.cluster)
    Host.objects.update(ready=False, said="the cable is out")
    page = browse("operator").get(CLUSTERS).content.decode()
    assert "fake of local cannot be reached" in page
    assert "acme / shop, hello dev (3 instances)" in page
    assert "the cable is out" in page
    assert "1 of 1 host is down" in page


def test_a_host_that_is_short_is_told_before_it_is_full(browse: Browse, cast: Cast, running: AppEnvironment) -> None:
    observing.observe(cast.cluster)
    host = Host.objects.get()
    Host.objects.update(memory_reserved=int(host.memory_bytes * 0.96))
    page = browse("operator").get(CLUSTERS).content.decode()
    assert "fake of local: 96 % of its memory is taken" in page
    assert "short of memory" in page
    assert "96 % of 16 GB" in page


def test_a_service_that_finds_no_host_is_told(browse: Browse, cast: Cast, running: AppEnvironment) -> None:
    observing.observe(cast.cluster)
    running.services.update(reason={"code": "no_capacity", "params": {"service": "web"}}, running=1)
    page = browse("operator").get(CLUSTERS).content.decode()
    assert "local: No host has room for another instance of web." in page
    assert "hello dev (2 instances)" in page


def test_use_is_shown_where_it_was_measured_of_late(browse: Browse, cast: Cast, running: AppEnvironment) -> None:
    observing.observe(cast.cluster)
    running.observed_instances.update(cpu_millicores=800, memory_bytes=1 << 30, usage_at=timezone.now())
    line = browse("operator").get(CLUSTERS).context["lines"][0]
    assert (line.cpu.used, line.memory.used, line.instances) == (2400, 3 << 30, 3)
    running.observed_instances.update(usage_at=timezone.now() - timedelta(minutes=5))
    line = browse("operator").get(CLUSTERS).context["lines"][0]
    assert (line.cpu.used, line.memory.used, line.instances) == (0, 0, 3)


def test_hosts_are_sorted_by_the_address(browse: Browse, cast: Cast) -> None:
    now = timezone.now()
    Cluster.objects.update(seen_at=now)
    for name, reserved in (("b", 7000), ("a", 1000), ("c", 7900)):
        Host.objects.create(
            cluster=cast.cluster, engine_id=name, name=name, ready=True, cpu_millicores=8000, cpu_reserved=reserved,
            seen_at=now,
        )  # fmt: skip
    client = browse("operator")

    def shown(query: str) -> list[str]:
        return [one.host.name for one in client.get(f"{CLUSTERS}{query}").context["panels"][0]["hosts"]]

    assert shown("") == ["c", "b", "a"]
    assert shown("?sort=name") == ["a", "b", "c"]


def test_the_page_of_one_cluster_says_what_runs_there(browse: Browse, cast: Cast, running: AppEnvironment) -> None:
    observing.observe(cast.cluster)
    client = browse("operator")
    page = client.get(f"{CLUSTERS}local/").content.decode()
    assert "What runs there" in page
    assert "3 of 3" in page
    assert client.get(f"{CLUSTERS}nothing/").status_code == 404
    for name in ("owner", "developer", "auditor"):
        assert browse(name).get(f"{CLUSTERS}local/").status_code == 403


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


def test_a_silent_cluster_keeps_the_load_that_was_seen_last(cast: Cast, running: AppEnvironment) -> None:
    observing.observe(cast.cluster)
    long_ago = timezone.now() - timedelta(minutes=10)
    ObservedInstance.objects.update(cpu_millicores=500, memory_bytes=64 << 20, usage_at=long_ago)

    def used() -> int:
        return cluster_lines(list(Cluster.objects.prefetch_related("hosts")))[0].cpu.used

    assert used() == 0, "old numbers of a cluster that answers are not of now"
    Cluster.objects.update(state=Cluster.State.AWAY)
    assert used() == 1500
