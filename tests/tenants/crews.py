"""A group with somebody in it and a role."""

from tenants.groups.models import Group
from tenants.groups.services import add_to_group, create_group
from tenants.models import Grant, User
from tenants.services import give_grant
from tests.conftest import Cast


def crew(cast: Cast, *people: User, name: str = "crew", role: str = "project.developer") -> tuple[Group, Grant]:
    """Of acme; the role is on shop, or on all of acme where it is one of tenants."""
    owner = cast.actor("owner")
    group = create_group(owner, cast.acme, name=name, title=name.capitalize())
    for user in people:
        add_to_group(owner, group, user=user)
    place = cast.acme if role.startswith("tenant.") else cast.shop
    return group, give_grant(owner, place, group=group, role=role, reason="crew")
