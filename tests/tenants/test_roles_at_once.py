"""A tenant's own roles changed, given and removed at the very same moment."""

import pytest
from django.db import connection

from core.access import may
from tenants.custom.models import CustomRole, CustomRoleState
from tenants.custom.services import MOST, create_role, remove_role, update_role
from tenants.models import Grant
from tenants.services import give_grant
from tests.conftest import Cast, actor_of, person
from tests.tenants.test_at_once import IN_MEMORY, at_once

pytestmark = [
    pytest.mark.skipif(connection.vendor == "sqlite", reason=IN_MEMORY),
    pytest.mark.django_db(transaction=True),
]


def watch(cast: Cast) -> CustomRole:
    rights = ["app.view", "log.view", "project.view"]
    made = create_role(cast.actor("owner"), cast.acme, name="watch", level="project", permissions=rights)
    made.refresh_from_db()
    return made


def test_of_two_who_change_it_one_is_told(cast: Cast) -> None:
    second = person("second")
    Grant.objects.create(user=second, role="tenant.owner", tenant=cast.acme)
    role, one, two = watch(cast), cast.actor("owner"), actor_of(second)
    said = at_once(
        lambda: update_role(one, role, title="by day", version=1),
        lambda: update_role(two, role, permissions=["app.view"], version=1),
    )
    assert said == ["changed_meanwhile", "done"]
    role.refresh_from_db()
    assert role.version == 2
    assert CustomRoleState.objects.filter(role=role).count() == 2


def test_given_while_it_is_removed(cast: Cast) -> None:
    """Either nobody holds it when it is gone, or it stays."""
    role, owner = watch(cast), cast.actor("owner")
    said = at_once(
        lambda: remove_role(owner, role),
        lambda: give_grant(owner, cast.shop, user=cast.guest, role="own.watch"),
    )
    assert said in (["done", "invalid"], ["done", "still_held"])
    role.refresh_from_db()
    held = Grant.objects.filter(custom=role, ended_at=None).exists()
    assert held == (role.removed_at is None)
    assert may(cast.actor("guest"), "log.view", cast.shop) == held


def test_one_name_and_one_last_place(cast: Cast) -> None:
    owner = cast.actor("owner")
    CustomRole.objects.bulk_create(
        CustomRole(tenant=cast.acme, name=f"r{number}", level="project", permissions=["app.view"])
        for number in range(MOST - 1)
    )

    def make(name: str) -> object:
        return lambda: create_role(owner, cast.acme, name=name, level="project", permissions=["app.view"])

    assert at_once(make("x"), make("y")) == ["done", "too_many_roles"]
    assert CustomRole.objects.filter(tenant=cast.acme, removed_at=None).count() == MOST
