"""What is being done and what was done, in a project or in a whole tenant."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.selectors import history
from apps.views.activity_sheet import list_address, opened
from apps.views.answers import shown
from apps.views.found import actor_of, project_of, tenant_of
from core.access import visible
from operations.models import Operation


@login_required
@require_safe
def of_project(request: HttpRequest, tenant: str, project: str) -> HttpResponse:
    row = project_of(request, tenant, project)
    url = reverse("activity", kwargs={"tenant": tenant, "project": project})
    context = {"tenant": row.tenant, "project": row, "said_of": row.title or row.name, "url": url}
    return _activity(request, context, project_id=row.pk)


@login_required
@require_safe
def of_tenant(request: HttpRequest, tenant: str) -> HttpResponse:
    row = tenant_of(request, tenant)
    url = reverse("tenant_activity", kwargs={"tenant": tenant})
    return _activity(request, {"tenant": row, "said_of": row.title or row.name, "url": url}, tenant_id=row.pk)


def _activity(request: HttpRequest, context: dict[str, Any], **where: Any) -> HttpResponse:
    actor, which, mine = actor_of(request), request.GET.get("show", ""), request.GET.get("mine") == "1"
    rows = visible(actor, Operation.objects.all()).filter(**where)
    asked = history.narrowed(rows, which=which, person=actor.id if mine else None)
    sheet = opened(request, context["url"], rows, asked) if request.GET.get("operation") else {}
    if sheet and request.GET.get("part") == "operation":
        return shown(request, "activity/operation", context | sheet, part="activity/_operation_parts")
    lines, page = history.operations_page(asked, cursor=request.GET.get("cursor", ""))
    running, waiting = history.active_counts(rows)
    more = {
        "running": [line for line in lines if line.active],
        "past": [line for line in lines if not line.active],
        "running_count": running,
        "waiting_count": waiting,
        "page": page,
        "which": which,
        "mine": mine,
        "ways": _ways(context["url"], which, mine=mine),
        "whose": _whose(context["url"], which, mine=mine),
        "in_tenant": "project" not in context,
        "sheet_base": list_address(request, context["url"], operation=""),
    }
    name = "activity/operation" if sheet else "activity/page"
    return shown(request, name, context | sheet | more, part="activity/_list")


def _ways(url: str, which: str, *, mine: bool) -> list[dict[str, Any]]:
    named = (("", _("All")), ("running", _("Running")), ("failed", _("Failed")))
    return [{"label": label, "url": _address(url, name, mine=mine), "current": name == which} for name, label in named]


def _whose(url: str, which: str, *, mine: bool) -> list[dict[str, Any]]:
    named = ((False, _("Everybody's")), (True, _("Mine")))
    return [{"label": label, "url": _address(url, which, mine=own), "current": own == mine} for own, label in named]


def _address(url: str, which: str, *, mine: bool) -> str:
    asked = {"show": which, "mine": "1" if mine else ""}
    return f"{url}?{urlencode({name: value for name, value in asked.items() if value})}"
