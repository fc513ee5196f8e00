"""From inside containers on a real Swarm: what runs in one environment finds its own and nobody else's.

Three environments are deployed as Berth does it: two of one project, and one of another tenant. In the first one two
services find each other. Into the others nothing leads: no name, neither short nor the engine's, and no address.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from apps.building import ref_of
from apps.models import AppEnvironment
from apps.services import create_app, deploy
from apps.specification.reading import read_data
from backends import registry
from backends.contract import EnvironmentRef
from backends.models import Cluster
from backends.swarm.driver import SwarmDriver
from launcher.processes import until
from operations import tasks
from operations.models import Operation
from portal.seed import offer
from tenants.models import Project
from tests.backends.world import PATIENCE_SECONDS
from tests.conftest import Cast
from tests.engine import LiveEngine

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
SPEC = {
    "services": {
        "web": {"image": "berth/hello:1", "deploy": {"resources": {"limits": {"memory": "64M"}}}},
        "peer": {"image": "berth/hello:2", "deploy": {"resources": {"limits": {"memory": "64M"}}}},
    }
}
ADDRESSES = "ip -4 -o addr show | awk '{print $4}' | cut -d/ -f1 | grep -v ^127"
DEPLOYED_SECONDS = 60.0  # on a machine that does much else
ANSWERED, SILENT = "answered", "silent"


@dataclass
class Ground:
    """One environment with the app in it. `addresses`: of its instance of `web`, in every network it is in."""

    place: AppEnvironment
    driver: SwarmDriver
    addresses: list[str] = field(default_factory=list)

    def service(self, name: str) -> str:
        return ref_of(self.place, name).engine_name

    def inside(self, service: str, script: str) -> str:
        """What a shell in the service's instance says."""
        (one,) = [one for one in self.driver.instances(ref_of(self.place, service)) if one.wanted]
        return asyncio.run(self._run(one.id, script))

    async def _run(self, instance: str, script: str) -> str:
        session = await self.driver.exec(instance, ["sh", "-c", script], tty=False)
        heard = b""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while piece := await session.read():
                heard += piece
        await session.close()
        return heard.decode()

    def reaches(self, where: str, *, port: int = 8080) -> str:
        """Whether `web` there answers to `peer` here; `where` is a name or an address."""
        asked = f"timeout 4 wget -q -O /dev/null http://{where}:{port}/ 2>/dev/null && echo {ANSWERED} || echo {SILENT}"
        return self.inside("peer", asked).strip()


def worked_off(operation: Operation) -> bool:
    """One step of it; whether it is over."""
    Operation.objects.filter(pk=operation.pk).update(not_before=None)
    tasks.run_operation(str(operation.pk))
    operation.refresh_from_db()
    return operation.state not in (Operation.State.PENDING, Operation.State.RUNNING)


def deployed(
    cast: Cast, who: str, project: Project, name: str, environment: str, *, driver: SwarmDriver, begun: list[Ground]
) -> Ground:
    """What is begun is to be cleared away, whether it succeeds or not."""
    actor = cast.actor(who)
    app = project.apps.filter(name=name).first() or create_app(actor, project, name=name)
    rows = app.places.select_related("app", "environment__cluster", "project", "release")
    place = rows.get(environment__name=environment)
    ground = Ground(place, driver)
    begun.append(ground)
    operation = deploy(actor, place, spec=read_data(SPEC).specification)
    over = until(lambda: worked_off(operation), seconds=DEPLOYED_SECONDS, every=0.1)
    assert over, list(operation.events.order_by("seq").values_list("code", "params"))
    assert operation.state == Operation.State.SUCCEEDED, operation.failure
    ground.addresses = ground.inside("web", ADDRESSES).split()
    return ground


def cleared(ground: Ground) -> bool:
    """Asks for the end of what runs there and then of its network; whether all is gone."""
    left = [ref for ref in ground.driver.services(ground.place.engine_name) if not ground.driver.remove(ref)]
    return not left and ground.driver.remove_environment(EnvironmentRef(ground.place.environment.engine_name))


@pytest.fixture
def grounds(cast: Cast, engine: LiveEngine) -> Iterator[dict[str, Ground]]:
    """`dev` and `test` of acme's shop, and `dev` of globex's store, each with the services web and peer."""
    registry.close_all()
    cluster = Cluster.objects.get(pk=cast.cluster.pk)
    cluster.kind, cluster.address, cluster.reachable_at = Cluster.Kind.SWARM, engine.url, engine.address
    cluster.save()
    offer(cluster, ["berth/hello:1", "berth/hello:2"])
    driver = SwarmDriver(engine.url, address=engine.address)
    begun: list[Ground] = []
    places = {
        "dev": ("owner", cast.shop, "hello", "dev"),
        "test": ("owner", cast.shop, "hello", "test"),
        "globex": ("outsider", cast.store, "strange", "dev"),
    }
    try:
        yield {name: deployed(cast, *place, driver=driver, begun=begun) for name, place in places.items()}
    finally:
        left = [ground for ground in begun if not until(lambda g=ground: cleared(g), seconds=PATIENCE_SECONDS)]
        assert not left


def test_what_runs_finds_its_own_and_nobody_elses(grounds: dict[str, Ground], engine: LiveEngine) -> None:
    for ground in grounds.values():
        finds_its_own(ground)
        assert networks_of(ground, engine) == {ground.place.environment.engine_name}
    for here, one in grounds.items():
        for there, other in grounds.items():
            if here != there:
                nothing_leads(one, other)


def finds_its_own(ground: Ground) -> None:
    named = [ground.reaches(name) for name in ("web", f"{ground.place.app.name}-web", ground.service("web"))]
    assert named == [ANSWERED] * 3
    assert ANSWERED in [ground.reaches(address) for address in ground.addresses]
    said = ground.inside("peer", "timeout 4 wget -q -O - http://web:8080/whoami").split()
    assert said[-1] == ground.inside("web", "hostname").strip(), "`web` is one's own `web` everywhere"


def nothing_leads(one: Ground, other: Ground) -> None:
    """By none of the other's names and by none of its addresses; nor is it told whether there is such a name."""
    assert other.addresses, "there is something to be reached"
    assert not set(one.addresses) & set(other.addresses)
    names = [other.service("web"), other.service("peer"), f"tasks.{other.service('web')}"]
    if other.place.app.name != one.place.app.name:
        names.append(f"{other.place.app.name}-web")
    assert [where for where in (*names, *other.addresses) if one.reaches(where) != SILENT] == []
    assert [name for name in names if "Address" in one.inside("peer", f"nslookup {name} | sed 1,2d")] == []


def networks_of(ground: Ground, engine: LiveEngine) -> set[str]:
    """Names of the networks that its services hang on, as the engine itself says."""
    api, found = engine.call(), set()
    for service in ("web", "peer"):
        told = api.call("GET", f"/services/{ground.service(service)}")["Spec"]["TaskTemplate"]["Networks"]
        found |= {api.call("GET", f"/networks/{one['Target']}")["Name"] for one in told}
    return found
