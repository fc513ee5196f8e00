"""A member of few projects among many: rights by one query, lists by as many as among few, and nobody else's rows."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.models import App, AppEnvironment, Environment
from core.access import visible
from tenants.models import Grant, Project
from tenants.rights import rights_of
from tests.api.test_lists import MOST_QUERIES, queries_of
from tests.conftest import Cast, actor_of

HELD = 3
APPS = 20
LIST = "/api/v1/tenants/acme/projects/many-0/apps?limit=50"


def make(cast: Cast, first: int, end: int) -> None:
    """Projects many-0, many-1 ... of acme with apps in each; the guest is a developer of the first three."""
    projects = Project.objects.bulk_create(Project(tenant=cast.acme, name=f"many-{one}") for one in range(first, end))
    whose = [{"tenant": cast.acme, "project": project} for project in projects]
    environments = Environment.objects.bulk_create(
        Environment(
            **one,
            cluster=cast.cluster,
            name="dev",
            stage="dev",
            position=1,
            engine_name=f"e{one['project'].pk.hex[-20:]}",
        )
        for one in whose
    )
    apps = App.objects.bulk_create(
        App(name=f"app-{number}", **one) for one in whose for number in range(APPS if first == 0 else 1)
    )
    homes = {row.project_id: row for row in environments}
    AppEnvironment.objects.bulk_create(place(app, homes[app.project_id]) for app in apps)
    role = {"role": "project.developer", "tenant": cast.acme}
    Grant.objects.bulk_create(Grant(user=cast.guest, project=one, **role) for one in projects if first == 0)


def place(app: App, environment: Environment) -> AppEnvironment:
    whose = {"tenant_id": app.tenant_id, "project_id": app.project_id}
    return AppEnvironment(**whose, app=app, environment=environment, engine_name=f"a{app.pk.hex[-20:]}")


@pytest.fixture
def few(cast: Cast) -> None:
    make(cast, 0, HELD)
    make(cast, HELD, 10)


@pytest.mark.usefixtures("few")
def test_rights_are_one_query_however_many_grants(cast: Cast, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        before = rights_of(cast.guest)
    projects = Project.objects.filter(tenant=cast.acme, name__startswith="many-")
    role = {"role": "project.tester", "tenant": cast.acme}
    Grant.objects.bulk_create(Grant(user=cast.guest, project=one, **role) for one in projects)
    with django_assert_num_queries(1):
        after = rights_of(cast.guest)
    assert (len(before.projects), len(after.projects)) == (1 + HELD, 1 + 10)


@pytest.mark.usefixtures("few")
def test_a_list_asks_as_often_among_a_thousand_projects(cast: Cast, api: Callable[[str], APIClient]) -> None:
    client = api("guest")
    client.get(LIST)  # the first use of a token is noted
    among_ten = queries_of(client, LIST)
    make(cast, 10, 1000)
    assert queries_of(client, LIST) == among_ten <= MOST_QUERIES
    assert len(client.get(LIST).json()["results"]) == APPS
    assert client.get(LIST.replace("many-0", "many-500")).status_code == 404


@pytest.mark.usefixtures("few")
def test_all_that_a_member_sees_are_the_apps_of_their_projects(cast: Cast, django_assert_num_queries: Any) -> None:
    actor = actor_of(cast.guest)
    with django_assert_num_queries(1):
        seen = list(visible(actor, App.objects.select_related("project")))
    assert {app.project.name for app in seen} == {f"many-{number}" for number in range(HELD)}
