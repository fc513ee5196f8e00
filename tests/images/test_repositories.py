"""What is kept of images beside their names: how they start and were built, platforms, pulls; and the regular look."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from audit.models import AuditEntry
from core.clock import database_now
from images import tasks
from images.models import Artifact, ArtifactPart, ArtifactPulls, Repository, Tag
from images.registry import taking, untagging
from images.repositories import selectors
from operations.models import Change
from tests.conftest import Cast
from tests.images.doors import NOTICES
from tests.images.test_telling import event, tell
from tests.images.there import DIGEST, MARK, OTHER, WEB, There

pytestmark = pytest.mark.usefixtures("registry")


def pull(digest: str = DIGEST, *, method: str = "GET", kind: str = "", by: str = "person:x", **more: Any) -> int:
    media = kind or "application/vnd.oci.image.manifest.v1+json"
    told = {
        "id": "x", "action": "pull", "actor": {"name": by}, "request": {"method": method},
        "target": {"repository": WEB, "digest": digest, "mediaType": media},
    } | more  # fmt: skip
    return Client().post(
        "/registry/events", json.dumps({"events": [told]}), content_type="application/json",
        headers={"Authorization": f"Bearer {NOTICES}"},
    ).status_code  # fmt: skip


@pytest.fixture
def pushed(cast: Cast, there: There) -> Artifact:
    tell(event())
    tasks.take_in()
    return Artifact.objects.get()


def test_how_an_image_starts_and_was_built_is_kept(pushed: Artifact) -> None:
    assert pushed.configuration == {
        "environment": [["PATH", "/bin"], ["MODE", "a=b"], ["X", ""]],
        "entrypoint": ["/web"], "command": ["serve"], "working_dir": "/srv", "volumes": ["/data"],
        "stop_signal": "SIGINT",
    }  # fmt: skip
    steps = selectors.steps(pushed)
    assert [(one.created_by, one.size) for one in steps] == [
        ("ADD base", 1000), ("ENV MODE=a=b", None), ("COPY web /web", 500),
    ]  # fmt: skip
    pushed.history = pushed.history[:1]
    assert [(one.created_by, one.size) for one in selectors.steps(pushed)] == [("", 1000), ("", 500)]


@pytest.mark.parametrize(
    "config",
    [
        {"history": 7}, {"history": [None, 7, {"created": 7, "created_by": None}]}, {"config": {"Env": 7, "Cmd": {}}},
        {"config": {"Env": [7, None, "a\0=b\0"], "Entrypoint": [None]}}, {"config": {"Volumes": ["x"]}},
        {"history": [{"created_by": "x" * 10_000}] * 1000}, {"config": {"Env": ["x" * 10_000] * 1000}},
    ],
)  # fmt: skip
def test_whatever_it_says_of_its_start_is_bounded(cast: Cast, there: There, config: dict[str, Any]) -> None:
    there.config = config
    tell(event())
    tasks.take_in()
    row = Artifact.objects.get()
    assert len(json.dumps([row.configuration, row.history])) < 1_000_000
    assert "\\u0000" not in json.dumps(row.configuration)
    assert selectors.steps(row)


def test_a_list_of_images_keeps_its_platforms(cast: Cast, there: There) -> None:
    there.body = {
        "manifests": [
            {"digest": OTHER, "platform": {"os": "linux", "architecture": "arm", "variant": "v7"}},
            {"digest": DIGEST, "platform": None}, {"digest": None}, 7,
        ]
    }  # fmt: skip
    tell(event())
    tasks.take_in()
    row = Artifact.objects.get()
    assert list(row.parts.order_by("pk").values_list("digest", "platform")) == [(OTHER, "linux/arm/v7"), (DIGEST, "")]
    assert row.configuration == {}
    assert selectors.platforms([row]) == {row.pk: ["linux/arm/v7"]}


def test_what_was_noted_before_is_read_a_few_at_a_time(
    pushed: Artifact, there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "FEW_UNREAD", 1)
    gone = Artifact.objects.create(repository=pushed.repository, digest=OTHER, pinned="x")
    Artifact.objects.update(configuration=None, history=[])
    assert taking.read_the_unread() == 1
    tasks.look_at_registry()
    pushed.refresh_from_db()
    gone.refresh_from_db()
    assert pushed.configuration
    assert pushed.history
    assert gone.configuration == {}
    assert taking.read_the_unread() == 0


def test_pulls_are_added_up_by_day(pushed: Artifact) -> None:
    assert [pull() for _each in range(3)] == [204] * 3
    row = ArtifactPulls.objects.get()
    assert (row.artifact, row.day, row.count) == (pushed, database_now().date(), 3)
    ArtifactPulls.objects.create(artifact=pushed, day=row.day - timedelta(days=40), count=5)
    ArtifactPulls.objects.create(artifact=pushed, day=row.day - timedelta(days=500), count=7)
    found = selectors.pulls(pushed)
    assert (found.lately, found.ever, found.last) == (3, 15, row.day)
    tasks.look_at_registry()
    assert selectors.pulls(pushed).ever == 8


def test_what_is_no_pull_of_an_image_is_not_counted(pushed: Artifact) -> None:
    pull(OTHER)
    pull(method="HEAD")
    pull(kind="application/octet-stream")
    pull(by="system:berth")
    pull(request=7, target=None)
    pull(target={"repository": {}, "digest": [], "mediaType": []})
    assert not ArtifactPulls.objects.exists()


def test_a_tag_that_moved_unnoticed_is_found_in_a_large_repository(
    pushed: Artifact, there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "FEW_TAGS", 3)
    names = [f"v{number:02}" for number in range(10)]
    there.tags |= dict.fromkeys(names, DIGEST)
    tasks.look_at_registry()
    assert Tag.objects.count() == 11
    there.tags["v07"] = OTHER
    for _turn in range(4):
        there.asked.clear()
        tasks.look_at_registry()
        assert len(there.asked) <= 4, "no turn asks for more than its slice, and for what it then notes"
    assert Tag.objects.get(name="v07").artifact.digest == OTHER
    assert AuditEntry.objects.filter(action="image.push", detail__tag="v07").count() == 2


def test_what_is_gone_from_a_large_repository_is_found(pushed: Artifact, there: There) -> None:
    tags = [Tag(repository=pushed.repository, name=f"v{one}", artifact=pushed) for one in range(1200)]
    Tag.objects.bulk_create(tags)
    tasks.look_at_registry()
    assert list(Tag.objects.values_list("name", flat=True)) == ["1"]
    assert AuditEntry.objects.filter(action="image.untag").count() == 1200


def test_a_tag_is_taken_off_and_the_image_stays(pushed: Artifact, there: There) -> None:
    there.tags["2"] = DIGEST
    untagging.untag(WEB, "1")
    assert there.tags == {"2": DIGEST}


def test_the_mark_of_a_tag_taken_off_is_nothing_that_was_pushed(pushed: Artifact, there: There) -> None:
    there.tags["1"] = MARK
    tell(event(digest=MARK) | {"id": "mark"})
    tasks.take_in()
    assert Artifact.objects.get() == pushed
    assert Tag.objects.get().artifact == pushed


def test_open_pages_hear_of_a_push_and_of_a_deletion(pushed: Artifact, there: There, cast: Cast) -> None:
    home = Repository.objects.get(path=WEB)
    said = Change.objects.filter(kind="image")
    assert list(said.values_list("object_id", "tenant_id", "project_id")) == [
        (str(home.pk), cast.acme.pk, cast.shop.pk)
    ]
    there.tags = {}
    tell(event("delete"))
    tasks.take_in()
    assert said.count() == 2
    assert not ArtifactPart.objects.exists()
