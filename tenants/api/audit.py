"""A tenant's audit over HTTP."""

from django.http import StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api import answers
from audit.api.shapes import AuditEntryOutput, AuditQuery, ExportQuery, VerdictOutput
from audit.api.views import FILES
from core.access import Actor, check
from core.api.endpoint import FileView, View, endpoint
from core.api.schema import page_of
from tenants import selectors
from tenants.models import Tenant


def audited(actor: Actor, name: str) -> Tenant:
    """The tenant, if the actor may read its audit."""
    tenant = selectors.tenant(actor, name)
    check(actor, "audit.view", tenant)
    return tenant


class TenantAudit(View):
    @endpoint("list_tenant_audit", query=AuditQuery, answers={200: page_of(AuditEntryOutput)})
    def get(self, request: Request, tenant: str) -> Response:
        """What everybody did in the tenant, newest first."""
        return Response(answers.entries_page(self, audited(self.actor, tenant).pk))


class TenantAuditExport(FileView):
    @endpoint("export_tenant_audit", query=ExportQuery, answers=FILES)
    def get(self, request: Request, tenant: str) -> StreamingHttpResponse:
        """All matching entries as a file, oldest first."""
        home = audited(self.actor, tenant)
        return answers.export(self.query, home.pk, name=f"audit-{home.name}")


class TenantAuditVerify(View):
    @endpoint("verify_tenant_audit", answers={200: VerdictOutput})
    def get(self, request: Request, tenant: str) -> Response:
        """Whether the tenant's chain is whole, and the first entry that is not."""
        return self.one(answers.verdict(f"tenant:{audited(self.actor, tenant).pk}"))
