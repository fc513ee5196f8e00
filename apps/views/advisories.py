"""What is known to be wrong with packages, and how old that is: for whoever brings newer data."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.views.found import actor_of
from core import access
from images.scanning import external
from images.scanning.selectors import known_feeds

COMMAND = "./berth manage import_vulnerabilities all.zip"


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    access.check(actor_of(request), "cluster.view")
    known = known_feeds()
    tool = external.installed()
    context = {
        "known": known,
        "old": sum(one.old for one in known),
        "command": COMMAND,
        "tool": tool.name if tool else "",
    }
    return render(request, "apps/scans/advisories.html", context)
