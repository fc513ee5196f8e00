"""Fifty at once at the limit: as many are accepted as fit, all others are refused, and the numbers are true."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
from django.db import connection, connections, transaction

from apps import services
from apps.models import AppEnvironment
from apps.specification import from_image
from core.errors import Conflict
from core.rows import new_id
from tenants.models import Project
from tenants.quota.claiming import Where, settle, widen
from tenants.quota.models import Quota, QuotaClaim
from tenants.quota.sweeping import recount
from tests.conftest import Cast

AT_ONCE = 50
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _a_database_for_many(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """SQLite in memory is one connection's: what was migrated there goes into a file, as in a real installation."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    kept, settings = connection.connection, connection.settings_dict
    name, settings["NAME"] = settings["NAME"], str(tmp_path / "many.sqlite3")
    with closing(sqlite3.connect(settings["NAME"])) as file:
        kept.backup(file)
    connection.connection = None
    yield
    connection.close()
    settings["NAME"], connection.connection = name, kept


def all_at_once(act: Callable[[int], object], count: int = AT_ONCE) -> list[str]:
    """What came of `act(number)` in so many threads that start together: "ok" or the code of the refusal."""
    start = Barrier(count)

    def run(number: int) -> str:
        try:
            start.wait(60)
            act(number)
        except Conflict as refused:
            return refused.code
        else:
            return "ok"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_deployments(cast: Cast) -> None:
    """One instance left, fifty apps of one instance each; and one instance more than fits in the tenant."""
    Quota.objects.create(tenant=cast.acme, project=cast.shop, resource="instances", limit=7)
    actor, place = cast.actor("developer"), cast.environment("dev")
    spec = from_image("berth/hello:1", memory="16Mi", cpu="0.01")

    said = all_at_once(
        lambda number: services.create_app(
            actor, Project.objects.get(pk=cast.shop.pk), name=f"a{number}", environment=place, spec=spec
        )
    )

    assert sorted(set(said)) == ["ok", "quota_exceeded"]
    assert said.count("ok") == 7
    assert Quota.objects.get(project=cast.shop, resource="instances").used == 7
    assert Quota.objects.get(tenant=cast.acme, project=None, resource="instances").used == 7
    assert AppEnvironment.objects.filter(project=cast.shop, release__isnull=False).count() == 7
    assert recount(cast.acme) == []


def test_taking_and_giving_back(cast: Cast) -> None:
    """Two resources, both levels, every second one gives back at once: no deadlock, no lost count, never too much."""
    for project in (cast.shop, None):
        Quota.objects.create(tenant=cast.acme, project=project, resource="cpu", limit=1000)
    where = Where(cast.acme.pk, cast.shop.pk)

    def take(number: int) -> None:
        holder = new_id()
        with transaction.atomic():
            widen(holder, where, {"memory": 10, "cpu": 100} if number % 3 else {"cpu": 100, "memory": 10})
        if number % 2:
            with transaction.atomic():
                settle(holder, where, {})

    said = all_at_once(take)

    assert "quota_exceeded" in said
    kept = sum(1 for number, one in enumerate(said) if one == "ok" and not number % 2)
    assert kept <= 10
    for project in (cast.shop, None):
        assert Quota.objects.get(tenant=cast.acme, project=project, resource="cpu").used == 100 * kept
    assert QuotaClaim.objects.filter(tenant=cast.acme, resource="cpu").count() == kept
