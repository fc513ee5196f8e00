"""A release to take elsewhere: to read, to copy, or as a file."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from apps.selectors.export import FORMS, Export, export
from apps.views.app_frame import app_frame
from apps.views.releases import release_of


@login_required
@require_safe
def page(request: HttpRequest, number: int, **names: str) -> HttpResponse:
    frame = app_frame(request, "releases", **names)
    row = release_of(frame, number)
    found = export(row, request.GET.get("as", ""))
    if "file" in request.GET:
        return as_file(found)
    address = frame.release_address("release_export", row.number)
    ways = [
        {"label": label, "url": f"{address}&as={one}", "current": one == found.form} for one, label in FORMS.items()
    ]
    more = {"release": row, "found": found, "ways": ways, "file_url": f"{address}&as={found.form}&file"}
    return render(request, "apps/releases/export.html", frame.context(**more))


def as_file(found: Export) -> HttpResponse:
    headers = {"Content-Disposition": content_disposition_header(True, found.name), "X-Content-Type-Options": "nosniff"}
    return HttpResponse(found.text, content_type="application/yaml; charset=utf-8", headers=headers)
