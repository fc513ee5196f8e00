"""A name that is made again: whoever had something by the earlier one has nothing by the new one."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from core.errors import Conflict
from tenants.custom.services import create_role, remove_role
from tenants.groups.services import add_to_group, create_group, remove_group
from tenants.rights import rights_of
from tenants.robots.services import create_robot, create_robot_token, remove_robot
from tenants.services import give_grant
from tests.conftest import Cast

SHOP = "/api/v1/tenants/acme/projects/shop"


def codes(cast: Cast, who: str) -> set[str]:
    """What somebody may in shop and its tenant."""
    rights = rights_of(getattr(cast, who))
    return set(rights.projects.get(cast.shop.pk, ())) | set(rights.tenants.get(cast.acme.pk, ()))


def test_a_robot(cast: Cast) -> None:
    owner, client = cast.actor("owner"), APIClient()
    first = create_robot(owner, cast.shop, name="ci", role="project.guest")
    text = create_robot_token(owner, first, name="pipeline")[1].reveal()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    assert client.get(SHOP).status_code == 200
    remove_robot(owner, first)
    again = create_robot(owner, cast.shop, name="ci", role="project.developer")
    assert (again.user_id == first.user_id, client.get(SHOP).status_code) == (False, 401)


def test_a_group(cast: Cast) -> None:
    owner, before = cast.actor("owner"), codes(cast, "guest")
    first = create_group(owner, cast.acme, name="crew")
    add_to_group(owner, first, user=cast.guest)
    give_grant(owner, cast.shop, group=first, role="project.developer")
    assert "app.deploy" in codes(cast, "guest")
    remove_group(owner, first)
    again = create_group(owner, cast.acme, name="crew")
    give_grant(owner, cast.shop, group=again, role="project.developer")
    assert codes(cast, "guest") == before


def test_a_role_of_ones_own(cast: Cast) -> None:
    """It is not even removed while somebody holds it, unless it is said that it ends for them."""
    owner, before = cast.actor("owner"), codes(cast, "guest")
    first = create_role(owner, cast.acme, name="watch", level="project", permissions=["log.view"])
    give_grant(owner, cast.shop, user=cast.guest, role="own.watch")
    with pytest.raises(Conflict):
        remove_role(owner, first)
    remove_role(owner, first, end_grants=True)
    create_role(owner, cast.acme, name="watch", level="project", permissions=["app.deploy", "log.view"])
    assert codes(cast, "guest") == before


def test_a_project_keeps_its_name_until_it_is_gone(cast: Cast, api: Callable[[str], APIClient]) -> None:
    """For thirty days nobody takes it; what then has the name is another (tests/tenants/test_robots.py)."""
    client = api("owner")
    assert client.delete(SHOP, {"typed_name": "acme/shop"}, format="json").status_code in {200, 202, 204}
    taken = client.post("/api/v1/tenants/acme/projects", {"name": "shop"}, format="json")
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
