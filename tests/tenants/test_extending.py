"""More time for a role that ends."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEntry
from core.errors import Conflict, Denied, Invalid, NotFound
from tenants.breakglass.services import break_glass
from tenants.members.services import extend_grant
from tenants.models import Grant, Notice
from tenants.requests import services as requests
from tenants.services import end_grant, give_grant
from tenants.tasks import look_after, tell_of_ends
from tests.conftest import Cast

Api = Callable[[str], APIClient]
Browse = Callable[[str], Client]


def timed(cast: Cast, *, minutes: float = 60) -> Grant:
    ends = timezone.now() + timedelta(minutes=minutes)
    return give_grant(
        cast.actor("owner"), cast.shop, user=cast.guest, role="project.developer", ends_at=ends, reason="INC-1"
    )


def extend(cast: Cast, grant: Grant, *, who: str = "owner", hours: float = 2, reason: str = "not done") -> Grant:
    assert grant.ends_at is not None
    ends = grant.ends_at + timedelta(hours=hours)
    return extend_grant(cast.actor(who), cast.shop, grant=grant, ends_at=ends, reason=reason)


def test_it_ends_later_and_all_is_on_record(cast: Cast) -> None:
    asked = requests.ask(
        cast.actor("guest"), cast.shop, kind="access", payload={"role": "project.console", "hours": 2}, reason="INC-1"
    )
    requests.approve(cast.actor("owner"), asked)
    grant = Grant.objects.get(request=asked)
    assert grant.ends_at is not None
    extended = extend(cast, grant)
    assert extended.ends_at == grant.ends_at + timedelta(hours=2)
    assert (extended.reason, extended.request_id) == ("not done", asked.pk)
    entry = AuditEntry.objects.get(action="grant.extend", result="accepted")
    assert entry.before == {"ends_at": str(grant.ends_at), "reason": "INC-1"}
    assert entry.after == {"ends_at": str(extended.ends_at), "reason": "not done"}
    assert (entry.detail["grant"], entry.detail["person"]) == (str(grant.pk), "guest")
    assert cast.guest.notices.filter(kind="grant.extended").count() == 1


def test_as_if_it_were_given_now(cast: Cast) -> None:
    grant = timed(cast)
    Grant.objects.create(user=cast.auditor, role="tenant.admin", tenant=cast.acme)
    for who in ("auditor", "developer", "outsider"):
        with pytest.raises(Denied):
            extend(cast, grant, who=who)
    for wrong, field in (({"hours": 0}, "ends_at"), ({"hours": -0.5}, "ends_at"), ({"reason": " "}, "reason")):
        with pytest.raises(Invalid) as refused:
            extend(cast, grant, **wrong)  # type: ignore[arg-type]  # one of its own arguments each
        assert [problem.field for problem in refused.value.errors] == [field]


def test_what_cannot_be_extended(cast: Cast) -> None:
    grant = timed(cast)
    end_grant(cast.actor("owner"), cast.shop, grant=grant)
    with pytest.raises(NotFound):
        extend(cast, grant)
    endless = Grant.objects.get(user=cast.developer, ended_at=None)
    with pytest.raises(Conflict) as refused:
        extend_grant(cast.actor("owner"), cast.shop, grant=endless, ends_at=timezone.now(), reason="x")
    assert refused.value.code == "no_end"
    taken = break_glass(cast.actor("owner"), cast.shop, role="project.console", hours=1, reason="fire")
    with pytest.raises(Conflict) as refused:
        extend(cast, taken)
    assert refused.value.code == "taken_at_once"


def test_a_role_that_ran_out_is_given_again(cast: Cast) -> None:
    first = timed(cast)
    Grant.objects.filter(pk=first.pk).update(
        starts_at=timezone.now() - timedelta(hours=2), ends_at=timezone.now() - timedelta(hours=1)
    )
    second = timed(cast)
    first.refresh_from_db()
    assert first.ended_at == first.ends_at
    assert second.pk != first.pk


def test_the_person_is_told_minutes_before_and_again_after_more_time(cast: Cast) -> None:
    grant = timed(cast, minutes=5)
    for _time in range(2):
        tell_of_ends()
        look_after()
    told = Notice.objects.filter(user=cast.guest, kind__startswith="grant.ends")
    assert sorted(told.values_list("kind", flat=True)) == ["grant.ends", "grant.ends_at_hand"]
    extend(cast, grant, hours=3)
    tell_of_ends()
    look_after()
    assert told.filter(kind="grant.ends_at_hand").count() == 1
    assert told.filter(kind="grant.ends").count() == 2


def test_in_the_page_and_over_http(cast: Cast, browse: Browse, api: Api) -> None:
    grant = timed(cast)
    assert grant.ends_at is not None
    client, address = browse("owner"), f"/t/acme/members/grants/{grant.pk}/extend/"
    assert address in client.get(f"/t/acme/p/shop/members/{cast.guest.pk}/").content.decode()
    assert "INC-1" in client.get(address).content.decode()
    assert client.post(address, {"hours": "1", "reason": ""}).status_code == 422
    assert client.post(address, {"hours": "at", "ends_at": "2001-01-01T00:00", "reason": "x"}).status_code == 422
    assert client.post(address, {"hours": "4", "reason": "not done"}).status_code == 302
    grant.refresh_from_db()
    sent = {"ends_at": (grant.ends_at + timedelta(hours=1)).isoformat(), "reason": "still not"}
    one = f"/api/v1/tenants/acme/grants/{grant.pk}"
    assert api("developer").patch(one, sent, format="json").status_code == 404
    answer = api("owner").patch(one, sent, format="json")
    assert (answer.status_code, answer.json()["reason"]) == (200, "still not")
    assert api("owner").patch(one, sent, format="json").status_code == 422
    for name, status in (("developer", 404), ("outsider", 404), ("auditor", 403)):
        assert browse(name).get(address).status_code == status
