"""What Ctrl K, the place switcher and the search page find, and for whom."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from apps.models import AppEnvironment
from apps.services import create_app
from images.models import Artifact, Repository, Tag
from portal.palette import words_of
from tenants.models import Project
from tests.conftest import Cast

Browse = Callable[[str], Client]
ENTRY = re.compile(r'<(?:a|button)[^>]*role="option".*?</(?:a|button)>', re.DOTALL)


def entries(client: Client, query: str, at: str = "/") -> dict[str, str]:
    """{label: its element} of what the palette finds."""
    answer = client.get("/search/", {"q": query, "at": at}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    found = ENTRY.findall(answer.content.decode())
    return {re.findall(r"<span>(.*?)</span>", one)[0]: one for one in found}


def test_words_are_found_anywhere_and_in_any_order(running: AppEnvironment, browse: Browse) -> None:
    client = browse("developer")
    assert "hello" in entries(client, "ell")
    assert "Logs of hello in dev" in entries(client, "logs hel")
    assert "Logs of hello in dev" in entries(client, "hel logs")
    assert "Logs of hello in dev" in entries(client, "logs web"), "web is the name of its service"
    assert "hello in dev" in entries(client, "hello dev")
    assert "Release 1 of hello" in entries(client, "hello 1")
    assert "Shop" in entries(client, "acme shop")
    assert entries(client, "nothing like this") == {}


def test_images_are_found_by_repository_and_by_tag(cast: Cast, browse: Browse) -> None:
    for project, path in ((cast.shop, "acme/shop/web"), (cast.store, "globex/store/web")):
        home = Repository.objects.create(tenant=project.tenant, project=project, path=path, name=f"r.test/{path}")
        row = Artifact.objects.create(repository=home, digest=f"sha256:{'a' * 64}", pinned=f"r.test/{path}@x")
        Tag.objects.create(repository=home, name="1.4", artifact=row)
    client = browse("developer")
    assert 'href="/t/acme/p/shop/images/repositories/web/"' in entries(client, "web")["web"]
    place = f'href="/t/acme/p/shop/images/repositories/web/-/digests/sha256:{"a" * 64}/"'
    assert all(place in entries(client, query)["web:1.4"] for query in ("web:1.4", "1.4", "acme/shop/web:1.4"))
    assert "globex" not in str(entries(client, "web"))
    assert "web:1.4" not in entries(browse("guest"), "web 1.4")


def test_doing_is_offered_as_far_as_one_may(running: AppEnvironment, browse: Browse) -> None:
    mine = entries(browse("developer"), "hello")
    assert {"Deploy hello to dev", "Scale hello in dev", "Restart hello in dev", "Stop hello in dev"} <= set(mine)
    assert "Start hello in dev" not in mine, "it runs"
    assert "Deploy hello to prod" not in entries(browse("developer"), "deploy hello")
    assert "Deploy hello to prod" in entries(browse("releaser"), "deploy hello")
    guests = entries(browse("guest"), "hello")
    assert "hello" in guests
    assert not [label for label in guests if label.startswith(("Deploy", "Restart", "Scale", "Stop", "Logs"))]


def test_a_deed_is_done_by_the_address_of_the_page(
    running: AppEnvironment, browse: Browse, django_capture_on_commit_callbacks: object
) -> None:
    client = browse("developer")
    restart = entries(client, "restart hello")["Restart hello in dev"]
    address = re.findall(r'formaction="(.*?)"', restart)[0]
    assert address == "/t/acme/p/shop/apps/hello/restart/?environment=dev"
    assert client.post(address).headers["Location"] == "/t/acme/p/shop/apps/hello/deployments/2/"
    scale = entries(client, "scale hello")["Scale hello in dev"]
    assert 'href="/t/acme/p/shop/apps/hello/?environment=dev&amp;ask=scale"' in scale


def test_nobody_finds_what_is_anothers(running: AppEnvironment, browse: Browse) -> None:
    for query in ("hello", "shop", "acme", "deploy hello", "hello 1", "hello dev", ""):
        found = " ".join(entries(browse("outsider"), query, at="/t/acme/p/shop/apps/hello/").values())
        assert "acme" not in found
        assert "/shop/" not in found
    assert "Audit" in entries(browse("auditor"), "audit")
    assert "Audit" not in entries(browse("developer"), "audit")


def test_without_a_query_it_begins_where_one_is_and_was(running: AppEnvironment, browse: Browse, cast: Cast) -> None:
    client = browse("developer")
    client.get("/t/acme/p/shop/apps/hello/")
    here = entries(client, "", at="/t/acme/p/shop/apps/hello/")
    assert "Deploy hello to dev" in here
    assert "hello" in entries(client, ""), "it was looked at last"
    cast.developer.refresh_from_db()
    assert cast.developer.recent == ["acme/shop/hello", "acme/shop"]


def test_what_is_typed_may_be_anything(cast: Cast, browse: Browse) -> None:
    client = browse("developer")
    for query in ("%", "_", "'\"", "\\", "<b>", "a" * 5000, "🚀", " ", "a b c d e f g h i j", "/", "2147483648999"):
        answer = client.get("/search/", {"q": query, "at": query}, headers={"HX-Request": "true"})
        assert answer.status_code == 200, query
    assert entries(client, "%") == {}
    assert "<marquee" not in client.get("/search/?q=<marquee>").content.decode()


def test_the_page_works_without_scripts(running: AppEnvironment, browse: Browse) -> None:
    text = browse("developer").get("/search/?q=restart+hello").content.decode()
    assert '<form method="post" action="/t/acme/p/shop/apps/hello/restart/?environment=dev">' in text
    assert 'value="restart hello"' in text


def test_places_are_searched_beyond_the_first_fifty(cast: Cast, browse: Browse) -> None:
    rows = [Project(tenant=cast.acme, name=f"a{number:03}", title=f"System {number}") for number in range(60)]
    Project.objects.bulk_create(rows)
    client = browse("owner")
    first = client.get("/search/places/", headers={"HX-Request": "true"}).content.decode()
    assert first.count("<li>") == 50
    assert "a055" not in first
    assert "a055" in client.get("/search/places/?q=system+55", headers={"HX-Request": "true"}).content.decode()
    assert "Nothing of that name" in client.get("/search/places/?q=store").content.decode(), "of another tenant"


def test_the_switcher_begins_with_where_one_was(cast: Cast, browse: Browse) -> None:
    Project.objects.create(tenant=cast.acme, name="aaa")
    client = browse("owner")
    client.get("/t/acme/p/shop/")
    places = client.get("/search/places/").content.decode()
    assert places.index("/t/acme/p/shop/") < places.index("/t/acme/p/aaa/")
    assert "Recent" in places


def test_a_number_of_apps_costs_no_queries(
    running: AppEnvironment, cast: Cast, browse: Browse, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for number in range(30):
        create_app(cast.actor("developer"), cast.shop, name=f"hello-{number}")
    client = browse("developer")
    with django_assert_max_num_queries(20):
        client.get("/search/?q=deploy+hello", headers={"HX-Request": "true"})


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_english_words_of_deeds_work_in_every_language(
    running: AppEnvironment, browse: Browse, cast: Cast, language: str
) -> None:
    cast.developer.language = language
    cast.developer.save()
    found = entries(browse("developer"), "restart hello")
    assert any("/hello/restart/" in one for one in found.values())


def test_chinese_needs_no_blanks(running: AppEnvironment, browse: Browse, cast: Cast) -> None:
    assert words_of("部署hello") == ["部署", "hello"]
    cast.developer.language = "zh-hans"
    cast.developer.save()
    found = entries(browse("developer"), "部署hello")
    assert any("/t/acme/p/shop/deploy/?app=hello&amp;environment=dev" in one for one in found.values())
