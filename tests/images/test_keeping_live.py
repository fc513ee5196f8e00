"""Images that go by the rules, and the real registry tidied up: what is to stay is whole afterwards."""

import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.models import AppEnvironment
from apps.services import create_app, deploy
from apps.specification import from_image
from core.wording import bytes_text
from images.keeping import daily, operations, services
from images.keeping.retaining import plan
from images.models import Artifact, Tag
from images.registry import client, taking
from launcher.processes import Mark, children, until
from launcher.registry import PrivateRegistry, keeper_of
from operations import tasks
from operations.models import Operation
from tests.apps.killed import die, work_until_killed
from tests.conftest import Cast, Wakeups
from tests.images.house import LIST, House, Image, SlowRegistry, house, image

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]

WEB = "acme/shop/web"
SECONDS = 30


@pytest.fixture
def place(cast: Cast, tmp_path: Path, settings: Any) -> Iterator[House]:
    with house(tmp_path, settings) as made:
        yield made


@pytest.fixture
def slow(cast: Cast, tmp_path: Path, settings: Any) -> Iterator[House]:
    with house(tmp_path, settings, SlowRegistry) as made:
        yield made


def noted(place: House, cast: Cast, tag: str, one: Image, *, days: int = 0) -> None:
    """Pushed so many days ago, and known."""
    assert place.push(WEB, tag or one.digest, one).status == 201
    taking.note(cast.shop, WEB, tag=tag, digest=one.digest, who=cast.actor("developer"))
    at = timezone.now() - timedelta(days=days)
    Artifact.objects.filter(digest=one.digest).update(created_at=at)
    Tag.objects.filter(artifact__digest=one.digest).update(moved_at=at)


def images(count: int) -> list[Image]:
    return [image(b"shared by all", f"number {number}".encode() * 100) for number in range(count)]


def runs(cast: Cast, place: House, wakeups: Wakeups, *tags: str) -> AppEnvironment:
    """An app that was put there with each of these tags, one after another."""
    app = create_app(cast.actor("developer"), cast.shop, name="web")
    there = app.places.get(environment__name="dev")
    for tag in tags:
        deploy(cast.actor("developer"), there, spec=from_image(f"{place.address}/{WEB}:{tag}", name="web"))
        wakeups.drain()
        there.refresh_from_db()
    return there


def test_what_no_rule_keeps_goes_and_nothing_else(place: House, cast: Cast, wakeups: Wakeups) -> None:
    made = images(8)
    for number, one in enumerate(made):
        noted(place, cast, str(number), one, days=200 - number)
    services.protect_tags(cast.actor("owner"), cast.shop, repositories="web", tags="4")
    services.retain(cast.actor("owner"), cast.shop, repositories="*", newest=2, tags="5")
    runs(cast, place, wakeups, "0", "1")
    lines = {line.tags[0]: line for line in plan(cast.shop)}
    assert {tag for tag, line in lines.items() if line.goes} == {"2", "3"}
    assert set(lines) == set("01234567")
    operation = services.clean(cast.actor("owner"), cast.shop)
    wakeups.drain()
    operation.refresh_from_db()
    assert operation.state == "succeeded"
    assert operation.events.filter(code="images_removed").last().params == {"done": 2, "count": 2}  # type: ignore[union-attr]
    assert sorted(client.tags(WEB)) == list("014567")
    assert all(place.whole(WEB, tag) for tag in "014567")
    assert set(Tag.objects.values_list("name", flat=True)) >= set("014567")
    assert not Artifact.objects.filter(digest__in=[made[2].digest, made[3].digest]).exists()


def test_what_begins_to_run_while_others_go_stays(
    place: House, cast: Cast, wakeups: Wakeups, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = images(4)
    for number, one in enumerate(made):
        noted(place, cast, str(number), one, days=100 - number)
    services.retain(cast.actor("owner"), cast.shop, repositories="web", newest=1)
    monkeypatch.setattr(operations, "AT_ONCE", 1)
    operation = services.clean(cast.actor("owner"), cast.shop)
    work_once(operation, wakeups)
    assert sorted(client.tags(WEB)) == ["1", "2", "3"]
    runs(cast, place, wakeups, "2")
    wakeups.ids.append(str(operation.pk))
    wakeups.drain()
    assert sorted(client.tags(WEB)) == ["2", "3"]
    assert place.whole(WEB, "2")


def work_once(operation: Operation, wakeups: Wakeups) -> None:
    wakeups.ids.clear()
    tasks.run_operation(str(operation.pk))
    wakeups.ids.clear()


def test_what_an_image_for_several_platforms_is_made_of_stays_with_it(place: House, cast: Cast) -> None:
    part, alone = images(2)
    for one in (part, alone):
        noted(place, cast, "", one, days=50)
    listed = (
        f'{{"schemaVersion": 2, "mediaType": "{LIST}", "manifests": [{{"mediaType": "{part.kind}", '
        f'"digest": "{part.digest}", "size": {len(part.manifest)}, '
        '"platform": {"architecture": "amd64", "os": "linux"}}]}'
    )
    noted(place, cast, "all", Image(listed.encode(), (), LIST), days=40)
    services.retain(cast.actor("owner"), cast.shop, repositories="*", newest=1)
    assert [line.artifact.digest for line in plan(cast.shop) if line.goes] == [alone.digest]


def test_a_worker_killed_while_it_removes(
    place: House, cast: Cast, wakeups: Wakeups, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, one in enumerate(images(5)):
        noted(place, cast, str(number), one, days=100 - number)
    services.retain(cast.actor("owner"), cast.shop, repositories="*", newest=1)
    operation = services.clean(cast.actor("owner"), cast.shop)
    with monkeypatch.context() as patched:
        die(patched, "images.registry.client.delete", "after", 2, importer=operations)
        work_until_killed(operation)
    Operation.objects.filter(pk=operation.pk).update(lease_until=timezone.now() - timedelta(hours=1))
    wakeups.ids[:] = [str(operation.pk)]
    wakeups.drain()
    operation.refresh_from_db()
    assert operation.state == "succeeded"
    assert list(client.tags(WEB)) == ["4"]
    assert place.whole(WEB, "4")


def test_it_is_done_by_itself_once_a_day(place: House, cast: Cast, wakeups: Wakeups) -> None:
    for number, one in enumerate(images(3)):
        noted(place, cast, str(number), one, days=100 - number)
    assert daily.begin_due() == 0
    services.retain(cast.actor("owner"), cast.shop, repositories="*", newest=1)
    assert daily.begin_due() == 1
    assert daily.begin_due() == 0
    wakeups.drain()
    assert list(client.tags(WEB)) == ["2"]


def test_tidying_up_takes_out_what_nothing_names(place: House, cast: Cast, wakeups: Wakeups) -> None:
    kept, gone = images(2)
    untagged = image(b"has no tag but runs")
    for tag, one in (("kept", kept), ("gone", gone), ("", untagged)):
        noted(place, cast, tag, one)
    assert place.give(WEB, b"nobody names me").status == 201
    assert client.delete(WEB, gone.digest)
    operation = services.collect(cast.actor("operator"), None)
    wakeups.drain()
    operation.refresh_from_db()
    assert operation.state == "succeeded", operation.failure
    report = operation.events.get(code="registry_collected")
    freed = {*gone.blobs, gone.manifest, b"nobody names me"} - set(kept.blobs)
    assert (report.params["layers"], report.params["freed"]) == (len(freed), bytes_text(sum(map(len, freed))))
    assert place.whole(WEB, "kept")
    assert place.whole(WEB, untagged.digest)
    data = place.registry.folder / "data" / "docker/registry/v2/blobs"
    left = sum(file.stat().st_size for file in data.rglob("data"))
    assert left == sum(map(len, {*kept.blobs, kept.manifest, *untagged.blobs, untagged.manifest}))
    assert place.push(WEB, "gone", gone).status == 201
    assert place.whole(WEB, "gone")


def test_pushes_are_told_and_pulling_goes_on(slow: House, cast: Cast, wakeups: Wakeups) -> None:
    registry = slow.registry
    assert isinstance(registry, SlowRegistry)
    kept, other = images(2)
    noted(slow, cast, "kept", kept)
    under_way = slow.upload(WEB, b"a layer that is being sent" * 1000)
    operation = services.collect(cast.actor("operator"), None)
    work_once(operation, wakeups)
    for refused in (slow.give(WEB, b"more"), slow.put(WEB, "2", kept)):
        assert refused.status == 403
        assert "being tidied up" in refused.said
    assert not registry.begun.exists(), "what is under way is waited for"
    assert under_way.finish() == 201
    assert until(registry.begun.exists, seconds=SECONDS)
    assert slow.whole(WEB, "kept")
    assert slow.give(WEB, b"more").status == 403
    registry.go()
    assert until(lambda: slow.give(WEB, b"more").status == 201, seconds=SECONDS)
    wakeups.ids[:] = [str(operation.pk)]
    wakeups.drain()
    operation.refresh_from_db()
    assert operation.state == "succeeded"
    assert slow.push(WEB, "other", other).status == 201


def begun(slow: House, cast: Cast, wakeups: Wakeups) -> tuple[SlowRegistry, Operation, Image]:
    """Tidying up, just before the first thing is taken out."""
    registry = slow.registry
    assert isinstance(registry, SlowRegistry)
    kept, gone = images(2)
    noted(slow, cast, "kept", kept)
    noted(slow, cast, "gone", gone)
    assert client.delete(WEB, gone.digest)
    operation = services.collect(cast.actor("operator"), None)
    work_once(operation, wakeups)
    assert until(registry.begun.exists, seconds=SECONDS)
    return registry, operation, kept


def finish(operation: Operation, wakeups: Wakeups) -> Operation:
    wakeups.ids[:] = [str(operation.pk)]
    wakeups.drain()
    operation.refresh_from_db()
    return operation


def test_the_registry_killed_meanwhile(slow: House, cast: Cast, wakeups: Wakeups) -> None:
    registry, operation, _kept = begun(slow, cast, wakeups)
    mark = Mark.load(registry.mark_file)
    assert mark is not None
    mark.kill()
    registry.go()
    assert finish(operation, wakeups).state == "succeeded"
    assert until(lambda: slow.give(WEB, b"more").status == 201, seconds=SECONDS)
    assert slow.whole(WEB, "kept")


def test_the_registry_away_while_its_gate_is_there(slow: House, cast: Cast, wakeups: Wakeups) -> None:
    registry, operation, _kept = begun(slow, cast, wakeups)
    for file in (keeper_of(registry.mark_file), registry.mark_file):
        mark = Mark.load(file)
        assert mark is not None
        mark.kill()
    registry.go()
    assert finish(operation, wakeups).state == "succeeded"
    assert slow.give(WEB, b"more").status == 503
    registry.start("127.0.0.1", slow.berth)
    assert slow.whole(WEB, "kept")
    assert slow.give(WEB, b"more").status == 201


def test_what_takes_out_killed_meanwhile(slow: House, cast: Cast, wakeups: Wakeups) -> None:
    registry, operation, _kept = begun(slow, cast, wakeups)
    gate = Mark.load(registry.gate_mark_file)
    assert gate is not None
    (child,) = children(gate.pid)
    os.kill(child, signal.SIGKILL)
    assert until(lambda: slow.give(WEB, b"more").status == 201, seconds=SECONDS)
    assert finish(operation, wakeups).state == "failed"
    assert slow.whole(WEB, "kept")


def test_the_gate_killed_meanwhile(slow: House, cast: Cast, wakeups: Wakeups) -> None:
    """What it began goes on, so nothing is written until that is over."""
    registry, operation, _kept = begun(slow, cast, wakeups)
    gate = Mark.load(registry.gate_mark_file)
    assert gate is not None
    gate.kill()
    registry.start("127.0.0.1", slow.berth)
    assert slow.whole(WEB, "kept")
    assert slow.give(WEB, b"more").status == 403
    registry.go()
    assert until(lambda: slow.give(WEB, b"more").status == 201, seconds=SECONDS)
    assert finish(operation, wakeups).state == "failed"
    assert operation.failure == {"code": "registry_not_collected", "params": {"said": "interrupted"}}
    assert slow.whole(WEB, "kept")


def test_a_worker_killed_meanwhile(slow: House, cast: Cast, wakeups: Wakeups, monkeypatch: pytest.MonkeyPatch) -> None:
    registry, operation, _kept = begun(slow, cast, wakeups)
    with monkeypatch.context() as patched:
        die(patched, "images.keeping.door.begin", "after", 1, importer=operations)
        work_until_killed(operation)
    Operation.objects.filter(pk=operation.pk).update(lease_until=timezone.now() - timedelta(hours=1))
    registry.go()
    assert finish(operation, wakeups).state == "succeeded"
    assert not registry.begun.exists(), "it was begun once"
    assert slow.whole(WEB, "kept")
    assert slow.give(WEB, b"more").status == 201


def test_called_off_it_lets_pushes_in_again(slow: House, cast: Cast, wakeups: Wakeups, client: Client) -> None:
    _registry, operation, _kept = begun(slow, cast, wakeups)
    client.force_login(cast.operator)
    assert client.post("/registry/collect/cancel/").status_code == 302
    assert finish(operation, wakeups).state == "cancelled"
    assert slow.give(WEB, b"more").status == 201
    assert slow.whole(WEB, "kept")


def test_without_a_gate_it_is_refused(place: House, cast: Cast, wakeups: Wakeups, settings: Any) -> None:
    settings.REGISTRY = settings.REGISTRY | {"url": place.berth.events.partition("/registry")[0]}
    operation = services.collect(cast.actor("operator"), None)
    assert finish(operation, wakeups).failure == {"code": "registry_gateless", "params": {}}


def test_the_registry_away_is_waited_for(place: House, cast: Cast, wakeups: Wakeups) -> None:
    PrivateRegistry(place.registry.state).stop()
    operation = services.collect(cast.actor("operator"), None)
    work_once(operation, wakeups)
    assert operation.events.filter(code="registry_away").exists()
    place.registry.start("127.0.0.1", place.berth)
    assert finish(operation, wakeups).state == "succeeded"
