"""A build whose image the gate does not let into the registry: said plainly, with what to do, nothing half done."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backends.contract import OWNER_LABEL
from images.building import room, working
from images.keeping import services as keeping
from images.keeping.models import StoredBlob
from images.models import Artifact, Build, Tag, TagRule
from images.registry import client
from launcher.processes import Mark, until
from launcher.registry import PrivateRegistry, keeper_of
from operations import tasks
from operations.models import Operation
from tenants.models import Project
from tenants.quota.models import Quota
from tests.building.conftest import BUILDS, Asker, step, work_off
from tests.building.test_build_live import HEAD, SHELL, clients, containers, dangling, engine, reached, sources
from tests.conftest import Cast
from tests.engine import LiveEngine
from tests.images.house import SlowRegistry
from tests.images.real import Clients

__all__ = ["clients", "engine"]
pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
WEB = "acme/shop/web"


def built(asker: Asker, text: str = "made", *, tags: tuple[str, ...] = ("1",)) -> Build:
    """As far as the builder has the image, and the registry has nothing yet."""
    build = asker.build(sources(HEAD + SHELL % f"echo {text} > /{text}"), tags=list(tags))
    for _turn in ("its turn", "the sources", "built"):
        operation = step(build)
    assert operation.step == "pushing", operation.failure
    return build


def refused(asker: Asker, build: Build) -> tuple[str, str]:
    """It failed: what its page and the API say of it, and what to do."""
    operation = work_off(build)
    assert operation.state == Operation.State.FAILED
    told = asker.client.get(f"{BUILDS}/{build.pk}").json()
    assert (told["state"], told["digest"]) == ("failed", "")
    return told["failure"]["message"], told["failure"]["hint"]


def nothing_is_left(clients: Clients, cast: Cast, build: Build) -> None:
    """Neither in the registry, nor in the lists, nor of its room and its work at the builder."""
    assert list(client.tags(WEB)) == []
    assert not Artifact.objects.filter(repository__path=WEB).exists()
    assert not StoredBlob.objects.exists()
    assert not Quota.objects.filter(resource="images", used__gt=0).exists()
    assert not room.home(build.pk).exists()
    assert not containers(clients)
    assert not dangling(clients, cast.shop.pk.hex)
    ours = ("--filter", f"label={OWNER_LABEL}={cast.shop.pk.hex}")  # other tests' images lie there too
    named = clients.docker("images", *ours, "--format", "{{.Repository}}").stdout
    assert clients.address not in named, "the name for the way is gone"
    build.refresh_from_db()
    assert (build.work, build.digest) == ({}, "")


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        (0, "shop has no room for more images: all of its 0 B are taken."),  # before a byte is sent
        (1000, "more needed, 1,000 B of 1,000 B left in shop."),  # once it is known how much it is
    ],
)
def test_by_a_project_that_is_full(clients: Clients, asker: Asker, cast: Cast, limit: int, why: str) -> None:
    row = Quota.objects.create(tenant=cast.acme, project=cast.shop, resource="images", limit=limit)
    build = built(asker)
    said, hint = refused(asker, build)
    assert said.startswith("The registry did not take the image: ")
    assert why in said
    assert "quota page" in said
    assert "denied" not in said
    assert "build again" in hint
    nothing_is_left(clients, cast, build)
    Quota.objects.filter(pk=row.pk).update(limit=10**9)
    again = asker.build(sources(HEAD + SHELL % "echo made > /made"))
    assert work_off(again).state == Operation.State.SUCCEEDED
    assert client.digest_of(WEB, "1") == again.digest


def test_by_a_project_that_was_suspended_meanwhile(clients: Clients, asker: Asker, cast: Cast) -> None:
    build = built(asker)
    Project.objects.filter(pk=cast.shop.pk).update(state=Project.State.SUSPENDED)
    said, hint = refused(asker, build)
    assert said == "The project was suspended or archived before its image could be put into the registry."
    assert "Resume or restore the project" in hint
    nothing_is_left(clients, cast, build)


@pytest.mark.parametrize("state", [Project.State.SUSPENDED, Project.State.ARCHIVED])
def test_by_a_project_that_is_closed_while_the_builder_knocks(
    clients: Clients, asker: Asker, cast: Cast, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The builder was let in a moment before; the gate asks once more at each step."""
    build, issue = built(asker), working.signing.issue

    def closing(*words: Any, **named: Any) -> str:
        token = issue(*words, **named)
        Project.objects.filter(pk=cast.shop.pk).update(state=state)
        return token

    monkeypatch.setattr(working.signing, "issue", closing)
    said, hint = refused(asker, build)
    assert f"The project shop is {Project.State(state).label}." in said
    assert "the project first, in its settings" in said
    assert "build again" in hint
    nothing_is_left(clients, cast, build)


def test_by_a_tag_that_never_moves_and_then_no_other_has_moved(clients: Clients, asker: Asker, cast: Cast) -> None:
    first = built(asker, "first", tags=("latest", "1.0"))
    assert work_off(first).state == Operation.State.SUCCEEDED
    TagRule.objects.create(tenant=cast.acme, project=cast.shop, repositories="*", tags="1.*")
    second = built(asker, "second", tags=("latest", "new", "1.0"))
    said, _hint = refused(asker, second)
    assert "The tag 1.0 never moves" in said
    assert "Push under a new tag." in said
    assert sorted(client.tags(WEB)) == ["1.0", "latest"]
    assert {client.digest_of(WEB, tag) for tag in ("1.0", "latest")} == {first.digest}
    assert set(Tag.objects.filter(repository__path=WEB).values_list("name", flat=True)) == {"1.0", "latest"}


def a_moment_before(look: Callable[[], bool]) -> Callable[[], bool]:
    """The first look finds it open still; the others see what is so."""
    first = iter([False])
    return lambda: next(first, None) is None and look()


def test_a_registry_that_is_tidied_up_is_waited_for(
    asker: Asker, cast: Cast, engine: LiveEngine, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where that begins between the look and the push."""
    with reached(engine, tmp_path, settings, SlowRegistry) as (clients, slow, _berth):
        first = built(asker, "first")
        assert work_off(first).state == Operation.State.SUCCEEDED
        second = built(asker, "second", tags=("2",))
        tidying = keeping.collect(cast.actor("operator"), None)
        tasks.run_operation(str(tidying.pk))
        assert until(slow.begun.exists, seconds=30)
        for seen in (working.door.is_closed, a_moment_before(working.door.is_closed)):
            monkeypatch.setattr(working.door, "is_closed", seen)
            waits = step(second)
            assert (waits.state, waits.step) == ("running", "pushing"), waits.failure
            assert waits.events.latest("seq").code == "build_registry_closed"
        assert list(client.tags(WEB)) == ["1"]
        slow.go()
        assert work_off(second).state == Operation.State.SUCCEEDED
        assert client.digest_of(WEB, "2") == second.digest
        assert not containers(clients)


def test_a_registry_that_is_away_is_waited_for(
    asker: Asker, cast: Cast, engine: LiveEngine, tmp_path: Path, settings: Any
) -> None:
    with reached(engine, tmp_path, settings, PrivateRegistry) as (clients, registry, berth):
        build = built(asker)
        for file in (keeper_of(registry.mark_file), registry.mark_file):
            mark = Mark.load(file)
            assert mark is not None
            mark.kill()
        waits = step(build)
        assert (waits.state, waits.step) == ("running", "pushing"), waits.failure
        assert waits.events.latest("seq").code == "build_registry_away"
        registry.start(engine.machine, berth)
        assert work_off(build).state == Operation.State.SUCCEEDED
        assert client.digest_of(WEB, "1") == build.digest
        assert not containers(clients)
