"""Asking for what others decide: who may ask, who may decide, what it becomes, and who is told."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.models import AuditEntry
from core.access import may
from core.errors import Conflict, Denied, Invalid, NotFound
from tenants.models import Grant, Notice, Request
from tenants.requests import selectors, services
from tenants.tasks import look_after
from tests.conftest import Cast

CONSOLE = {"role": "project.console", "hours": 2}


def asked(cast: Cast, **payload: object) -> Request:
    return services.ask(cast.actor("developer"), cast.shop, kind="access", payload=CONSOLE | payload, reason="INC-7")


def test_an_approved_request_becomes_a_role_that_ends(cast: Cast) -> None:
    request = asked(cast)
    assert not may(cast.actor("developer"), "console.protected", cast.shop)
    services.approve(cast.actor("owner"), request, reason="go")
    grant = Grant.objects.get(request=request)
    assert grant.granted_by == "owner"
    assert grant.reason == "INC-7"
    assert grant.ends_at is not None
    assert abs(grant.ends_at - timezone.now() - timedelta(hours=2)) < timedelta(minutes=1)
    assert may(cast.actor("developer"), "console.protected", cast.shop)
    entry = AuditEntry.objects.get(action="request.approve")
    assert entry.detail["request"] == str(request.pk)
    assert entry.tenant_id == cast.acme.pk


def test_nobody_decides_what_they_asked_for(cast: Cast) -> None:
    Grant.objects.create(user=cast.developer, role="project.admin", tenant=cast.acme, project=cast.shop)
    request = asked(cast)
    assert request not in selectors.decidable(cast.actor("developer"))
    with pytest.raises(Denied):
        services.approve(cast.actor("developer"), request)
    with pytest.raises(IntegrityError), transaction.atomic():
        Request.objects.filter(pk=request.pk).update(decided_by=cast.developer)


def test_only_who_holds_the_permission_decides(cast: Cast) -> None:
    request = asked(cast)
    for name in ("developer", "releaser", "guest", "auditor", "outsider", "operator"):
        with pytest.raises(Denied):
            services.approve(cast.actor(name), request)
        assert not selectors.decidable(cast.actor(name)).exists()
    assert list(selectors.decidable(cast.actor("owner"))) == [request]
    assert AuditEntry.objects.filter(action="request.approve", result="denied").count() == 6


def test_nobody_approves_a_role_with_more_than_they_hold(cast: Cast) -> None:
    Grant.objects.create(user=cast.guest, role="tenant.admin", tenant=cast.acme)
    request = asked(cast)
    with pytest.raises(Denied, match="denied"):
        services.approve(cast.actor("guest"), request)
    request.refresh_from_db()
    assert request.state == "open"
    assert not Grant.objects.filter(request=request).exists()


def test_the_same_is_open_once_and_decided_once(cast: Cast) -> None:
    request = asked(cast)
    with pytest.raises(Conflict) as again:
        asked(cast)
    assert again.value.code == "asked_already"
    services.reject(cast.actor("owner"), request, reason="not now")
    with pytest.raises(Conflict) as late:
        services.approve(cast.actor("owner"), request)
    assert late.value.code == "not_open"
    assert asked(cast).state == "open"  # asked anew after the answer


def test_what_is_too_old_is_not_decided_but_may_be_asked_again(cast: Cast) -> None:
    request = asked(cast)
    Request.objects.filter(pk=request.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not selectors.decidable(cast.actor("owner")).exists()
    with pytest.raises(Conflict):
        services.approve(cast.actor("owner"), request)
    assert asked(cast).pk != request.pk
    request.refresh_from_db()
    assert request.state == "expired"


def test_what_nobody_answered_is_noted_as_expired(cast: Cast) -> None:
    request = asked(cast)
    look_after()
    request.refresh_from_db()
    assert request.state == "open"
    Request.objects.filter(pk=request.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    look_after()
    request.refresh_from_db()
    assert request.state == "expired"


def test_one_takes_back_only_what_one_asked_for(cast: Cast) -> None:
    request = asked(cast)
    with pytest.raises(Denied):
        services.withdraw(cast.actor("owner"), request)
    services.withdraw(cast.actor("developer"), request)
    assert not selectors.decidable(cast.actor("owner")).exists()


def test_both_sides_are_told(cast: Cast) -> None:
    request = asked(cast)
    assert set(Notice.objects.values_list("user__username", "kind")) == {("owner", "request.asked")}
    services.reject(cast.actor("owner"), request, reason="no incident")
    assert Notice.objects.filter(user=cast.developer, kind="request.rejected").exists()


def test_what_needs_somebody_is_counted(cast: Cast) -> None:
    request = asked(cast)
    soon = timezone.now() + timedelta(days=3)
    Grant.objects.filter(user=cast.owner).update(ends_at=soon)
    needs = selectors.needs(cast.actor("owner"))
    assert needs.requests == [request]
    assert [grant.role for grant in needs.ending] == ["tenant.owner"]
    assert needs.count == selectors.needs_count(cast.actor("owner")) == 2
    assert selectors.needs_count(cast.actor("guest")) == 0


def test_a_stranger_sees_no_request(cast: Cast) -> None:
    request = asked(cast)
    for name in ("outsider", "guest", "operator"):
        with pytest.raises(NotFound):
            selectors.one(cast.actor(name), request.pk)
    for name in ("developer", "owner", "auditor"):
        assert selectors.one(cast.actor(name), request.pk) == request


@pytest.mark.parametrize(
    "payload",
    [
        {"role": "tenant.owner"},
        {"role": "platform.operator"},
        {"role": ["x"]},
        {"hours": 0},
        {"hours": 10**9},
        {"hours": True},
    ],
)
def test_nonsense_is_refused(cast: Cast, payload: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        asked(cast, **payload)
    assert not Request.objects.exists()
