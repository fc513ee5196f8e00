"""What `manage.py prepare` lays out for a first person: where the first project can deploy, and with which images."""

import json
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import translation

from apps.models import AppEnvironment, Deployment, Environment
from apps.services import create_app, deploy
from apps.specification import from_image
from backends import registry
from backends.contract import Capabilities, ImageInfo
from backends.fake import FakeDriver, Mood
from backends.models import Cluster
from backends.selectors import shown_cluster
from images.models import Tag
from launcher import sample_images
from portal.seed import owner_actor
from tenants.models import Project, User
from tests.clusters.given import kubeconfig
from tests.conftest import Wakeups

pytestmark = pytest.mark.django_db
SWARM = ("--engine-url", "tcp://engine.example:2376")
FACTS = ("--facts", json.dumps(sample_images.facts()))
SAMPLES = (*FACTS, "--samples", "berth/hello:1", "berth/hello:elsewhere")


class Hosts(FakeDriver):
    """Which hold all images but one, and cannot look into them."""

    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), reads_images=False)

    def held_image(self, reference: str) -> ImageInfo | None:
        return None if reference.endswith(":elsewhere") else super().held_image(reference)


@pytest.fixture(autouse=True)
def engines() -> Iterator[dict[str, FakeDriver]]:
    """What stands behind a cluster of each kind."""
    made: dict[str, FakeDriver] = {kind: Hosts() for kind in (Cluster.Kind.SWARM, Cluster.Kind.KUBERNETES)}
    before = dict(registry._makers), dict(registry._capabilities)
    registry.close_all()
    for kind, engine in made.items():
        registry.register(kind, lambda _cluster, engine=engine: engine, engine.capabilities())  # type: ignore[misc]
    yield made
    registry.close_all()
    registry._makers.update(before[0])
    registry._capabilities.update(before[1])


@pytest.fixture
def attach(tmp_path: Path) -> tuple[str, ...]:
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig())
    return ("--attach", "kubernetes", str(file))


def prepared(*words: str) -> dict[str, Any]:
    said = StringIO()
    call_command("prepare", *words, stdout=said)
    answer: dict[str, Any] = json.loads(said.getvalue().splitlines()[-1])
    return answer


def homes() -> set[str]:
    """The clusters of the first project's environments."""
    rows = Environment.objects.filter(project__name="shop", project__tenant__name="demo")
    assert set(rows.values_list("name", flat=True)) == {"dev", "test", "prod"}
    return set(rows.values_list("cluster__name", flat=True))


def test_the_only_cluster_with_an_engine_is_where_the_first_project_deploys(attach: tuple[str, ...]) -> None:
    said = prepared(*attach, "--engine-note", "none", *SAMPLES)
    assert "hosts ready" in said["attached"]
    assert homes() == {"kubernetes"}
    assert not Cluster.objects.exclude(name="kubernetes").exists(), "nobody misses an engine beside it"
    tag = Tag.objects.select_related("artifact__repository").get()
    assert tag.name == "1", "what no host holds is not offered"
    assert tag.artifact.ports == ["8080/tcp"]
    assert tag.artifact.health["command"][:2] == ["/bin/sh", "-c"]
    assert tag.artifact.repository.title == "hello"


def test_a_swarm_that_is_there_is_where_it_deploys_and_the_images_are_on_both(attach: tuple[str, ...]) -> None:
    prepared(*SWARM, *attach, *SAMPLES)
    assert homes() == {"local"}
    assert set(Cluster.objects.values_list("name", flat=True)) == {"local", "kubernetes"}


def test_an_engine_that_comes_later_takes_nothing_over(attach: tuple[str, ...]) -> None:
    prepared(*attach)
    prepared(*SWARM, *attach)
    prepared(*SWARM)
    assert homes() == {"kubernetes"}
    assert Cluster.objects.get(name="local").address == SWARM[1]


def test_what_could_not_be_deployed_to_moves_to_a_cluster_that_comes_later(attach: tuple[str, ...]) -> None:
    prepared("--engine-note", "none")
    assert homes() == {"local"}
    prepared(*attach, "--engine-note", "none")
    assert homes() == {"kubernetes"}


def test_what_was_deployed_to_once_stays(
    attach: tuple[str, ...], wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    prepared(*SWARM)
    app = create_app(owner_actor(), Project.objects.get(name="shop"), name="hello")
    place = AppEnvironment.objects.get(app=app, environment__name="dev")
    with django_capture_on_commit_callbacks(execute=True):
        deploy(owner_actor(), place, spec=from_image("berth/hello:1", name="web", instances=1, ports=[8080]))
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    assert Deployment.objects.count() == 1
    prepared(*attach, "--engine-note", "none")
    assert homes() == {"local", "kubernetes"}
    assert Environment.objects.get(project=app.project, name="dev").cluster.name == "local"


def test_a_cluster_that_is_not_taken_costs_nobody_the_password(
    attach: tuple[str, ...], engines: dict[str, FakeDriver]
) -> None:
    engines[Cluster.Kind.KUBERNETES].mood = Mood.AWAY
    said = prepared(*attach)
    assert "does not answer" in said["refused"]
    assert User.objects.get(username="owner").check_password(said["password"])
    engines[Cluster.Kind.KUBERNETES].mood = Mood.WELL
    again = prepared(*attach)
    assert again["password"] is None
    assert homes() == {"kubernetes"}


def test_the_cast_deploys_there_too(attach: tuple[str, ...]) -> None:
    prepared(*attach, "--cast")
    assert set(Environment.objects.values_list("cluster__name", flat=True)) == {"kubernetes"}


def test_a_note_is_a_code_where_it_is_known_and_said_in_words() -> None:
    def told(note: str) -> str:
        said: str = shown_cluster(Cluster(kind=Cluster.Kind.SWARM, note=note))["note"]
        return said

    with translation.override("en"):
        assert told("none").startswith("Berth was started with --engine none.")
        assert told("A private engine needs root.") == "A private engine needs root."
