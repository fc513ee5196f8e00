"""The first page: what needs one, where one was last, how to begin, what is not known just now."""

from collections.abc import Callable
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from apps.models import AppEnvironment
from backends.models import Cluster
from core.clock import from_now
from images.models import Artifact, Repository, Tag
from operations.models import Operation
from tenants.models import Grant, Project
from tests.conftest import Cast

Browse = Callable[[str], Client]


def main(client: Client) -> str:
    return client.get("/").content.decode().partition("<main")[2].partition("</main")[0]


def test_a_role_that_ends_soon_needs_one(cast: Cast, browse: Browse) -> None:
    Grant.objects.filter(user=cast.developer).update(ends_at=from_now(timedelta(hours=20)), granted_by="olivia")
    Grant.objects.filter(user=cast.guest).update(ends_at=from_now(timedelta(days=20)))
    page = main(browse("developer"))
    assert "A role of yours ends soon." in page
    assert "Your role “developer” in acme/shop ends" in page
    assert "Given by olivia, who can also give more time." in page
    assert "ends soon" not in main(browse("guest"))


def test_the_first_step_is_open_and_leads_on(cast: Cast, browse: Browse) -> None:
    repository = Repository.objects.create(name="berth/hello", tenant=None, cluster=cast.cluster)
    artifact = Artifact.objects.create(repository=repository, digest=f"sha256:{'1' * 64}", pinned="hello@sha256:1")
    Tag.objects.create(repository=repository, artifact=artifact, name="1", moved_at=timezone.now())
    client = browse("developer")
    page = main(client)
    address = "/t/acme/p/shop/deploy/?image=berth%2Fhello%3A1"
    assert f'href="{address}"' in page
    assert "Choose an image" in page
    assert client.get(address).status_code == 200
    assert "Three steps" not in main(browse("guest")), "who may not deploy is not told to"


def test_what_is_deployed_leads_to_the_next_deployment(running: AppEnvironment, browse: Browse) -> None:
    assert 'href="/t/acme/p/shop/deploy/"' in main(browse("developer"))
    assert "/deploy/" not in main(browse("guest"))


def test_projects_begin_with_where_one_was(cast: Cast, browse: Browse) -> None:
    Project.objects.bulk_create([Project(tenant=cast.acme, name=f"a{number:03}") for number in range(60)])
    client = browse("owner")
    assert "/t/acme/p/shop/" not in main(client).partition('id="projects"')[2]
    client.get("/t/acme/p/shop/")
    page = main(client).partition('id="projects"')[2]
    assert page.index("/t/acme/p/shop/") < page.index("/t/acme/p/a000/")
    assert page.count("<tr") == 51


def test_a_cluster_that_is_silent_is_said(running: AppEnvironment, browse: Browse) -> None:
    Cluster.objects.update(state=Cluster.State.AWAY, away_since=timezone.now())
    page = main(browse("developer"))
    assert "Cluster local does not answer; the numbers of 1 app on it are those seen last." in page
    assert "How 1 app is nobody can see just now." in page
    assert 'id="needs"' not in page, "nothing can be done about one app of a silent cluster"


def test_somebody_is_called_as_they_wish(cast: Cast, browse: Browse) -> None:
    cast.developer.title = "Dana"
    cast.developer.save()
    assert "Hello, Dana" in main(browse("developer"))


def test_a_first_deployment_that_failed_needs_somebody(running: AppEnvironment, cast: Cast, browse: Browse) -> None:
    page = main(browse("developer"))
    assert "Everything that is deployed is well." in page
    Operation.objects.update(state="failed", failure={"code": "image_not_found", "params": {"service": "web"}})
    AppEnvironment.objects.filter(pk=running.pk).update(release=None)
    page = main(browse("developer"))
    assert "1 place needs a look." in page
    assert "/t/acme/p/shop/apps/hello/?environment=dev" in page.partition('id="needs"')[2].partition("</section")[0]
