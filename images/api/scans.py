"""What was found in an image, over HTTP: the report, its findings, who answers for them, and a new look."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from rest_framework.request import Request
from rest_framework.response import Response

from audit.commands import check_before
from core.api.endpoint import FILE, FileView, endpoint
from core.api.inputs import Change, Listing
from core.api.paging import page, plain
from core.api.schema import page_of
from core.api.searching import matching
from images import listing
from images.api.scan_shapes import (
    EXCUSE,
    ExcuseInput,
    ExcuseOutput,
    FindingOutput,
    FindingQuery,
    ScanOutput,
    shown_excuse,
    shown_report,
)
from images.scanning import reading, selectors, services
from images.scanning.reading import Report
from operations.api.changes import ChangeView
from operations.api.shapes import STARTED
from tenants.selectors import project as project_of


class ScanView(ChangeView):
    def report(self, tenant: str, project: str, artifact: uuid.UUID) -> Report:
        return reading.report_of(listing.image_project(self.actor, tenant, project), artifact)


class OneScan(ScanView):
    @endpoint("show_scan", answers={200: ScanOutput})
    def get(self, request: Request, tenant: str, project: str, artifact: uuid.UUID) -> Response:
        """How good an image is and why, with its secrets, licences and files of another owner's power."""
        return self.one(shown_report(self.report(tenant, project, artifact)))

    @endpoint("order_scan", query=Change, answers=STARTED, repeatable=True)
    def post(self, request: Request, tenant: str, project: str, artifact: uuid.UUID) -> Response:
        """Have an image of the registry looked through now."""
        check_before(services.order_scan, self.actor, project_of(self.actor, tenant, project))
        row = self.report(tenant, project, artifact).artifact
        return self.operate(lambda: services.order_scan(self.actor, row))


class Findings(ScanView):
    @endpoint("list_findings", query=FindingQuery, answers={200: page_of(FindingOutput)})
    def get(self, request: Request, tenant: str, project: str, artifact: uuid.UUID) -> Response:
        """What is known to be wrong with an image, the worst first; `search` is found in vulnerability and package."""
        report = self.report(tenant, project, artifact)
        rows = report.findings.filter(matching(self.query, "vulnerability", "package"))
        if severity := self.query.get("severity"):
            rows = rows.filter(severity=severity)
        return Response(page(self.slip("rank", "id"), rows, show=report.shown_findings))


class Bill(FileView):
    @endpoint("show_bill_of_materials", answers={(200, "application/vnd.cyclonedx+json"): FILE})
    def get(self, request: Request, tenant: str, project: str, artifact: uuid.UUID) -> HttpResponse:
        """All packages of an image, as CycloneDX 1.6 in JSON."""
        report = reading.report_of(listing.image_project(self.actor, tenant, project), artifact)
        return bill(report)


def bill(report: Report) -> HttpResponse:
    """The same for the page."""
    name = f"{report.artifact.repository.name.rpartition('/')[2]}-{report.artifact.digest[7:19]}.cdx.json"
    headers = {"Content-Disposition": content_disposition_header(True, name), "X-Content-Type-Options": "nosniff"}
    return HttpResponse(report.bill(), content_type="application/vnd.cyclonedx+json", headers=headers)


class Excuses(ScanView):
    @endpoint("list_excuses", query=Listing, answers={200: page_of(ExcuseOutput)})
    def get(self, request: Request, tenant: str, project: str, artifact: uuid.UUID) -> Response:
        """Who answers today for which finding in the image's repository."""
        report = self.report(tenant, project, artifact)
        rows = selectors.excuses(report.artifact.repository)
        return Response(page(self.slip("id"), plain(rows if report.own else rows.none(), *EXCUSE)))

    @endpoint("excuse_finding", body=ExcuseInput, answers={201: ExcuseOutput}, repeatable=True)
    def post(self, request: Request, tenant: str, project: str, artifact: uuid.UUID) -> Response:
        """Answer for a finding until a day: it is shown with the reason, and does not count in the rating."""
        check_before(services.excuse_finding, self.actor, project_of(self.actor, tenant, project))
        home = self.report(tenant, project, artifact).artifact.repository
        asked: dict[str, Any] = {"package": "", **self.sent}
        return self.made(services.excuse_finding(self.actor, home, **asked), shown_excuse, key="id")


class OneExcuse(ScanView):
    @endpoint("end_excuse", answers={204: None})
    def delete(self, request: Request, tenant: str, project: str, artifact: uuid.UUID, excuse: uuid.UUID) -> Response:
        """Nobody answers for it any more: the finding counts again."""
        check_before(services.excuse_finding, self.actor, project_of(self.actor, tenant, project))
        report = self.report(tenant, project, artifact)
        services.end_excuse(self.actor, reading.excuse_of(report, excuse))
        return Response(status=204)
