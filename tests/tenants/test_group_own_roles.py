"""A role that a tenant made for itself, given to a group: what each knows of the other."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from core.access import may
from core.errors import Conflict
from tenants.custom.models import CustomRole
from tenants.custom.services import create_role, remove_role, update_role
from tenants.groups.models import Group
from tenants.members.services import extend_grant
from tenants.models import Grant, Notice, ReviewLine
from tenants.reviews import services as reviews
from tests.conftest import Cast
from tests.tenants.crews import crew

Browse = Callable[[str], Client]


@pytest.fixture
def watch(cast: Cast) -> CustomRole:
    codes = ["app.view", "log.view", "project.view"]
    return create_role(cast.actor("owner"), cast.acme, name="watch", level="project", permissions=codes)


@pytest.fixture
def given(cast: Cast, watch: CustomRole) -> tuple[Group, Grant]:
    """The group with `guest` in it, and its role on shop, which ends tomorrow."""
    group, grant = crew(cast, cast.guest, role="own.watch")
    Grant.objects.filter(pk=grant.pk).update(ends_at=timezone.now() + timedelta(days=1))
    grant.refresh_from_db()
    return group, grant


def test_it_gives_what_it_is_made_of_for_as_long(cast: Cast, watch: CustomRole, given: tuple[Group, Grant]) -> None:
    assert may(cast.actor("guest"), "log.view", cast.shop)
    update_role(cast.actor("owner"), watch, permissions=["app.view", "project.view"])
    assert not may(cast.actor("guest"), "log.view", cast.shop)
    with pytest.raises(Conflict) as refused:
        remove_role(cast.actor("owner"), watch)
    assert refused.value.extra["held_by"] == ["crew"]
    assert remove_role(cast.actor("owner"), watch, end_grants=True) == 1
    assert Grant.objects.get(group=given[0]).ended_at is not None


def test_more_time_is_for_everybody_in_it(cast: Cast, browse: Browse, given: tuple[Group, Grant]) -> None:
    group, grant = given
    page = browse("owner").get(f"/t/acme/members/grants/{grant.pk}/extend/")
    assert (page.status_code, "crew" in page.content.decode()) == (200, True)
    later = timezone.now() + timedelta(days=3)
    assert (
        extend_grant(cast.actor("owner"), cast.shop, grant=grant, ends_at=later, reason="more nights").ends_at == later
    )
    assert Notice.objects.filter(user=cast.guest, kind="grant.extended").count() == 1


def test_pages_of_the_role_and_of_the_group_name_each_other(browse: Browse, given: tuple[Group, Grant]) -> None:
    client = browse("owner")
    assert f"/members/groups/{given[0].pk}/" in client.get("/t/acme/members/roles/watch/").content.decode()
    assert "watch" in client.get(f"/t/acme/members/groups/{given[0].pk}/").content.decode()


def test_a_review_asks_for_it_and_not_those_who_are_in_it(cast: Cast, given: tuple[Group, Grant]) -> None:
    ends = timezone.now() + timedelta(days=10)
    review = reviews.start(cast.actor("auditor"), cast.acme, name="nights", ends_at=ends, roles=["own.watch"])
    line = ReviewLine.objects.get(review=review)
    assert (line.person, line.user_id, line.role) == ("crew", None, "own.watch")
    assert reviews.answer(cast.actor("owner"), line, keep=False, reason="no nights").state == ReviewLine.State.ENDED
    assert not may(cast.actor("guest"), "log.view", cast.shop)
