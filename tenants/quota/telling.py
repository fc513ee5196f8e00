"""Who has to know of a loan: whoever looks after the project that gave it and the one that took it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.clock import from_now
from core.wording import moment_text
from tenants import notices
from tenants.models import Notice
from tenants.quota.models import QuotaLoan
from tenants.quota.resources import amount_text, label_of
from tenants.requests.telling import holders

AHEAD = timedelta(days=2)
LENT, DUE, RETURNED, OVER = "quota.lent", "quota.due", "quota.returned", "quota.over"


def lent(loan: QuotaLoan) -> None:
    _tell(loan, LENT, Notice.Level.OK)


def returned(loan: QuotaLoan, *, over: bool) -> None:
    """`over`: the borrower uses more than it has now; nothing of it is stopped."""
    _tell(loan, OVER if over else RETURNED, Notice.Level.BAD if over else Notice.Level.OK)


def warn_of_due() -> int:
    """Tell two days ahead what goes back, once for each loan; answers of how many."""
    due = QuotaLoan.objects.filter(returned_at__isnull=True, until__lte=from_now(AHEAD))
    told = set(Notice.objects.filter(kind=DUE).values_list("about", flat=True))
    rows = [loan for loan in due.select_related("tenant", "lender", "borrower") if f"{DUE}:{loan.pk}" not in told]
    for loan in rows:
        _tell(loan, DUE, Notice.Level.WARN)
    return len(rows)


def _tell(loan: QuotaLoan, kind: str, level: str) -> None:
    params = {
        "loan": str(loan.pk),
        "lender": loan.lender.name,
        "borrower": loan.borrower.name,
        "resource": loan.resource,
        "amount": loan.amount,
        "until": loan.until.isoformat(),
    }
    people = {
        person: project
        for project in (loan.lender_id, loan.borrower_id)
        for person in holders("project.manage", tenant=loan.tenant_id, project=project)
    }
    for person, project in people.items():
        notices.tell(
            person,
            kind,
            level=level,
            params=params,
            link=reverse("quota", kwargs={"tenant": loan.tenant.name}),
            tenant=loan.tenant_id,
            project=project,
            about=f"{kind}:{loan.pk}",
        )


def _words(params: Mapping[str, Any]) -> dict[str, str]:
    resource, until = str(params.get("resource", "")), parse_datetime(str(params.get("until", "")))
    return {
        "resource": label_of(resource),
        "amount": amount_text(resource, int(params.get("amount", 0))),
        "lender": str(params.get("lender", "")),
        "borrower": str(params.get("borrower", "")),
        "until": moment_text(until, style="day") if until else "",
    }


def _lent(params: Mapping[str, Any]) -> str:
    return _("%(resource)s: %(amount)s until %(until)s; then it goes back by itself.") % _words(params)


def _due(params: Mapping[str, Any]) -> str:
    return _(
        "%(resource)s: %(amount)s go back to %(lender)s on %(until)s. Nothing of %(borrower)s is stopped then, but "
        "nothing more starts until it fits."
    ) % _words(params)


def _returned(params: Mapping[str, Any]) -> str:
    return _("%(resource)s: %(amount)s are back in %(lender)s.") % _words(params)


def _over(params: Mapping[str, Any]) -> str:
    return _(
        "%(resource)s: %(borrower)s uses more than it has without these %(amount)s. Nothing was stopped; nothing more "
        "starts there until it fits. Stop or scale down something, or ask for more."
    ) % _words(params)


notices.register(LENT, gettext_lazy("%(lender)s lends to %(borrower)s"), _lent)
notices.register(DUE, gettext_lazy("A loan of %(lender)s to %(borrower)s ends soon"), _due)
notices.register(RETURNED, gettext_lazy("The loan of %(lender)s to %(borrower)s went back"), _returned)
notices.register(OVER, gettext_lazy("%(borrower)s still uses what went back to %(lender)s"), _over)
