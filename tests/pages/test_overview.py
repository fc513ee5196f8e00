"""The overview of a project."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.models import App, AppEnvironment, PlaceEvent
from apps.models.declared import engine_name
from apps.selectors.board import MOST_DOUBTFUL
from apps.services import create_app, deploy
from apps.specification import from_image
from backends.models import Cluster
from tests.conftest import Cast, Wakeups

ADDRESS = "/t/acme/p/shop/"
Browse = Callable[[str], Client]


def text_of(page: Any) -> str:
    return str(page.content.decode())


def test_empty_project_offers_the_first_deploy(browse: Browse, cast: Cast) -> None:
    page = browse("developer").get(ADDRESS)
    assert page.status_code == 200
    assert "Deploy the first app" in text_of(page)
    assert "/t/acme/p/shop/deploy/" in text_of(page)


def test_board_shows_what_runs(browse: Browse, running: AppEnvironment) -> None:
    text = text_of(browse("developer").get(ADDRESS))
    assert "3 of 3 instances run." in text
    assert "release 1" in text
    assert "3/3" in text
    assert "Not in test yet" in text
    assert "Deploy release 1 of hello to test" in text


def test_production_is_not_offered_to_a_developer(browse: Browse, running: AppEnvironment) -> None:
    text = text_of(browse("developer").get(ADDRESS))
    assert "environment=prod" not in text.partition("Not in prod yet")[2][:300]


def test_guest_sees_why_there_is_no_deploy(browse: Browse, running: AppEnvironment) -> None:
    text = text_of(browse("guest").get(ADDRESS))
    assert 'aria-disabled="true"' in text
    assert "owner or admin of the tenant" in text


@pytest.mark.parametrize("name", ["outsider", "operator"])
def test_foreign_is_not_there(browse: Browse, running: AppEnvironment, name: str) -> None:
    assert browse(name).get(ADDRESS).status_code == 404


def test_nobody_is_sent_to_the_door(client: Client, cast: Cast) -> None:
    page = client.get(ADDRESS)
    assert page.status_code == 302
    assert page["Location"].startswith("/accounts/sign-in/")


def test_filter_shows_only_what_needs_attention(browse: Browse, running: AppEnvironment) -> None:
    text = text_of(browse("developer").get(f"{ADDRESS}?show=attention"))
    assert "Nothing needs attention" in text
    assert 'class="stage-card' not in text


def test_silent_cluster_makes_numbers_old(browse: Browse, running: AppEnvironment, cast: Cast) -> None:
    Cluster.objects.filter(pk=cast.cluster.pk).update(state=Cluster.State.AWAY, away_since=timezone.now())
    text = text_of(browse("developer").get(f"{ADDRESS}?show=attention"))
    assert "is-old-number" in text
    assert "unknown" in text
    assert "last seen <time" in text
    assert "3 of 3 instances run, as far as is known." in text


def test_live_part_comes_alone(browse: Browse, running: AppEnvironment) -> None:
    text = text_of(browse("developer").get(ADDRESS, headers={"HX-Request": "true"}))
    assert text.lstrip().startswith('<div class="live" id="board"')
    assert "<html" not in text


def test_queries_do_not_grow_with_apps(
    browse: Browse,
    cast: Cast,
    running: AppEnvironment,
    wakeups: Wakeups,
    django_assert_max_num_queries: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    client, developer = browse("developer"), cast.actor("developer")
    with django_assert_max_num_queries(25) as few:
        client.get(ADDRESS)
    for number in range(8):
        app = create_app(developer, cast.shop, name=f"more-{number}")
        place = app.places.get(environment__name="dev")
        with django_capture_on_commit_callbacks(execute=True):
            deploy(developer, place, spec=from_image("berth/hello:1", name="web", instances=2))
        with django_capture_on_commit_callbacks(execute=True):
            wakeups.drain()
    with django_assert_max_num_queries(len(few)):
        page = client.get(ADDRESS)
    assert "more-7" in text_of(page)
    assert "19 of 19 instances run." in text_of(page)


def test_an_app_without_a_place_in_an_environment_is_shown_all_the_same(
    browse: Browse, cast: Cast, running: AppEnvironment
) -> None:
    """Nothing runs there and nothing can be brought there; the rest of the page is as ever."""
    AppEnvironment.objects.filter(app=running.app, environment__name="test").delete()
    page = browse("developer").get(ADDRESS)
    assert page.status_code == 200
    assert "3 of 3 instances run." in text_of(page)
    assert "Not in test yet" in text_of(page)
    assert "Deploy release 1 of hello to test" not in text_of(page)
    assert [step["deploy"] for step in page.context["rows"][0]["steps"] if "deploy" in step] == ["", ""]


def test_the_places_of_a_silent_cluster_are_read_with_what_is_on_the_page(
    browse: Browse, many: list[str], cast: Cast, running: AppEnvironment, django_assert_max_num_queries: Any
) -> None:
    """It takes as many queries for hundreds of them as for those of one page."""
    client, empty = browse("developer"), AppEnvironment.objects.filter(project=cast.shop, release__isnull=True)
    Cluster.objects.filter(pk=cast.cluster.pk).update(state=Cluster.State.AWAY, away_since=timezone.now())
    empty.filter(app__name__startswith="app-00").update(release=running.release)
    with django_assert_max_num_queries(30) as few:
        client.get(ADDRESS)
    empty.update(release=running.release)
    with django_assert_max_num_queries(len(few)):
        page = client.get(ADDRESS)
    assert page.context["board"].cut
    assert len(page.context["board"].moving) <= 2 * MOST_DOUBTFUL


def rows_of(page: Any) -> list[str]:
    return [row["name"] for row in page.context["rows"]]


@pytest.fixture
def many(cast: Cast, running: AppEnvironment) -> list[str]:
    """120 more apps, none of them deployed."""
    names = [f"app-{number:03d}" for number in range(120)]
    apps = App.objects.bulk_create([App(tenant=cast.acme, project=cast.shop, name=name) for name in names])
    stages = [cast.environment(name) for name in ("dev", "test", "prod")]
    places = [
        AppEnvironment(tenant=cast.acme, project=cast.shop, app=app, environment=stage)
        for app in apps
        for stage in stages
    ]
    for place in places:
        place.engine_name = engine_name("a", place.id)
    AppEnvironment.objects.bulk_create(places)
    running.services.update(seen_at=timezone.now())
    return names


def test_many_apps_come_in_pages(browse: Browse, many: list[str]) -> None:
    client = browse("developer")
    first = page = client.get(ADDRESS)
    pages = [rows_of(first)]
    while page.context["board"].next and len(pages) < 20:
        page = client.get(f"{ADDRESS}?cursor={page.context['board'].next}")
        pages.append(rows_of(page))
    assert [name for rows in pages for name in rows] == sorted([*many, "hello"])
    back = client.get(f"{ADDRESS}?cursor={page.context['board'].previous}")
    assert rows_of(back) == pages[-2]
    assert "All 121" in text_of(first)


def test_the_whole_project_is_told_whatever_page_is_shown(browse: Browse, many: list[str]) -> None:
    text = text_of(browse("developer").get(f"{ADDRESS}?q=app-1"))
    assert "3 of 3 instances run." in text
    assert "Everything that is deployed is well." in text


def test_a_search_stands_in_the_address_and_can_be_taken_away(browse: Browse, many: list[str]) -> None:
    page = browse("developer").get(f"{ADDRESS}?q=-11")
    assert rows_of(page) == [f"app-{number}" for number in range(110, 120)]
    assert "Name has" in text_of(page)
    nothing = text_of(browse("developer").get(f"{ADDRESS}?q=zebra&cursor=%00"))
    assert "No app has that in its name" in nothing


def test_trouble_is_found_on_any_page(browse: Browse, many: list[str], running: AppEnvironment) -> None:
    running.services.update(running=1, phase="failing", reason={"code": "crashing", "params": {"service": "web"}})
    client = browse("developer")
    text = text_of(client.get(f"{ADDRESS}?q=app"))
    assert "hello in dev: keeps crashing." in text
    assert "Needs attention 1" in text
    assert rows_of(client.get(f"{ADDRESS}?show=attention")) == ["hello"]


def test_crashes_behind_a_full_count_are_marked(browse: Browse, running: AppEnvironment) -> None:
    now = timezone.now()
    PlaceEvent.objects.create(
        tenant=running.tenant, project=running.project, place=running, code="crashed", service="web", number=2, count=3,
        first_at=now, last_at=now, key="x",
    )  # fmt: skip
    text = text_of(browse("developer").get(ADDRESS))
    assert "3 crashes today" in text
    assert "show=trouble" in text
