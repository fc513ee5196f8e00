"""The audit of the whole platform over HTTP; a tenant's own is at its address."""

from django.http import StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api import answers
from audit.api.shapes import AuditEntryOutput, ChainQuery, PlatformAuditQuery, PlatformExportQuery, VerdictOutput
from core import access
from core.api.endpoint import FILE, FileView, View, endpoint
from core.api.schema import page_of

FILES = {(200, "text/csv"): FILE, (200, "application/x-ndjson"): FILE}


class PlatformAudit(View):
    @endpoint("list_audit", query=PlatformAuditQuery, answers={200: page_of(AuditEntryOutput)})
    def get(self, request: Request) -> Response:
        """Entries of all tenants and of the platform, newest first; for platform auditors."""
        access.check(self.actor, "audit.view")
        return Response(answers.entries_page(self, self.query.get("tenant_id")))


class PlatformAuditExport(FileView):
    @endpoint("export_audit", query=PlatformExportQuery, answers=FILES)
    def get(self, request: Request) -> StreamingHttpResponse:
        """All matching entries as a file, oldest first."""
        access.check(self.actor, "audit.view")
        return answers.export(self.query, self.query.get("tenant_id"), name="audit")


class PlatformAuditVerify(View):
    @endpoint("verify_audit", query=ChainQuery, answers={200: VerdictOutput})
    def get(self, request: Request) -> Response:
        """Whether a chain is whole, and the first entry that is not."""
        access.check(self.actor, "audit.view")
        return self.one(answers.verdict(self.query["chain"]))
