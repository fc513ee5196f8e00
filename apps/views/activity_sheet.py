"""One operation opened beside the activity it stands in: ?operation= names it, so that the address keeps it."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from apps.models import Deployment
from apps.selectors.history import with_places
from apps.selectors.operation_sheet import OperationSheet, operation_sheet
from apps.selectors.progress import Progress
from apps.views.deployment import READ_WITH, deployment_context
from apps.views.found import actor_of
from core.access import get_visible, visible
from core.errors import NotFound
from operations.models import Operation

KEPT = ("show", "mine", "cursor")


def opened(request: HttpRequest, url: str, rows: QuerySet[Operation], beside: QuerySet[Operation]) -> dict[str, Any]:
    """What the sheet shows. `rows`: what may be opened here, `beside`: the list as it is narrowed."""
    operation = get_visible(actor_of(request), with_places(rows), pk=_key(request))
    progress = _progress(request, operation)
    sheet = operation_sheet(actor_of(request), operation, beside, progress)
    own = deployment_context(request, progress) if progress else {"progress": None}
    return own | {"sheet": sheet, "opened": _addresses(request, url, sheet)}


def list_address(request: HttpRequest, url: str, **more: str) -> str:
    """The list as it was asked for, with or without an operation opened."""
    kept = {name: request.GET[name] for name in KEPT if request.GET.get(name)}
    asked = kept | more
    return f"{url}?{urlencode(asked)}" if asked else url


def _addresses(request: HttpRequest, url: str, sheet: OperationSheet) -> dict[str, str]:
    """`kinds`: what the sheet waits for; nothing once the operation has ended."""
    operation, names = sheet.line.operation, sheet.line.names
    beside = {
        name: list_address(request, url, operation=str(key)) if key else ""
        for name, key in (("earlier", sheet.earlier), ("later", sheet.later))
    }
    return beside | {
        "back": list_address(request, url),
        "fragment": list_address(request, url, operation=str(operation.pk), part="operation"),
        "kinds": f"operation:{operation.pk}" if operation.active else "",
        "whole": reverse("deployment", kwargs=names) if names else "",
    }


def _key(request: HttpRequest) -> uuid.UUID:
    try:
        return uuid.UUID(request.GET["operation"])
    except ValueError:
        raise NotFound() from None


def _progress(request: HttpRequest, operation: Operation) -> Progress | None:
    """None for what is no deployment, and for one whose app is gone."""
    actor = actor_of(request)
    rows = visible(actor, Deployment.objects.filter(app__deleted_at=None, project__deleted_at=None))
    found = rows.select_related(*READ_WITH).filter(operation=operation).first()
    return Progress(found, actor) if found else None
