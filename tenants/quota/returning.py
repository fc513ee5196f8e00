"""A loan goes back, on its day or before."""

from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from core.errors import Conflict
from tenants.quota import claiming, telling
from tenants.quota.models import Quota, QuotaLoan


def take_back(loan: QuotaLoan, *, by: str) -> None:
    """Give a loan back, once. Raises Conflict where somebody was faster. Call it in a transaction."""
    claiming.lock(loan.tenant_id)
    rows = QuotaLoan.objects.filter(pk=loan.pk, returned_at__isnull=True)
    if not rows.update(returned_at=Now(), returned_by=by):
        raise Conflict(_("This loan went back already."), code="returned_already", hint=_("Look at the loans again."))
    loan.refresh_from_db()
    Quota.objects.filter(project=loan.lender_id, resource=loan.resource).update(lent=F("lent") - loan.amount)
    Quota.objects.filter(project=loan.borrower_id, resource=loan.resource).update(borrowed=F("borrowed") - loan.amount)
    telling.returned(loan, over=Quota.objects.get(project=loan.borrower_id, resource=loan.resource).over)
