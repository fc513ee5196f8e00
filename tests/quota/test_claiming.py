"""What is declared is held, once, and never more than the limit."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps import services
from apps.models import AppEnvironment
from apps.reserving import ceiling, declared, needs_of, planned
from apps.specification import from_image
from apps.specification.reading import read_data
from backends.contract import Ceiling
from backends.fake import FakeDriver
from core.errors import Conflict
from core.rows import new_id
from tenants.quota import counting
from tenants.quota.models import Quota, QuotaClaim
from tenants.quota.sweeping import recount
from tenants.services import create_project
from tests.conftest import Cast, Wakeups

GIB = 1 << 30
Commit = Any


def used(cast: Cast, resource: str, *, of_tenant: bool = False) -> int:
    row = Quota.objects.filter(tenant=cast.acme, project=None if of_tenant else cast.shop, resource=resource).first()
    return row.used if row else 0


def limit(cast: Cast, resource: str, amount: int | None, *, of_tenant: bool = False) -> None:
    project = None if of_tenant else cast.shop
    Quota.objects.update_or_create(tenant=cast.acme, project=project, resource=resource, defaults={"limit": amount})


def web(instances: int = 1, cpu: str = "1", *, tag: str = "1") -> Any:
    return from_image(f"berth/hello:{tag}", instances=instances, cpu=cpu, memory="256Mi", ports=[8080])


@pytest.fixture
def work(wakeups: Wakeups, django_capture_on_commit_callbacks: Commit) -> Any:
    """`work(act)`: do it, and let the operations that it starts come to their end."""

    def run(act: Any) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            act()
        with django_capture_on_commit_callbacks(execute=True):
            wakeups.drain()

    return run


def test_what_is_counted(place: AppEnvironment) -> None:
    """Limits, else reservations, else a fixed share; one more for an update that starts first; volumes and ports."""
    spec = read_data(
        {
            "services": {
                "web": {
                    "image": "a:1",
                    "ports": [80, 443],
                    "deploy": {
                        "replicas": 4,
                        "resources": {"limits": {"cpus": "0.5", "memory": "64Mi"}},
                        "update_config": {"parallelism": 2},
                    },
                },
                "db": {
                    "image": "b:1",
                    "volumes": ["data:/data"],
                    "deploy": {"resources": {"reservations": {"cpus": "2"}}},
                },
            },
            "volumes": {"data": {}},
        }
    ).specification
    assert planned(place, spec) == {
        "cpu": 500 * (4 + 2) + 2000,
        "memory": (64 << 20) * 6 + (128 << 20),
        "instances": 5,
        "routes": 2,
        "storage": GIB,
    }
    assert needs_of(spec, {"web": 0, "db": 0}) == {"routes": 2, "storage": GIB}, "stopped: data and addresses stay"


def test_volumes_count_by_their_size_and_for_each_instance_that_has_its_own() -> None:
    kept = {"image": "a:1", "volumes": ["data:/data", "data:/again"]}
    services = {"one": kept, "two": kept, "web": {"image": "a:1"}}
    volumes = {"data": {"x-berth": {"size": "3Gi"}}, "unused": None}
    spec = read_data({"services": services, "volumes": volumes}).specification
    running = {"one": 4, "two": 0, "web": 9}
    assert needs_of(spec, running)["storage"] == 4 * GIB, "shared: each once"
    assert needs_of(spec, running, keeping=running)["storage"] == (4 + 1) * 3 * GIB, "data stays with nobody to use it"


def test_each_change_moves_what_is_held(cast: Cast, place: AppEnvironment, work: Any) -> None:
    developer = cast.actor("developer")

    def after(act: Any) -> tuple[int, int, int]:
        work(act)
        place.refresh_from_db()
        assert used(cast, "cpu") == used(cast, "cpu", of_tenant=True) == declared(place).get("cpu", 0)
        return used(cast, "cpu"), used(cast, "instances"), used(cast, "routes")

    assert after(lambda: services.deploy(developer, place, spec=web(2))) == (3000, 2, 1)
    assert after(lambda: services.scale(developer, place, service="web", instances=5)) == (6000, 5, 1)
    assert after(lambda: services.scale(developer, place, service="web", instances=1)) == (2000, 1, 1)
    assert after(lambda: services.stop(developer, place)) == (0, 0, 1)
    assert after(lambda: services.start(developer, place)) == (2000, 1, 1)
    assert after(lambda: services.deploy(developer, place, spec=web(3, "0.5"))) == (2000, 3, 1)
    first = place.app.releases.get(number=1)
    assert after(lambda: services.rollback(developer, place, release=first)) == (3000, 2, 1)
    assert after(lambda: services.withdraw(developer, place)) == (0, 0, 0)
    assert not QuotaClaim.objects.filter(project=cast.shop).exists()


def test_beyond_the_limit_nothing_is_accepted(cast: Cast, place: AppEnvironment, work: Any) -> None:
    limit(cast, "cpu", 4000)
    developer = cast.actor("developer")
    work(lambda: services.deploy(developer, place, spec=web(2)))
    with pytest.raises(Conflict) as refused:
        services.scale(developer, place, service="web", instances=4)
    place.refresh_from_db()
    assert refused.value.code == "quota_exceeded"
    assert str(refused.value.message) == "CPU: 2 cores more needed, 1 of 4 cores left in shop."
    assert refused.value.extra["quota"] == [
        {"resource": "cpu", "project": "shop", "needed": 2000, "left": 1000, "limit": 4000}
    ]
    assert (place.instances, used(cast, "cpu")) == ({}, 3000)
    work(lambda: services.scale(developer, place, service="web", instances=3))
    assert used(cast, "cpu") == 4000


def test_the_tenant_s_limit_counts_for_all_its_projects(cast: Cast, place: AppEnvironment, work: Any) -> None:
    limit(cast, "instances", 3, of_tenant=True)
    work(lambda: services.deploy(cast.actor("developer"), place, spec=web(2)))
    other = create_project(cast.actor("owner"), cast.acme, name="billing")
    here = services.create_environment(cast.actor("owner"), other, name="dev", stage="dev", cluster=cast.cluster)
    with pytest.raises(Conflict) as refused:
        services.create_app(cast.actor("owner"), other, name="x", environment=here, spec=web(2))
    assert refused.value.extra["quota"][0] == {
        "resource": "instances", "project": None, "needed": 2, "left": 1, "limit": 3,
    }  # fmt: skip
    assert not other.apps.exists(), "the app is not there without its first deployment"


def test_what_is_replaced_counts_until_it_is_gone(
    cast: Cast, place: AppEnvironment, wakeups: Wakeups, work: Any, django_capture_on_commit_callbacks: Commit
) -> None:
    """Else somebody else could take what a failed change has to go back to."""
    developer = cast.actor("developer")
    work(lambda: services.deploy(developer, place, spec=web(4)))
    with django_capture_on_commit_callbacks(execute=True):
        services.scale(developer, place, service="web", instances=1)
    assert used(cast, "cpu") == 5000
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    assert used(cast, "cpu") == 2000


def test_a_deployment_that_goes_back_gives_back(cast: Cast, place: AppEnvironment, work: Any) -> None:
    developer = cast.actor("developer")
    work(lambda: services.deploy(developer, place, spec=web(1)))
    work(lambda: services.deploy(developer, place, spec=web(6, tag="crash")))
    place.refresh_from_db()
    assert place.app.deployments.latest("number").result == "failed"
    assert used(cast, "cpu") == declared(place)["cpu"] == 2000


def test_projects_are_counted(cast: Cast) -> None:
    limit(cast, "projects", 2, of_tenant=True)
    assert used(cast, "projects", of_tenant=True) == 1
    create_project(cast.actor("owner"), cast.acme, name="billing")
    with pytest.raises(Conflict) as refused:
        create_project(cast.actor("owner"), cast.acme, name="third")
    assert "0 of 2 projects left in acme" in str(refused.value.message)
    assert cast.acme.projects.count() == 2


def test_a_recount_finds_and_mends_drift(cast: Cast, running: AppEnvironment) -> None:
    assert recount(cast.acme) == []
    right = used(cast, "cpu")
    Quota.objects.filter(tenant=cast.acme, resource="cpu").update(used=7)
    QuotaClaim.objects.filter(holder=running.pk, resource="memory").delete()
    QuotaClaim.objects.create(tenant=cast.acme, project=cast.shop, holder=cast.acme.pk, resource="routes", amount=5)
    found = {(drift.resource, drift.was, drift.now) for drift in recount(cast.acme)}
    assert ("cpu", 7, right) in found
    assert ("routes", 5, 0) in found
    assert used(cast, "cpu") == right
    assert recount(cast.acme) == []


def test_a_recount_keeps_others_waiting_for_a_few_things_at_a_time(
    cast: Cast, running: AppEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much has drifted: each transaction mends so many things, and leaves the sums right for the next one."""
    monkeypatch.setattr(counting, "MOST_AT_ONCE", 5)
    right = used(cast, "cpu")
    QuotaClaim.objects.filter(holder=running.pk).delete()
    QuotaClaim.objects.bulk_create(
        QuotaClaim(tenant=cast.acme, project=cast.shop, holder=new_id(), resource="routes", amount=1)
        for _number in range(12)
    )
    mended = []
    for holders in counting.doubtful(cast.acme):
        mended.append(len({drift.what for drift in counting.mend(cast.acme, holders)} & set(map(str, holders))))
        for row in Quota.objects.filter(tenant=cast.acme, project=cast.shop):
            held = QuotaClaim.objects.filter(project=cast.shop, resource=row.resource)
            assert row.used == sum(held.values_list("amount", flat=True)), row.resource
    assert mended == [5, 5, 3]
    assert used(cast, "cpu") == right
    assert used(cast, "routes") == declared(running)["routes"]


def test_a_recount_that_finds_nothing_begins_no_transaction(cast: Cast, running: AppEnvironment) -> None:
    """It runs every hour over everything: the one that writes shuts all other writers out of an SQLite."""
    with CaptureQueriesContext(connection) as queries:
        assert recount(cast.acme) == []
    reads = ("SELECT", "DECLARE", "FETCH", "CLOSE")  # a cursor of PostgreSQL reads too
    assert [query["sql"] for query in queries if not query["sql"].startswith(reads)] == []


def test_lowering_below_what_is_used_stops_nothing(cast: Cast, running: AppEnvironment, work: Any) -> None:
    limit(cast, "instances", 1)
    developer = cast.actor("developer")
    with pytest.raises(Conflict):
        services.scale(developer, running, service="web", instances=4)
    running.refresh_from_db()
    work(lambda: services.scale(developer, running, service="web", instances=2))
    assert used(cast, "instances") == 2


def test_the_engine_gets_a_ceiling_that_refuses_nothing_that_was_let_through(
    cast: Cast, running: AppEnvironment, driver: FakeDriver, work: Any
) -> None:
    """Twice what may be held, for all may be replaced at once; and what runs above a lowered limit goes on."""
    assert ceiling(running) == Ceiling(), "without a quota there is none"
    limit(cast, "memory", 8 * GIB)
    limit(cast, "memory", 3 * GIB, of_tenant=True)
    limit(cast, "instances", 2, of_tenant=True)
    assert used(cast, "instances", of_tenant=True) == 3
    assert ceiling(running) == Ceiling(memory_bytes=6 * GIB, instances=6, each_memory_bytes=3 * GIB)
    work(lambda: services.deploy(cast.actor("developer"), running, spec=web(3, cpu="0.1", tag="2")))
    assert driver._environments[running.environment.engine_name].ceiling == Ceiling(
        memory_bytes=6 * GIB, instances=6, each_memory_bytes=3 * GIB
    )
