"""Where a digest runs, where it could come back, and who is told of it."""

from typing import Any

import pytest

from apps.models import AppEnvironment, ReleaseImage
from apps.selectors.running_images import ways_back, where_runs
from apps.services import deploy, withdraw
from apps.specification import from_image
from images.models import Repository
from operations.models import Operation
from tests.conftest import Cast, Wakeups


@pytest.fixture
def digest(running: AppEnvironment) -> str:
    return ReleaseImage.objects.get(release=running.release).digest


def test_a_digest_runs_where_its_release_serves(cast: Cast, running: AppEnvironment, digest: str) -> None:
    (use,) = where_runs(cast.actor("developer"), [digest, "sha256:none"])[digest]
    assert (use.app.name, use.environment.name, use.service, use.release) == ("hello", "dev", "web", 1)
    assert not use.stopped
    assert not use.leaving
    assert where_runs(cast.actor("developer"), []) == {}


def test_only_who_sees_the_app_is_told(cast: Cast, running: AppEnvironment, digest: str) -> None:
    assert where_runs(cast.actor("outsider"), [digest]) == {}
    assert len(where_runs(None, [digest])[digest]) == 1


def test_the_same_digest_of_another_repository_is_another_image(
    cast: Cast, running: AppEnvironment, digest: str
) -> None:
    name = ReleaseImage.objects.get(release=running.release).pinned.partition("@")[0]
    here, other = Repository(name=name), Repository(name="registry.test/acme/shop/web", path="acme/shop/web")
    assert digest in where_runs(None, [digest], of=here)
    assert where_runs(None, [digest], of=other) == {}
    moved = Repository(name="new.test/hello", path=name.rpartition("/")[2])
    assert digest in where_runs(None, [digest], of=moved), "the registry had another address then"


def test_what_is_being_replaced_may_come_back(
    cast: Cast, running: AppEnvironment, digest: str, wakeups: Wakeups, django_capture_on_commit_callbacks: Any
) -> None:
    spec = from_image("berth/hello:2", name="web", instances=1, ports=[8080])
    with django_capture_on_commit_callbacks(execute=True):
        operation = deploy(cast.actor("developer"), running, spec=spec)
    assert operation.state in Operation.ACTIVE
    (use,) = where_runs(None, [digest])[digest]
    assert (use.leaving, use.release) == (True, 1)
    with django_capture_on_commit_callbacks(execute=True):
        wakeups.drain()
    assert where_runs(None, [digest]) == {}
    assert [(way.app.name, way.number) for way in ways_back(cast.actor("guest"), [digest])] == [("hello", 1)]
    assert ways_back(cast.actor("outsider"), [digest]) == []


def test_what_serves_is_no_way_back(cast: Cast, running: AppEnvironment, digest: str) -> None:
    assert ways_back(None, [digest]) == []
    running.refresh_from_db()
    withdraw(cast.actor("developer"), running)
    assert [way.number for way in ways_back(None, [digest])] == [1]


def test_it_takes_three_queries_however_much_there_is(
    cast: Cast, running: AppEnvironment, digest: str, django_assert_max_num_queries: Any
) -> None:
    actor = cast.actor("developer")
    with django_assert_max_num_queries(3):
        uses = where_runs(actor, [digest, *(f"sha256:{one}" for one in range(100))])[digest]
        assert [(use.app.name, use.environment.name, use.project.tenant.name) for use in uses]
    with django_assert_max_num_queries(1):
        assert where_runs(actor, [f"sha256:{one}" for one in range(100)]) == {}
    with django_assert_max_num_queries(1):
        ways_back(actor, [digest])
