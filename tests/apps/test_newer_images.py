"""What is newer than what runs: by the order of versions, or the same tag pushed anew; offered where it helps."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from apps.models import AppEnvironment, Release
from apps.selectors.image_choice import LARGEST, MORE, MOST, image_choices
from apps.selectors.image_versions import newest_of
from apps.selectors.newer_images import MOST_TAGS, Runs, newer_images
from apps.services import deploy
from apps.specification import from_image
from images.models import Artifact, Repository, Scan, Tag
from tests.conftest import Cast, Wakeups
from tests.pages.test_deploy_page import fields_of

DIGESTS = [f"sha256:{letter * 64}" for letter in "abcdef"]
WEB = "registry.test/acme/shop/web"
PANEL = "/t/acme/p/shop/deploy/"
APP = "/t/acme/p/shop/apps/hello/?environment=dev"


@pytest.mark.parametrize(
    ("tag", "others", "newest"),
    [
        ("1.9", ["1.10", "1.2", "1.9"], "1.10"),
        ("1.9.0", ["1.9", "1.10", "2"], ""),
        ("1", ["2", "1.4", "latest"], "2"),
        ("v1.2.3", ["v1.2.10", "1.3.0", "v1.2.4"], "v1.2.10"),
        ("1.27-alpine", ["1.28", "1.28-alpine", "1.29-debian"], "1.28-alpine"),
        ("1.5.0", ["1.6.0-rc1", "1.5.1-beta.2"], ""),
        ("1.5.0-rc1", ["1.5.0-rc2", "1.5.0-beta9"], "1.5.0-rc2"),
        ("1.5.0-rc2", ["1.5.0", "1.5.0-rc10"], "1.5.0"),
        ("1.5-rc1-alpine", ["1.5", "1.5-alpine"], "1.5-alpine"),
        ("20260101", ["20260301", "20251231"], "20260301"),
        ("1.0-device", ["1.1", "1.1-device"], "1.1-device"),
        ("latest", ["1", "2"], ""),
        ("main-3f2a", ["main-4aaa"], ""),
        ("9" * 100, ["1"], ""),
        ("1.2.3.4.5", ["1.2.3.4.6"], ""),
    ],
)
def test_the_usual_order(tag: str, others: list[str], newest: str) -> None:
    assert newest_of(tag, others) == newest


@pytest.fixture
def web(cast: Cast) -> Repository:
    return Repository.objects.create(name=WEB, tenant=cast.acme, project=cast.shop, path="acme/shop/web")


def push(home: Repository, tag: str, digest: str) -> Artifact:
    artifact, _new = Artifact.objects.get_or_create(
        repository=home, digest=digest, defaults={"pinned": f"{home.name}@{digest}", "size_bytes": 5_000_000}
    )
    Tag.objects.update_or_create(
        repository=home, name=tag,
        defaults={"artifact": artifact, "moved_by": "developer", "moved_at": timezone.now()},
    )  # fmt: skip
    return artifact


def found(cast: Cast, reference: str, digest: str = DIGESTS[0]) -> list[tuple[str, bool]]:
    newer = newer_images(cast.actor("developer"), cast.shop, [Runs("web", reference, digest)])
    return [(one.reference, one.pushed) for one in newer]


def test_a_higher_version_or_the_same_tag_anew(cast: Cast, web: Repository) -> None:
    push(web, "1.4", DIGESTS[0])
    assert found(cast, f"{WEB}:1.4") == []
    push(web, "1.4", DIGESTS[1])
    assert found(cast, f"{WEB}:1.4") == [(f"{WEB}:1.4", True)]
    push(web, "1.5", DIGESTS[2])
    assert found(cast, f"{WEB}:1.4") == [(f"{WEB}:1.5", False)]
    assert found(cast, f"{WEB}:1.4@{DIGESTS[0]}") == [(f"{WEB}:1.5@{DIGESTS[2]}", False)]
    assert found(cast, f"{WEB}@{DIGESTS[0]}") == []
    assert found(cast, "nginx:1") == []
    assert found(cast, "?") == []


def test_nothing_of_others_is_offered(cast: Cast) -> None:
    theirs = Repository.objects.create(name=WEB, tenant=cast.globex, project=cast.store, path="globex/store/web")
    push(theirs, "1.4", DIGESTS[0])
    push(theirs, "1.5", DIGESTS[1])
    assert found(cast, f"{WEB}:1.4") == []


def test_among_many_tags_it_takes_few_queries(cast: Cast, web: Repository) -> None:
    old = push(web, "1.4", DIGESTS[1])
    rows = [Tag(repository=web, name=f"b{number}", artifact=old) for number in range(MOST_TAGS + 5)]
    Tag.objects.bulk_create(rows)
    Tag.objects.filter(name="1.4").update(moved_at="2020-01-01T00:00:00Z")
    with CaptureQueriesContext(connection) as queries:
        assert found(cast, f"{WEB}:1.4") == [(f"{WEB}:1.4", True)]
    assert len(queries) <= 3  # one of them for the rights of whoever asks


@pytest.fixture
def outdated(
    running: AppEnvironment, web: Repository, cast: Cast, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> AppEnvironment:
    """`hello` in dev runs WEB:1.4, which is all that is there."""
    push(web, "1.4", DIGESTS[0])
    with django_capture_on_commit_callbacks(execute=True):
        deploy(cast.actor("developer"), running, spec=from_image(f"{WEB}:1.4", name="web", instances=3, ports=[8080]))
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    running.refresh_from_db()
    assert running.release is not None
    assert running.release.images.get().digest == DIGESTS[0]
    return running


def test_it_stands_on_the_app_and_leads_to_the_panel(
    outdated: AppEnvironment, web: Repository, browse: Callable[[str], Client]
) -> None:
    client = browse("developer")
    assert "is newer than what" not in client.get(APP).content.decode()
    Scan.objects.create(artifact=push(web, "1.5", DIGESTS[1]), rating="E", at_best="E", tool="own")
    said = client.get(APP).content.decode()
    assert f"{WEB}:1.5 is newer than what web runs, 1.4" in said
    link = f"{PANEL}?app=hello&amp;environment=dev&amp;service=web&amp;image=registry.test%2Facme%2Fshop%2Fweb%3A1.5"
    assert link in said
    panel = client.get(link.replace("&amp;", "&")).content.decode()
    assert f'value="{WEB}:1.5" checked' in panel
    assert '>Scan rating</span> <span class="grade is-e" title="Scan rating E">E</span>' in panel
    assert ">newer<" in panel


def test_a_tag_pushed_anew_is_told_as_a_change(
    outdated: AppEnvironment, web: Repository, browse: Callable[[str], Client]
) -> None:
    client, address = browse("developer"), f"{PANEL}?app=hello&environment=dev"
    assert "Nothing changes" in client.get(address).content.decode()
    push(web, "1.4", DIGESTS[2])
    said = client.get(address).content.decode()
    assert "Nothing changes" not in said
    assert f"{WEB}:1.4 means another image now" in said
    assert "pushed anew" in said
    sent = client.post(PANEL, fields_of(said) | {"go": "deploy"})
    assert sent.status_code == 302
    release = Release.objects.get(app=outdated.app, number=3)
    assert (release.images.get().reference, release.images.get().digest) == (f"{WEB}:1.4", DIGESTS[2])


def test_the_api_tells_it(outdated: AppEnvironment, web: Repository, api: Callable[[str], APIClient]) -> None:
    address = "/api/v1/tenants/acme/projects/shop/apps/hello/environments/dev/newer-images"
    assert api("developer").get(address).json() == {"images": []}
    push(web, "1.5", DIGESTS[1])
    (one,) = api("developer").get(address).json()["images"]
    assert (one["service"], one["reference"], one["before"]) == ("web", f"{WEB}:1.5", "1.4")
    assert (one["digest"], one["pushed"], one["by"]) == (DIGESTS[1], False, "developer")


def test_who_may_not_see_images_is_told_of_none(
    outdated: AppEnvironment, web: Repository, api: Callable[[str], APIClient], browse: Callable[[str], Client]
) -> None:
    push(web, "1.5", DIGESTS[1])
    assert "is newer than what" not in browse("guest").get(APP).content.decode()
    address = "/api/v1/tenants/acme/projects/shop/apps/hello/environments/dev/newer-images"
    assert api("guest").get(address).status_code == 403


def test_many_tags_are_listed_in_parts(cast: Cast, web: Repository, browse: Callable[[str], Client]) -> None:
    artifact = push(web, "0", DIGESTS[0])
    Tag.objects.bulk_create([Tag(repository=web, name=f"1.{n}", artifact=artifact) for n in range(LARGEST + 10)])
    first = image_choices(cast.actor("developer"), cast.shop, search="", chosen="")
    assert (len(first.shown), first.more, first.cut) == (MOST, MOST + MORE, False)
    last = image_choices(cast.actor("developer"), cast.shop, search="", chosen="", most=5000)
    assert (len(last.shown), last.more, last.cut) == (LARGEST, 0, True)
    client = browse("developer")
    sent = {"mode": "form", "environment": "dev", "go": f"more:{first.more}"}
    page = client.post(PANEL, sent).content.decode()
    assert page.count('type="radio" name="image"') == MOST + MORE
    kept = client.post(PANEL, sent | {"go": "check", "listed": str(first.more)}).content.decode()
    assert kept.count('type="radio" name="image"') == MOST + MORE
    searched = client.post(PANEL, sent | {"go": "search", "search": "1.7", "listed": "32"}).content.decode()
    assert searched.count('type="radio" name="image"') == MOST
    odd = client.post(PANEL, sent | {"go": "more:\N{SUPERSCRIPT TWO}99"}).content.decode()
    assert odd.count('type="radio" name="image"') == MOST


def test_an_image_is_found_by_its_digest(cast: Cast, web: Repository) -> None:
    push(web, "1", DIGESTS[0])
    untagged = push(web, "2", DIGESTS[1])
    Tag.objects.filter(name="2").delete()
    shown = image_choices(cast.actor("developer"), cast.shop, search=f"web@{DIGESTS[1][:12]}", chosen="").shown
    assert [one.reference for one in shown] == [f"{WEB}@{untagged.digest}"]
    assert image_choices(cast.actor("developer"), cast.store, search=f"web@{DIGESTS[1][:12]}", chosen="").shown == []
