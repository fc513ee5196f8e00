"""What the registry tells: kept once, believed only from the registry, and looked at by a worker."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from audit.models import AuditEntry
from images import tasks
from images.happening import Happened, happened
from images.models import Artifact, RegistryEvent, Repository, Tag
from images.registry import client as registry_client
from images.registry.client import Found
from tests.conftest import Cast
from tests.images.doors import NOTICES
from tests.images.there import DIGEST, OTHER, WEB, There

pytestmark = pytest.mark.usefixtures("registry")


def event(action: str = "push", **target: str) -> dict[str, Any]:
    known = {"repository": WEB, "digest": DIGEST, "tag": "1"} | target
    return {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, action + json.dumps(known))), "action": action, "target": known}


def tell(*events: Any, secret: str = NOTICES, by: str = "") -> int:
    told = [one | {"actor": {"name": by}} if isinstance(one, dict) else one for one in events]
    answer = Client().post(
        "/registry/events", json.dumps({"events": told}), content_type="application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )  # fmt: skip
    return answer.status_code


@pytest.mark.django_db
@pytest.mark.parametrize("secret", ["", "x", NOTICES + "x", "é"])
def test_only_the_registry_is_believed(secret: str) -> None:
    assert tell(event(), secret=secret) == 401
    assert not RegistryEvent.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["", "[]", "{}", '{"events": 1', "null", '{"events": {"a": 1}}', '{"events": 7}'])
def test_what_a_registry_never_tells_does_no_harm(body: str) -> None:
    answer = Client().post(
        "/registry/events", body, content_type="application/json", headers={"Authorization": f"Bearer {NOTICES}"}
    )
    assert answer.status_code in (204, 400)
    assert not RegistryEvent.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "odd",
    [
        event("mount"), event("pull"), event(repository="acme/../x"), event(repository="*"), event(digest="sha256:x"),
        event(tag="a b"), {"action": "push"}, {"action": "push", "target": []},
        {"action": "push", "target": {"repository": {}}}, 7, None, "push", event() | {"id": ""},
        event() | {"id": "x" * 200}, event() | {"id": {}, "target": None},
    ],
)  # fmt: skip
def test_events_of_no_meaning_are_let_go(odd: Any) -> None:
    assert tell(odd) == 204
    assert not RegistryEvent.objects.exists()


def test_a_push_becomes_rows_with_who_did_it(cast: Cast, there: There) -> None:
    assert tell(event(), by=f"person:{cast.developer.pk}") == 204
    tasks.take_in()
    tag = Tag.objects.select_related("artifact__repository").get()
    assert (tag.name, tag.moved_by, tag.artifact.digest) == ("1", "developer", DIGEST)
    assert (tag.artifact.size_bytes, tag.artifact.platform, tag.artifact.user) == (1650, "linux/amd64", "1000")
    home = tag.artifact.repository
    assert (home.path, home.title, home.project) == (WEB, "Web", cast.shop)
    entry = AuditEntry.objects.get(action="image.push")
    assert (entry.actor_id, entry.tenant_id, entry.project_id) == (cast.developer.pk, cast.acme.pk, cast.shop.pk)
    assert not RegistryEvent.objects.exists()


def test_told_twice_is_done_once(cast: Cast, there: There) -> None:
    by = f"token:{cast.developer.pk}"
    tell(event(), event(), by=by)
    assert RegistryEvent.objects.count() == 1
    tasks.take_in()
    tell(event() | {"id": "another"}, by=by)
    tasks.take_in()
    assert AuditEntry.objects.filter(action="image.push").count() == 1
    assert AuditEntry.objects.get(action="image.push").actor_kind == "token"


def test_an_older_word_that_comes_later_moves_no_tag_back(cast: Cast, there: There) -> None:
    there.tags = {"1": OTHER, "old": DIGEST}
    tell(event(digest=OTHER))
    tasks.take_in()
    tell(event(digest=DIGEST))
    tasks.take_in()
    assert Tag.objects.get(name="1").artifact.digest == OTHER


def test_a_word_about_nothing_that_is_there_changes_nothing(cast: Cast, there: There) -> None:
    there.tags = {}
    tell(event(), event("delete"), event(repository="acme/nothing/web"), event(repository="nowhere/x/web"))
    tasks.take_in()
    assert not Repository.objects.exclude(path="").exists()
    assert not RegistryEvent.objects.exists()


def test_what_is_still_there_is_not_taken_out(cast: Cast, there: There) -> None:
    tell(event())
    tasks.take_in()
    tell(event("delete"))
    tasks.take_in()
    assert Artifact.objects.exists()
    there.tags = {}
    tell(event("delete") | {"id": "again"}, by=f"person:{cast.owner.pk}")
    tasks.take_in()
    assert not Artifact.objects.exists()
    assert AuditEntry.objects.get(action="image.delete").actor_id == cast.owner.pk


def test_a_registry_that_is_away_is_asked_again(cast: Cast, there: There, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_path: str, _reference: str) -> Found | None:
        raise registry_client.RegistryAway("away")

    tell(event())
    with monkeypatch.context() as while_away:
        while_away.setattr(registry_client, "manifest", away)
        tasks.take_in()
    assert RegistryEvent.objects.count() == 1
    tasks.take_in()
    assert Tag.objects.get().name == "1"


def test_the_regular_look_finds_what_was_never_told(cast: Cast, there: There) -> None:
    tasks.look_at_registry()
    assert Tag.objects.get().moved_by == ""
    there.tags = {"2": DIGEST}
    tasks.look_at_registry()
    assert [tag.name for tag in Tag.objects.all()] == ["2"]
    there.tags = {}
    tasks.look_at_registry()
    assert not Artifact.objects.exists()


@pytest.mark.parametrize(
    "body",
    [{}, {"config": 7, "layers": []}, {"config": {}, "layers": 7}, {"manifests": []}],
)
def test_a_manifest_that_says_nothing_is_an_image_of_which_nothing_is_known(
    cast: Cast, there: There, body: dict[str, Any]
) -> None:
    there.body = body
    tell(event())
    tasks.take_in()
    assert Tag.objects.get().artifact.size_bytes in (None, 50)


@pytest.mark.parametrize(
    "config",
    [
        {}, {"config": None}, {"config": []}, {"created": "yesterday"}, {"created": "0001-01-01T00:00:00Z"},
        {"config": {"Labels": {"a" * 500: "b" * 5000}, "User": "u" * 500, "ExposedPorts": {"80/tcp": {}}}},
        {"config": {"Healthcheck": {"Test": ["NONE"]}}}, {"config": {"Healthcheck": {"Test": ["CMD-SHELL", "true"]}}},
        {"config": {"Labels": ["x"], "ExposedPorts": 7, "Healthcheck": {"Test": 7, "Interval": "x"}}},
        {"config": {"Healthcheck": {"Test": ["CMD", "x"], "Interval": "x", "Retries": []}}},
        {"config": {"Labels": {"a\0": "b\0"}, "User": "\0"}, "os": "\0"},
        {"config": {"Healthcheck": {"Test": ["CMD"]}}},
    ],
)  # fmt: skip
def test_a_configuration_may_say_anything(cast: Cast, there: There, config: dict[str, Any]) -> None:
    there.config = config
    tell(event())
    tasks.take_in()
    assert Tag.objects.get().name == "1"


def test_what_happened_is_told_once_and_only_when_it_is_so(
    cast: Cast, there: There, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[tuple[str, str, str]] = []

    def hear(told: Happened, **_more: object) -> None:
        heard.append((told.kind, told.tag, told.digest))

    happened.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            tell(event(), event())
            tasks.take_in()
        with django_capture_on_commit_callbacks(execute=True):
            tell(event(tag="1"))
            tasks.take_in()
        there.tags = {}
        with django_capture_on_commit_callbacks(execute=True):
            tell(event("delete"))
            tasks.take_in()
    finally:
        happened.disconnect(hear)
    assert heard == [("pushed", "1", DIGEST), ("deleted", "", DIGEST)]
