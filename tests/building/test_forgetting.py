"""What builders keep of a project that is gone for good: taken away there, and nothing that is another's."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from apps.lifecycle.purging import purge_deleted
from backends import registry
from backends.failing import away
from backends.fake import FakeDriver
from backends.models import Cluster
from core.clock import from_now
from images import tasks
from tenants.models import Project
from tests.conftest import Cast


@dataclass
class Keeper:
    """A builder as far as it is asked here; `used`: what it cannot let go of yet."""

    names: dict[str, str]
    used: set[str] = field(default_factory=set)
    tidied: list[str] = field(default_factory=list)
    away: bool = False

    async def named(self) -> Mapping[str, str]:
        if self.away:
            raise away("nobody listens")
        return dict(self.names)

    async def forget(self, name: str) -> bool:
        return name not in self.used and bool(self.names.pop(name))

    async def tidy(self, owner: str) -> int:
        self.tidied.append(owner)
        return 0


@pytest.fixture
def keeper(cast: Cast, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    """On a cluster that builds: images of shop, of a project of the other tenant, and of nobody known here."""
    able = replace(driver.capabilities(), builds_images=True)
    registry.register(Cluster.Kind.FAKE, lambda _cluster: driver, able)
    mine, theirs, unknown = cast.shop.pk.hex, cast.store.pk.hex, uuid.uuid4().hex
    made = Keeper(
        {
            f"berth.build/{mine}/web:kept": mine,
            f"berth.build/{mine}/api/v1:kept": mine,
            f"berth.build/{theirs}/web:kept": theirs,
            f"berth.build/{unknown}/web:kept": unknown,
            f"berth.build/{theirs}/odd:kept": mine,
            "registry.test/acme/shop/web:1": mine,
            "somebody/own:1": "no id at all",
        }
    )
    monkeypatch.setattr(driver, "builder", lambda: made)
    return made


def delete(project: Project, *, days: int) -> None:
    Project.objects.filter(pk=project.pk).update(deleted_at=from_now(-timedelta(days=days)), state="deleted")


def test_they_stay_as_long_as_the_project_can_be_restored(cast: Cast, keeper: Keeper) -> None:
    before = dict(keeper.names)
    tasks.forget_builds()
    delete(cast.shop, days=29)
    assert purge_deleted() == 0
    tasks.forget_builds()
    assert (keeper.names, keeper.tidied) == (before, [])


def test_they_go_with_it_and_nothing_else_does(cast: Cast, keeper: Keeper) -> None:
    mine = cast.shop.pk.hex
    kept = {name: owner for name, owner in keeper.names.items() if not name.startswith(f"berth.build/{mine}/")}
    delete(cast.shop, days=31)
    assert purge_deleted() == 1
    keeper.away = True
    tasks.forget_builds()
    assert len(keeper.names) == len(kept) + 2, "who is away is asked again"
    keeper.away = False
    keeper.used = {f"berth.build/{mine}/web:kept"}
    tasks.forget_builds()
    assert keeper.names == kept | {f"berth.build/{mine}/web:kept": mine}
    keeper.used.clear()
    tasks.forget_builds()
    assert keeper.names == kept
    assert keeper.tidied == [mine, mine]


def test_a_cluster_that_builds_nothing_is_not_asked(
    cast: Cast, keeper: Keeper, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register(Cluster.Kind.FAKE, lambda _cluster: driver, driver.capabilities())
    monkeypatch.setattr(driver, "builder", lambda: pytest.fail("it was asked"))
    tasks.forget_builds()
