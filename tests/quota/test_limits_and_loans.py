"""Who sets limits, what they are given out of, and loans that go back by themselves."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps import services as app_services
from apps.models import AppEnvironment
from audit.models import AuditEntry
from core.errors import Changed, Conflict, Denied, Invalid
from tenants.models import Grant, Notice, Project
from tenants.quota import selectors, services, sweeping
from tenants.quota.models import Quota, QuotaLoan
from tenants.quota.resources import from_sent, left_text
from tenants.requests import services as requests
from tenants.requests.models import Request
from tenants.services import create_project
from tests.conftest import Cast, actor_of

GIB = 1 << 30


@pytest.fixture
def billing(cast: Cast) -> Project:
    return create_project(cast.actor("owner"), cast.acme, name="billing")


@pytest.fixture
def lent(cast: Cast, billing: Project) -> QuotaLoan:
    """Shop has 4 instances and got 3 of the 8 of billing."""
    for project, amount in ((cast.shop, 4), (billing, 8)):
        services.limit_project(cast.actor("owner"), project, limits={"instances": amount})
    return services.lend(
        cast.actor("owner"), billing, borrower=cast.shop, resource="instances", amount=3,
        until=timezone.now() + timedelta(days=7), reason="black week",
    )  # fmt: skip


def row(project: Project, resource: str = "instances") -> Quota:
    return Quota.objects.get(project=project, resource=resource)


def test_owners_set_what_projects_get_and_operators_what_tenants_get(cast: Cast) -> None:
    services.limit_tenant(cast.actor("operator"), cast.acme, limits={"cpu": 8000})
    services.limit_project(cast.actor("owner"), cast.shop, limits={"cpu": 4000, "memory": None})
    entry = AuditEntry.objects.get(action="quota.limit")
    assert (entry.before, entry.after) == ({"cpu": None}, {"cpu": 4000})
    for name in ("developer", "releaser", "guest", "auditor", "outsider", "operator"):
        with pytest.raises(Denied):
            services.limit_project(cast.actor(name), cast.shop, limits={"cpu": 1})
    for name in ("owner", "developer", "outsider"):
        with pytest.raises(Denied):
            services.limit_tenant(cast.actor(name), cast.acme, limits={"cpu": 1})
    assert row(cast.shop, "cpu").limit == 4000


def test_projects_are_given_no_more_than_the_tenant_has(cast: Cast, billing: Project) -> None:
    owner = cast.actor("owner")
    services.limit_tenant(cast.actor("operator"), cast.acme, limits={"memory": 16 * GIB})
    services.limit_project(owner, billing, limits={"memory": 12 * GIB})
    with pytest.raises(Conflict) as refused:
        services.limit_project(owner, cast.shop, limits={"memory": 8 * GIB})
    assert str(refused.value.message) == "Memory: acme has 4 GB to give to this project."
    services.limit_project(owner, cast.shop, limits={"memory": 4 * GIB})
    services.limit_tenant(cast.actor("operator"), cast.acme, limits={"memory": 8 * GIB})
    services.limit_project(owner, billing, limits={"memory": 10 * GIB})  # lowering always may be


@pytest.mark.parametrize(
    "limits", [{"cpu": -1}, {"cpu": 10**16}, {"petrol": 1}, {"projects": 3}], ids=["negative", "huge", "what", "where"]
)
def test_impossible_limits_are_refused(cast: Cast, limits: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        services.limit_project(cast.actor("owner"), cast.shop, limits=limits)
    assert not Quota.objects.filter(project=cast.shop, limit__isnull=False).exists()


def test_of_two_who_set_limits_at_once_one_is_told(cast: Cast) -> None:
    owner = cast.actor("owner")
    read = selectors.of_project(cast.shop).version
    services.limit_project(owner, cast.shop, limits={"cpu": 2000}, version=read)
    with pytest.raises(Changed):
        services.limit_project(owner, cast.shop, limits={"cpu": 3000}, version=read)
    assert row(cast.shop, "cpu").limit == 2000


def test_a_loan_moves_room_from_one_to_the_other(cast: Cast, billing: Project, lent: QuotaLoan) -> None:
    assert (row(cast.shop).whole, row(billing).whole) == (7, 5)
    with pytest.raises(Conflict) as refused:
        services.lend(
            cast.actor("owner"), billing, borrower=cast.shop, resource="instances", amount=6, until=lent.until
        )
    assert str(refused.value.message) == "Instances: billing has only 5 to lend."
    with pytest.raises(Conflict):  # what was borrowed is not lent on
        services.lend(
            cast.actor("owner"), cast.shop, borrower=billing, resource="instances", amount=5, until=lent.until
        )
    with pytest.raises(Invalid):  # nor is a limit lowered below what is lent
        services.limit_project(cast.actor("owner"), billing, limits={"instances": 2})
    assert Notice.objects.filter(kind="quota.lent", user=cast.owner).count() == 1


def test_it_goes_back_by_itself_and_is_told(cast: Cast, billing: Project, lent: QuotaLoan) -> None:
    sweeping.look_after_loans()
    assert row(cast.shop).borrowed == 3
    QuotaLoan.objects.filter(pk=lent.pk).update(until=timezone.now() + timedelta(days=1))
    sweeping.look_after_loans()
    sweeping.look_after_loans()
    assert Notice.objects.filter(kind="quota.due", user=cast.owner).count() == 1
    QuotaLoan.objects.filter(pk=lent.pk).update(until=timezone.now() - timedelta(seconds=1))
    sweeping.look_after_loans()
    sweeping.look_after_loans()
    lent.refresh_from_db()
    assert lent.returned_at is not None
    assert (row(cast.shop).borrowed, row(billing).lent) == (0, 0)
    assert AuditEntry.objects.filter(action="quota.ended", tenant_id=cast.acme.pk).count() == 1
    assert Notice.objects.filter(kind="quota.returned", user=cast.owner).count() == 1


def test_what_still_uses_a_loan_is_not_stopped_but_takes_no_more(
    cast: Cast, running: AppEnvironment, billing: Project
) -> None:
    """Three instances run, the own limit is one."""
    owner = cast.actor("owner")
    services.limit_project(owner, billing, limits={"instances": 8})
    services.limit_project(owner, cast.shop, limits={"instances": 1})
    loan = services.lend(
        owner, billing, borrower=cast.shop, resource="instances", amount=2, until=timezone.now() + timedelta(days=1)
    )
    QuotaLoan.objects.filter(pk=loan.pk).update(until=timezone.now() - timedelta(seconds=1))
    sweeping.look_after_loans()
    assert row(cast.shop).over
    running.refresh_from_db()
    assert not running.stopped
    assert Notice.objects.filter(kind="quota.over", user=cast.owner).count() == 1
    with pytest.raises(Conflict):
        app_services.scale(cast.actor("developer"), running, service="web", instances=4)
    app_services.scale(cast.actor("developer"), running, service="web", instances=1)


def test_a_loan_is_taken_back_early_and_once(cast: Cast, lent: QuotaLoan) -> None:
    with pytest.raises(Denied):
        services.return_loan(cast.actor("developer"), lent)
    services.return_loan(cast.actor("owner"), lent)
    with pytest.raises(Conflict):
        services.return_loan(cast.actor("owner"), lent)
    assert row(cast.shop).borrowed == 0


@pytest.mark.parametrize(
    "wrong",
    [{"amount": 0}, {"amount": -3}, {"resource": "projects"}, {"days": -1}, {"days": 400}],
    ids=["nothing", "negative", "projects", "past", "too long"],
)
def test_impossible_loans_are_refused(cast: Cast, lent: QuotaLoan, wrong: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"amount": 1, "resource": "instances", "days": 3} | wrong
    until = timezone.now() + timedelta(days=asked.pop("days"))
    with pytest.raises(Invalid):
        services.lend(cast.actor("owner"), lent.lender, borrower=cast.shop, until=until, **asked)


def test_nothing_is_lent_to_another_tenant(cast: Cast, lent: QuotaLoan) -> None:
    with pytest.raises(Invalid):
        services.lend(
            cast.actor("owner"), cast.shop, borrower=cast.store, resource="instances", amount=1, until=lent.until
        )


def test_more_is_asked_for_and_given(cast: Cast) -> None:
    services.limit_project(cast.actor("owner"), cast.shop, limits={"memory": GIB})
    payload = {"resource": "memory", "limit": "4Gi"}
    made = requests.ask(cast.actor("developer"), cast.shop, kind="quota", payload=payload, reason="black week")
    with pytest.raises(Denied):
        requests.approve(cast.actor("developer"), made)
    requests.approve(cast.actor("owner"), made)
    assert row(cast.shop, "memory").limit == 4 * GIB
    with pytest.raises(Invalid):
        requests.ask(cast.actor("developer"), cast.shop, kind="quota", payload=payload)


def test_what_the_tenant_has_not_cannot_be_approved(cast: Cast) -> None:
    services.limit_tenant(cast.actor("operator"), cast.acme, limits={"cpu": 4000})
    services.limit_project(cast.actor("owner"), cast.shop, limits={"cpu": 2000})
    made = requests.ask(cast.actor("developer"), cast.shop, kind="quota", payload={"resource": "cpu", "limit": 8})
    with pytest.raises(Conflict):
        requests.approve(cast.actor("owner"), made)
    assert Request.objects.get(pk=made.pk).state == "open"
    more = requests.ask(cast.actor("owner"), cast.acme, kind="tenant_quota", payload={"resource": "cpu", "limit": 16})
    with pytest.raises(Denied):
        requests.approve(actor_of(_second_owner(cast)), more)
    requests.approve(cast.actor("operator"), more)
    requests.approve(cast.actor("owner"), made)
    assert row(cast.shop, "cpu").limit == 8000


def _second_owner(cast: Cast) -> Any:
    Grant.objects.create(user=cast.guest, role="tenant.owner", tenant=cast.acme)
    return cast.guest


def test_drift_is_written_to_the_audit(cast: Cast, running: AppEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    Quota.objects.filter(tenant=cast.acme, project=None, resource="cpu").update(used=1)
    call_command("recount_quota")
    assert "acme: cpu of acme was 1" in capsys.readouterr().out
    assert AuditEntry.objects.filter(action="quota.mended", tenant_id=cast.acme.pk).count() == 1
    call_command("recount_quota")
    assert "all numbers are right" in capsys.readouterr().out


def test_how_amounts_are_read_and_said() -> None:
    assert from_sent("cpu", 0.5) == from_sent("cpu", "0.5") == 500
    assert from_sent("memory", "16Gi") == 16 * GIB
    assert from_sent("memory", 1024) == 1024
    assert left_text("cpu", 2000, 8000) == "2 of 8 cores left"
    for name, value in (
        ("cpu", -1),
        ("cpu", "1Gi"),
        ("instances", 1.5),
        ("memory", "lots"),
        ("cpu", True),
        ("cpu", 1e99),
    ):
        with pytest.raises(ValueError, match=re.escape(str(value))):
            from_sent(name, value)
