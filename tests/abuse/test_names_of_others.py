"""Ports, host names and short names that belong to somebody else: nobody gets them by asking.

Berth gives out no host names yet: who writes one is refused. Ports of hosts are the engine's choice, never a person's.
"""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.models import App, AppEnvironment, Environment
from apps.services import create_app, deploy
from apps.specification.reading import read_data
from backends.fake import FakeDriver
from backends.swarm import manifests
from core.access import Actor
from tests.abuse import kubernetes_words
from tests.abuse.engine_words import faults_of, leaves
from tests.conftest import Cast, Wakeups

P = "/api/v1/tenants/acme/projects/shop"
IMAGE = "berth/hello:1"
PORTS = [
    "80:8080",
    "443:8080",
    "22:8080",
    "2377:8080",
    "0.0.0.0:80:8080",
    "127.0.0.1:6379:8080",
    "[::]:443:8080",
    {"target": 8080, "published": "443", "host_ip": "0.0.0.0"},  # noqa: S104  what a person may write
]
NAMES = ["shop.globex.example", "*.example", "berth.example.", "xn--brth-5qa.example", "localhost", "testserver"]
WAYS: list[Callable[[str], dict[str, Any]]] = [
    lambda name: {"hostname": name},
    lambda name: {"domainname": name},
    lambda name: {"container_name": name},
    lambda name: {"extra_hosts": [f"{name}:10.0.0.1"]},
    lambda name: {"external_links": [f"globex_web_1:{name}"]},
    lambda name: {"x-berth": {"routes": [{"host": name}]}},
    lambda name: {"networks": {"default": {"aliases": [name]}}},
]


@pytest.fixture
def settle(wakeups: Wakeups, django_capture_on_commit_callbacks: Any) -> Callable[[Callable[[], Any]], None]:
    """`settle(act)`: do it, and let what it began come to its end."""

    def run(act: Callable[[], Any]) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            act()
        with django_capture_on_commit_callbacks(execute=True):
            wakeups.drain()

    return run


def web(**more: Any) -> Any:
    return read_data({"services": {"web": {"image": IMAGE, **more}}}).specification


def app_of(actor: Actor, environment: Environment, name: str) -> AppEnvironment:
    app: App = create_app(actor, environment.project, name=name)
    return app.places.select_related("app", "environment__cluster", "project", "release").get(environment=environment)


@pytest.mark.parametrize("port", PORTS, ids=str)
def test_the_same_port_of_a_host_is_taken_from_nobody(
    port: Any, cast: Cast, driver: FakeDriver, settle: Callable[[Callable[[], Any]], None]
) -> None:
    """Two tenants write the same one: both run, and the engine is told of no port of a host by either."""
    for actor, environment in (
        (cast.actor("owner"), cast.environment("dev")),
        (cast.actor("outsider"), cast.environment("dev", cast.store)),
    ):
        place = app_of(actor, environment, "hello")
        settle(lambda actor=actor, place=place: deploy(actor, place, spec=web(ports=[port])))
        place.refresh_from_db()
        assert place.release is not None
    assert len({spec.ref.environment for spec in driver.applied}) == 2
    for spec in driver.applied:
        said = manifests.service_body(spec, attempt="1", files={})
        assert faults_of(said) == []
        assert [path for path, _value in leaves(said) if "PublishedPort" in path] == []
        assert kubernetes_words.faults_of(spec) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_name_that_is_asked_for_reaches_the_engine(
    name: str, place: AppEnvironment, api: Callable[[str], APIClient], driver: FakeDriver, wakeups: Wakeups
) -> None:
    client, refused = api("owner"), 0
    for way in WAYS:
        spec = {"services": {"web": {"image": IMAGE, **way(name)}}}
        answer = client.post(f"{P}/apps/hello/deployments", {"environment": "dev", "spec": spec}, format="json")
        assert answer.status_code == 422, (way(name), answer.content)
        refused += 1
    assert refused == len(WAYS)
    wakeups.drain()
    assert driver.applied == []


def test_a_short_name_stays_with_who_had_it_first(
    cast: Cast, driver: FakeDriver, settle: Callable[[Callable[[], Any]], None]
) -> None:
    """Within an environment the second app answers to its long name only; in another tenant the name is free."""
    actor, dev = cast.actor("owner"), cast.environment("dev")
    for name in ("first", "second"):
        place = app_of(actor, dev, name)
        settle(lambda place=place: deploy(actor, place, spec=web()))
    other = app_of(cast.actor("outsider"), cast.environment("dev", cast.store), "third")
    settle(lambda: deploy(cast.actor("outsider"), other, spec=web()))
    assert [spec.aliases for spec in driver.applied] == [("first-web", "web"), ("second-web",), ("third-web", "web")]


def test_what_others_things_are_called_stays_a_word_wherever_it_is_written(
    cast: Cast, place: AppEnvironment, driver: FakeDriver, settle: Callable[[Callable[[], Any]], None]
) -> None:
    """Whoever learnt how another tenant's things are called on the engine reaches none of them by it."""
    theirs = app_of(cast.actor("outsider"), cast.environment("dev", cast.store), "theirs")
    app, environment = theirs.engine_name, theirs.environment.engine_name
    document = {
        "services": {
            app: {
                "image": IMAGE,
                "command": [environment, app],
                "environment": {"A": app, environment: "x"},
                "labels": {app: environment},
                "volumes": [f"{app}:/data"],
                "configs": [{"source": app, "target": "/etc/config"}],
                "deploy": {"placement": {"constraints": [f"node.labels.{app} == {environment}"]}},
            }
        },
        "volumes": {app: {}},
        "configs": {app: {"content": environment}},
    }
    spec = read_data(document).specification
    settle(lambda: deploy(cast.actor("owner"), place, spec=spec))
    assert driver.applied
    for applied in driver.applied:
        assert (applied.ref.environment, applied.ref.app) == (place.environment.engine_name, place.engine_name)
        assert kubernetes_words.faults_of(applied) == []
        assert (
            faults_of(manifests.service_body(applied, attempt="1", files={one.name: one.name for one in applied.files}))
            == []
        )
        assert all(one.volume.startswith(place.engine_name) for one in applied.volumes)
        assert all(one.name.startswith(place.engine_name) for one in applied.files)
