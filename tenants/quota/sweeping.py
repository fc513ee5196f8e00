"""What happens to quotas by itself: loans go back on their day, and the numbers are added up again."""

import uuid
from collections.abc import Collection

from django.db import transaction
from django.db.models.functions import Now

from audit.models import AuditEntry
from audit.services import Line, record, register_action
from core.access import SYSTEM
from core.errors import Conflict
from core.pace import unhurried
from tenants.models import Tenant
from tenants.quota import counting, telling
from tenants.quota.models import QuotaLoan
from tenants.quota.returning import take_back

ENDED = register_action("quota.ended")
MENDED = register_action("quota.mended")
MOST_NAMED = 20


def return_due() -> int:
    """Give back every loan whose day has come; answers how many."""
    due = QuotaLoan.objects.filter(returned_at__isnull=True, until__lte=Now())
    return sum(_return(loan) for loan in due.select_related("tenant", "lender", "borrower"))


def _return(loan: QuotaLoan) -> bool:
    try:
        with transaction.atomic():
            take_back(loan, by=SYSTEM.name)
            line = Line(ENDED, detail={"resource": loan.resource, "amount": loan.amount, "to": loan.lender.name})
            line.name_target(loan)
            record(SYSTEM, line, result=AuditEntry.Result.DONE)
    except Conflict:
        return False  # somebody took it back at this very moment
    return True


def look_after_loans() -> None:
    return_due()
    with transaction.atomic():
        telling.warn_of_due()


def recount_all() -> list[counting.Drift]:
    """Add up every tenant; what had drifted is put right, and stands in its audit."""
    return [drift for tenant in Tenant.objects.order_by("pk") for drift in recount(tenant)]


def recount(tenant: Tenant) -> list[counting.Drift]:
    """A few things in each transaction, with room for others between them; none where all is right."""
    return [drift for holders in unhurried(counting.doubtful(tenant)) for drift in _mend(tenant, holders)]


def _mend(tenant: Tenant, holders: Collection[uuid.UUID]) -> list[counting.Drift]:
    with transaction.atomic():
        found = counting.mend(tenant, holders)
        if found:
            told = [f"{one.resource} of {one.what}: {one.was} is {one.now}" for one in found[:MOST_NAMED]]
            line = Line(MENDED, detail={"count": len(found), "drift": told})
            line.name_target(tenant)
            record(SYSTEM, line, result=AuditEntry.Result.DONE)
    return found
