"""What an app is made of, from its specification and what was seen of it."""

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.selectors.reasons import Told
from apps.selectors.running import InstanceLine, ServiceFacts, Usage
from apps.selectors.topology import Node, Topology, depths_of, topology
from apps.specification import Specification
from apps.specification.reading import read_data
from core.status import Status

SHOP = {
    "services": {
        "web": {"image": "shop/web:1", "ports": ["8080"], "depends_on": ["api"], "deploy": {"replicas": 3}},
        "api": {
            "image": "shop/api:1",
            "depends_on": ["db", "cache"],
            "deploy": {"resources": {"limits": {"cpus": "0.5", "memory": "256M"}}},
        },
        "worker": {"image": "shop/api:1", "depends_on": ["db"], "volumes": ["uploads:/uploads"]},
        "db": {"image": "postgres:16", "volumes": ["data:/var/lib/postgresql/data"]},
        "cache": {"image": "redis:7", "tmpfs": ["/data:size=64m"]},
    },
    "volumes": {"data": None, "uploads": None},
}


def made(document: Any = SHOP) -> Specification:
    return read_data(document).specification


def facts(name: str, wanted: int = 1, running: int = 1, **more: Any) -> ServiceFacts:
    plain: dict[str, Any] = {"image": "", "digest": "", "ports": "", "check": False, "cpu": None, "memory": None}
    return ServiceFacts(name=name, wanted=wanted, running=running, told=Told(""), **(plain | more))


def line(service: str, number: int, status: Status = Status.RUNNING, **more: Any) -> InstanceLine:
    plain: dict[str, Any] = {"word": "", "host": "", "addresses": [], "restarts": 0, "up": None, "told": Told("")}
    return InstanceLine(id=uuid.uuid4(), service=service, number=number, status=status, **(plain | more))


def drawn(**changes: Any) -> Topology:
    specification = made()
    given = {name: facts(name) for name in specification.services} | changes.pop("facts", {})
    return topology(specification, list(given.values()), changes.pop("lines", []), **changes)


def node(found: Topology, key: str) -> Node:
    return next(one for one in found.nodes if one.key == key)


def test_routes_services_and_volumes_stand_in_their_lanes() -> None:
    found = drawn()
    x = {key: spot.x for key, spot in found.drawing.spots.items()}
    assert x["route:web:8080/tcp"] < x["service:web"] < x["service:api"] < x["service:db"] < x["volume:data"]
    assert x["service:worker"] == x["service:web"]
    assert [title for _x, title in found.lanes] == ["Routes", "Services", "What they need", "", "Volumes"]


def test_everything_knows_what_it_leads_to() -> None:
    found = drawn()
    assert node(found, "service:api").to == ("cache", "db")
    assert node(found, "service:db").by == ("api", "worker")
    assert node(found, "volume:uploads").by == ("worker",)
    assert node(found, "volume:cache:/data").about == "in memory, at most 64 MB"
    assert node(found, "service:worker").keeps == ("uploads",)
    assert "worker (1 of 1): needs db; keeps data in uploads." in found.said


def test_a_route_tells_where_it_answers() -> None:
    addresses = [line("web", n, addresses=[(8080, f"10.0.0.{n}:32768"), (9, "10.0.0.9:9")]) for n in (2, 1)]
    route = node(drawn(lines=addresses), "route:web:8080/tcp")
    assert route.title == route.address == "10.0.0.1:32768"
    assert route.about == "port 8080, 2 addresses"
    assert node(drawn(), "route:web:8080/tcp").address == ""


def test_cells_and_use_of_a_service() -> None:
    usage = Usage(cpu=250, memory=100 << 20, at=timezone.now(), old=False, limit=500)
    assert usage.share == "50"
    lines = [line("api", 1, usage=usage), line("api", 2, usage=usage), line("api", 3, Status.STARTING)]
    api = node(drawn(facts={"api": facts("api", 3, 3, cpu=500)}, lines=lines), "service:api")
    assert api.cells == ("", "", "is-busy")
    assert api.about == "3 of 3 · 50 % CPU · 200 MB"


def test_old_numbers_are_not_shown_as_of_now() -> None:
    old = Usage(cpu=250, memory=100 << 20, at=timezone.now() - timedelta(minutes=5), old=True)
    assert node(drawn(lines=[line("api", 1, usage=old)]), "service:api").about == "1 of 1"
    stale = node(drawn(lines=[line("api", 1)], stale=True), "service:api")
    assert stale.status is Status.UNKNOWN
    assert stale.cells == ("is-wait",)


def test_the_state_of_a_service_has_glyph_and_word() -> None:
    reason = {"code": "out_of_memory", "params": {"service": "web"}}
    states = {
        "web": facts("web", 3, 1, reason=reason),
        "api": facts("api", 2, 1),
        "worker": facts("worker", 0, 0),
        "db": facts("db", 1, 0),
    }
    found = drawn(facts=states, lines=[line("db", 1, Status.STARTING)])
    expected = {"web": Status.CRASHING, "api": Status.DEGRADED, "worker": Status.STOPPED, "db": Status.STARTING}
    assert {name: node(found, f"service:{name}").status for name in expected} == expected
    assert node(found, "service:web").about == "1 of 3 · keeps crashing"


def test_many_instances_are_counted_not_drawn() -> None:
    lines = [line("web", number) for number in range(40)]
    assert node(drawn(facts={"web": facts("web", 40, 40)}, lines=lines), "service:web").cells == ()


def test_a_long_chain_goes_on_in_the_last_lane() -> None:
    chain = {f"s{number}": (f"s{number + 1}",) for number in range(11)} | {"s11": ()}
    assert depths_of(chain) == {"s0": 0, "s1": 1} | {f"s{number}": 2 for number in range(2, 12)}
