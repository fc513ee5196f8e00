"""A release as a file that others take, over HTTP."""

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from rest_framework import serializers
from rest_framework.request import Request

from apps.selectors import listing
from apps.selectors.export import FORMS, OWN, export
from core.api.endpoint import TEXT, FileView, endpoint
from core.api.inputs import Query


class ExportQuery(Query):
    format = serializers.ChoiceField(
        choices=list(FORMS), default=OWN, help_text="In which words. Secrets have to be filled in by whoever takes it."
    )


class ReleaseExport(FileView):
    @endpoint("export_release", query=ExportQuery, answers={(200, "text/plain"): TEXT})
    def get(self, request: Request, tenant: str, project: str, app: str, number: int) -> HttpResponse:
        """A release as a file; importing it makes the same specification."""
        row = listing.release(listing.app(self.actor, tenant, project, app), number)
        found = export(row, self.query["format"])
        headers = {"Content-Disposition": content_disposition_header(True, found.name)}
        headers |= {"X-Content-Type-Options": "nosniff"}
        return HttpResponse(found.text, content_type="text/plain; charset=utf-8", headers=headers)
