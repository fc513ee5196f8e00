"""What the cluster was given for a release: to read and to copy."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.models import AppEnvironment
from apps.selectors.given import JSON, YAML, given
from apps.views.app_frame import AppFrame, app_frame
from apps.views.releases import release_of


@login_required
@require_safe
def page(request: HttpRequest, number: int, **names: str) -> HttpResponse:
    frame = app_frame(request, "releases", **names)
    row = release_of(frame, number)
    found = given(frame.place, row)
    way = JSON if request.GET.get("as") == JSON else YAML
    address = frame.release_address("release_given", row.number)
    more = {
        "release": row,
        "found": found,
        "places": [_way(frame, one, row.number, way) for one in frame.places],
        "ways": [{"label": one.upper(), "url": f"{address}&as={one}", "current": one == way} for one in (YAML, JSON)],
        "parts": [
            {"title": name or _("The environment"), "text": found.text(way, name)} for name, _documents in found.parts
        ],
    }
    return render(request, "apps/releases/given.html", frame.context(**more))


def _way(frame: AppFrame, place: AppEnvironment, number: int, way: str) -> dict[str, Any]:
    """The same page about another environment."""
    query = urlencode({"environment": place.environment.name, "as": way})
    address = reverse("release_given", kwargs={**frame.names, "number": number})
    return {"environment": place.environment, "url": f"{address}?{query}", "current": place.pk == frame.place.pk}
