"""A hundred apps on a cluster whose API slips: it answers, and with nothing, or with half of what there is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.building import ref_of
from apps.models import App, AppEnvironment, ObservedInstance, ObservedService
from apps.models.declared import engine_name
from apps.observing import observe
from apps.reconciling import reconcile_cluster
from audit.models import AuditEntry
from backends import registry
from backends.kubernetes.access import Access
from backends.kubernetes.driver import KubernetesDriver
from backends.kubernetes.kinds import path
from backends.models import Cluster, Host
from operations.changes import newest
from operations.models import Change, Operation
from tests.backends.answering import answering
from tests.backends.raw_kubernetes import node, pod, spec, workload
from tests.conftest import Cast

MANY = 100
PROJECT = "/t/acme/p/shop/"
LISTS = [path(kind) for kind in ("Pod", "Deployment", "StatefulSet", "Service")]
PODS, DEPLOYMENTS, NODES = path("Pod"), path("Deployment"), path("Node")


@dataclass
class Api:
    """What the cluster's API lists, by address; `slip` says what it lists in place of that. `torn`: it breaks off."""

    things: dict[str, list[dict[str, Any]]]
    slip: Callable[[str, list[dict[str, Any]]], list[dict[str, Any]]] | None = None
    torn: bool = False
    asked: list[str] = field(default_factory=list)

    def answer(self, where: str, _sent: Any) -> tuple[int, Any]:
        self.asked.append(where)
        there = self.things.get(where, [])
        listed = self.slip(where, there) if self.slip else there
        told = {"metadata": {"resourceVersion": "7"}, "items": listed}
        return (200, b'{"metadata": {"resourceVersion": "7"}, "items": [{"me') if self.torn else (200, told)


@pytest.fixture
def places(running: AppEnvironment, cast: Cast) -> list[AppEnvironment]:
    """A hundred apps that are declared in dev."""
    apps = App.objects.bulk_create(
        App(tenant=cast.acme, project=cast.shop, name=f"many-{number:03}") for number in range(MANY - 1)
    )
    AppEnvironment.objects.filter(pk=running.pk).update(instances={"web": 1})
    there = {"environment": running.environment, "release": running.release, "instances": {"web": 1}}
    made = [AppEnvironment(tenant=cast.acme, project=cast.shop, app=app, **there) for app in apps]
    for one in made:
        one.engine_name = engine_name("a", one.id)
    return [running, *AppEnvironment.objects.bulk_create(made)]


@pytest.fixture
def api(places: list[AppEnvironment], cast: Cast) -> Iterator[Api]:
    """The cluster that they run on, one instance each; it was looked at once."""
    ObservedService.objects.all().delete()
    ObservedInstance.objects.all().delete()
    Host.objects.all().delete()
    refs = [ref_of(place, "web") for place in places]
    wanted = [replace(spec(instances=1), ref=ref) for ref in refs]
    made = Api({NODES: [node()], DEPLOYMENTS: [workload(one) for one in wanted], PODS: [pod(one) for one in wanted]})
    for kind, things in made.things.items():
        for number, one in enumerate(things):
            one["metadata"]["uid"] = f"{kind}-{number}"
    for ref, one in zip(refs, made.things[PODS], strict=True):
        one["metadata"] |= {"namespace": ref.environment, "name": f"{ref.engine_name}-5d4f-x"}
    with answering(made.answer) as where:
        driver = KubernetesDriver(Access(f"http://{where}", token="x"))
        registry.close_all()
        registry.register(Cluster.Kind.FAKE, lambda _cluster: driver, driver.capabilities())
        assert observe(cast.cluster)
        assert ObservedService.objects.filter(running=1).count() == MANY
        assert ObservedInstance.objects.count() == MANY
        assert reconcile_cluster(cast.cluster) == 0
        assert not AuditEntry.objects.filter(action="cluster.repair_braked").exists(), "all is as it was declared"
        yield made
        registry.close_all()


def rows() -> list[list[dict[str, Any]]]:
    return [list(kind.objects.order_by("pk").values()) for kind in (ObservedService, ObservedInstance, Host)]


def all_lists(_where: str, _there: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return []


def all_but_hosts(where: str, there: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [] if where in LISTS else there


def workloads(where: str, there: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [] if where == DEPLOYMENTS else there


def half(where: str, there: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return there[: len(there) // 2] if where in LISTS else there


@pytest.mark.parametrize("slip", [all_lists, all_but_hosts, workloads, half], ids=lambda one: one.__name__)
def test_nothing_is_deleted_greyed_or_started_again(
    slip: Callable[..., Any], api: Api, cast: Cast, browse: Callable[[str], Client]
) -> None:
    before, told, entries = rows(), newest(), AuditEntry.objects.count()
    api.asked.clear()
    api.slip = slip
    for _look in range(3):
        assert observe(cast.cluster), "it answers, so it is not away"
    assert api.asked.count(DEPLOYMENTS) == 6, "each look that is doubted asks once more"
    assert rows() == before, "nothing is gone, and nothing is older than it was"
    assert not Change.objects.filter(seq__gt=told).exists(), "no page hears of it"
    cluster = Cluster.objects.get(pk=cast.cluster.pk)
    assert (cluster.state, cluster.away_since) == (Cluster.State.READY, None)
    assert reconcile_cluster(cluster) == 0
    assert not Operation.objects.filter(kind="app.repair.run").exists()
    assert AuditEntry.objects.count() == entries
    page = browse("developer").get(PROJECT).content.decode()
    assert f"{MANY} of {MANY} instances run." in page
    assert "is-old-number" not in page
    api.slip = None
    assert observe(cast.cluster)
    assert ObservedService.objects.filter(running=1).count() == MANY


def test_half_an_answer_is_no_answer(api: Api, cast: Cast) -> None:
    before = rows()
    api.torn = True
    assert not observe(cast.cluster)
    assert rows() == before
    assert Cluster.objects.get(pk=cast.cluster.pk).state == Cluster.State.AWAY, "said with since when, and no more"
    api.torn = False
    assert observe(cast.cluster)
    assert Cluster.objects.get(pk=cast.cluster.pk).state == Cluster.State.READY


def test_who_goes_on_saying_so_is_believed_and_even_then_nothing_is_started_again(
    api: Api, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.slip = all_but_hosts
    assert observe(cast.cluster)
    monkeypatch.setattr("apps.doubting.BELIEVED_AFTER", timedelta(0))
    assert observe(cast.cluster)
    assert not ObservedService.objects.exists()
    assert reconcile_cluster(Cluster.objects.get(pk=cast.cluster.pk)) == 0
    entry = AuditEntry.objects.get(action="cluster.repair_braked")
    assert entry.detail == {"missing": MANY, "places": MANY}
    api.slip = None
    assert observe(cast.cluster)
    assert ObservedService.objects.filter(running=1).count() == MANY, "and all are back with the first whole answer"
