"""Deleting images and tags: by page and API, refused where one runs, done in the registry, and on record."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.images.breaking import breaks_of
from apps.models import AppEnvironment
from apps.services import deploy, withdraw
from apps.specification import from_image
from audit.models import AuditEntry
from images import tasks
from images.models import Artifact, ArtifactPart, Repository, Tag
from images.services import share_repository
from tests.conftest import Cast, Wakeups
from tests.images.doors import ADDRESS
from tests.images.test_telling import event, tell
from tests.images.there import DIGEST, OTHER, WEB, There

pytestmark = pytest.mark.usefixtures("registry")
NAME = f"{ADDRESS}/{WEB}"
API = f"/api/v1/tenants/acme/projects/shop/images/{NAME}"
PAGE = "/t/acme/p/shop/images/repositories/web/"
IMAGE = f"{PAGE}-/digests/{DIGEST}/remove/"
TAG = f"{PAGE}-/tags/1/remove/"
TYPED = {"typed_name": "a" * 12}


@pytest.fixture
def pushed(cast: Cast, there: There) -> Artifact:
    there.tags["2"] = DIGEST
    tell(event(), event(tag="2"))
    tasks.take_in()
    return Artifact.objects.select_related("repository").get()


@pytest.fixture
def runs(
    cast: Cast, place: AppEnvironment, pushed: Artifact, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> AppEnvironment:
    """`hello` runs it in dev."""
    with django_capture_on_commit_callbacks(execute=True):
        deploy(cast.actor("developer"), place, spec=from_image(f"{NAME}:1", name="web", instances=1, ports=[8080]))
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    place.refresh_from_db()
    return place


def results(action: str) -> list[str]:
    return list(AuditEntry.objects.filter(action=action).order_by("seq").values_list("result", flat=True))


def test_an_image_is_deleted_with_its_tags(browse: Callable[[str], Client], pushed: Artifact, there: There) -> None:
    client = browse("owner")
    said = client.get(IMAGE).content.decode()
    assert "Its tags go with it" in said
    assert client.post(IMAGE, {"typed_name": "web"}).status_code == 422
    assert there.tags
    assert client.post(IMAGE, TYPED).headers["Location"] == PAGE
    assert there.tags == {}
    assert not Artifact.objects.exists()
    assert results("image.remove") == ["accepted"]
    entry = AuditEntry.objects.get(action="image.delete")
    assert (entry.result, entry.actor_name, entry.detail["tags"]) == ("done", "owner", ["1", "2"])
    tell(event("delete"))
    tasks.take_in()
    assert results("image.delete") == ["done"], "the registry's own word of it says nothing new"


def test_a_tag_is_taken_off(browse: Callable[[str], Client], pushed: Artifact, there: There) -> None:
    client = browse("owner")
    assert "Other tags stay" in client.get(TAG).content.decode()
    assert client.post(TAG, {"typed_name": "2"}).status_code == 422
    assert client.post(TAG, {"typed_name": "1"}).status_code == 302
    assert there.tags == {"2": DIGEST}
    assert list(Tag.objects.values_list("name", flat=True)) == ["2"]
    assert (results("image.remove_tag"), results("image.untag")) == (["accepted"], ["done"])
    assert client.get(TAG).status_code == 404


@pytest.mark.parametrize(("who", "status"), [("developer", 403), ("guest", 403), ("outsider", 404)])
def test_only_who_may_delete_does(
    browse: Callable[[str], Client], api: Callable[[str], APIClient], pushed: Artifact, there: There, who: str,
    status: int,
) -> None:  # fmt: skip
    for page, typed in ((IMAGE, "a" * 12), (TAG, "1")):
        assert browse(who).get(page).status_code == status
        assert browse(who).post(page, {"typed_name": typed}).status_code == status
    for address in (f"{API}/artifacts/{DIGEST}", f"{API}/tags/1"):
        assert api(who).delete(address).status_code == status
    assert there.tags == {"1": DIGEST, "2": DIGEST}


def test_the_api_deletes(api: Callable[[str], APIClient], pushed: Artifact, there: There) -> None:
    client = api("owner")
    assert client.get(f"{API}/tags/1").json()["reference"] == f"{NAME}:1"
    assert client.delete(f"{API}/tags/1").status_code == 204
    assert client.delete(f"{API}/tags/1").status_code == 404
    assert client.get(f"{API}/tags/1").status_code == 404
    assert client.delete(f"{API}/artifacts/{OTHER}").status_code == 404
    assert client.delete(f"{API}/artifacts/{DIGEST}").status_code == 204
    assert there.tags == {}


def test_what_runs_is_not_deleted(
    api: Callable[[str], APIClient], browse: Callable[[str], Client], pushed: Artifact, there: There,
    runs: AppEnvironment,
) -> None:  # fmt: skip
    answer = api("owner").delete(f"{API}/artifacts/{DIGEST}")
    said = answer.json()
    assert (answer.status_code, said["code"], said["runs_in"]) == (409, "image_in_use", ["hello / dev"])
    assert results("image.remove") == ["refused"]
    page = browse("owner").get(IMAGE).content.decode()
    assert "It runs, so it stays" in page
    assert "typed_name" not in page
    assert browse("owner").post(IMAGE, TYPED).status_code == 422
    uses = api("developer").get(f"{API}/artifacts/{DIGEST}/uses").json()
    assert not uses["deletable"]
    assert [(one["app"], one["environment"], one["release_number"]) for one in uses["runs"]] == [("hello", "dev", 1)]
    assert there.tags == {"1": DIGEST, "2": DIGEST}
    assert api("owner").delete(f"{API}/tags/1").status_code == 204, "what runs goes on by its digest"


def test_what_runs_where_one_may_not_look_is_not_deleted_either(
    cast: Cast, pushed: Artifact, runs: AppEnvironment, api: Callable[[str], APIClient]
) -> None:
    """Nor is told where."""
    AppEnvironment.objects.filter(pk=runs.pk).update(tenant=cast.globex, project=cast.store)
    answer = api("owner").delete(f"{API}/artifacts/{DIGEST}")
    assert (answer.status_code, answer.json()["runs_in"]) == (409, [])
    assert "globex" not in answer.content.decode()
    assert breaks_of(cast.actor("owner"), pushed).elsewhere


def test_a_platform_of_a_list_that_runs_is_not_deleted(
    cast: Cast, pushed: Artifact, runs: AppEnvironment, api: Callable[[str], APIClient], there: There
) -> None:
    part = Artifact.objects.create(repository=pushed.repository, digest=OTHER, pinned=f"{NAME}@{OTHER}")
    ArtifactPart.objects.create(artifact=pushed, digest=OTHER, platform="linux/amd64")
    assert api("owner").delete(f"{API}/artifacts/{OTHER}").status_code == 409
    assert [row.digest for row in breaks_of(cast.actor("owner"), part).lists] == [DIGEST]


def test_what_one_could_go_back_to_is_told_and_does_not_hold_it(
    cast: Cast, pushed: Artifact, runs: AppEnvironment, wakeups: Wakeups, browse: Callable[[str], Client],
    there: There, django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        withdraw(cast.actor("developer"), runs)
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    assert "hello release 1" in browse("owner").get(IMAGE).content.decode()
    assert browse("owner").post(IMAGE, TYPED).status_code == 302
    assert AuditEntry.objects.get(action="image.remove").before["releases"] == ["hello 1"]


def test_a_registry_that_is_away_loses_nothing(
    browse: Callable[[str], Client], api: Callable[[str], APIClient], pushed: Artifact, there: There
) -> None:
    there.away = True
    assert "The registry does not answer" in browse("owner").post(IMAGE, TYPED).content.decode()
    answer = api("owner").delete(f"{API}/tags/1")
    assert (answer.status_code, answer.json()["code"]) == (503, "registry_away")
    assert Tag.objects.count() == 2
    assert results("image.delete") == ["failed"]
    assert results("image.untag") == ["failed"]
    assert browse("owner").get(f"{PAGE}-/digests/{DIGEST}/").status_code == 200, "pages ask no registry"


def test_what_another_project_offers_is_not_deleted_from_here(
    cast: Cast, pushed: Artifact, browse: Callable[[str], Client], there: There
) -> None:
    share_repository(cast.actor("owner"), pushed.repository, visible="everyone")
    base = f"/t/globex/p/store/images/repositories/-/{NAME}/"
    client = browse("outsider")
    assert client.get(f"{base}-/digests/{DIGEST}/").status_code == 200
    assert client.post(f"{base}-/digests/{DIGEST}/remove/", TYPED).status_code == 404
    assert client.post(f"{base}-/tags/1/remove/", {"typed_name": "1"}).status_code == 404
    assert client.post(f"{base}-/access/", {"visible": "project"}).status_code == 404
    assert there.tags


def test_a_closed_project_keeps_what_it_has(
    cast: Cast, pushed: Artifact, there: There, api: Callable[[str], APIClient]
) -> None:
    cast.shop.state = "suspended"
    cast.shop.save()
    assert api("owner").delete(f"{API}/artifacts/{DIGEST}").status_code == 409
    assert there.tags
    assert Repository.objects.get(path=WEB)
