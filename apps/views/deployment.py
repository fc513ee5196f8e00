"""One deployment: its progress, live, and what one may do about it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps import services
from apps.models import Deployment, Release
from apps.needs import needs_deploy
from apps.selectors.progress import Progress
from apps.views.answers import shown
from apps.views.app_frame import deployment_address, why_not
from apps.views.found import actor_of
from apps.views.overview import Links
from core.access import get_visible
from core.errors import Conflict
from operations.services import cancel as cancel_operation

READ_WITH = (
    "operation", "release", "replaced", "environment__cluster", "app__project__tenant",
    "place__app", "place__project", "place__release", "place__environment__cluster",
)  # fmt: skip


def deployment_of(request: HttpRequest, *, tenant: str, project: str, app: str, number: int) -> Deployment:
    rows = Deployment.objects.select_related(*READ_WITH).filter(app__deleted_at=None, project__deleted_at=None)
    names = {"app__name": app, "project__name": project, "tenant__name": tenant}
    return get_visible(actor_of(request), rows, number=number, **names)


@login_required
@require_safe
def deployment(request: HttpRequest, **names: Any) -> HttpResponse:
    found = deployment_of(request, **names)
    context = deployment_context(request, Progress(found, actor_of(request)))
    return shown(request, "deployment/page", context, part="deployment/_progress")


@login_required
@require_POST
def cancel(request: HttpRequest, **names: Any) -> HttpResponse:
    """Ask the operation to stop and go back; one that has just ended is told, not an error page."""
    found = deployment_of(request, **names)
    try:
        cancel_operation(actor_of(request), found.operation)
    except Conflict as error:
        messages.warning(request, str(error.message))
    return HttpResponseRedirect(reverse("deployment", kwargs=names))


@login_required
@require_POST
def roll_back(request: HttpRequest, **names: Any) -> HttpResponse:
    """Serve the release of this deployment again, or the one it replaced where this one serves now."""
    found = deployment_of(request, **names)
    release = _way_back(found)
    try:
        if release is None:
            raise Conflict(_("There is no earlier release to go back to."), code="nothing_before")
        operation = services.rollback(actor_of(request), found.place, release=release)
    except Conflict as error:
        messages.error(request, f"{error.message} {error.hint}".strip())
        return HttpResponseRedirect(reverse("deployment", kwargs=names))
    return HttpResponseRedirect(deployment_address(_app_names(names), operation))


def _app_names(names: dict[str, Any]) -> dict[str, str]:
    return {key: names[key] for key in ("tenant", "project", "app")}


def _way_back(found: Deployment) -> Release | None:
    """Which release the button brings back; None where there is nothing to go back to, or it serves already."""
    here = found.place.release
    wanted = found.replaced if here is not None and here == found.release else found.release
    if found.operation.active or wanted is None or wanted == here or not _served(found, wanted):
        return None
    return wanted


def _served(found: Deployment, release: Release) -> bool:
    """A release that never came up here is nothing to go back to."""
    return release != found.release or found.operation.state == "succeeded"


def deployment_context(request: HttpRequest, progress: Progress) -> dict[str, Any]:
    """What the page of a deployment shows, and the sheet that opens one beside a list."""
    found, actor = progress.deployment, progress.actor
    links = Links(found.app.project)
    names = links.names | {"app": found.app.name, "number": found.number}
    back = _way_back(found)
    return {
        "progress": progress,
        "deployment": found,
        "app": found.app,
        "environment": found.environment,
        "links": links,
        "app_url": links.app(found.app.name, found.environment.name),
        "logs_url": _logs_url(links, progress),
        "fragment": request.path,
        "kinds": _kinds(progress),
        "cancel_url": reverse("deployment_cancel", kwargs=names),
        "rollback_url": reverse("deployment_rollback", kwargs=names),
        "back": back,
        "back_label": _back_label(found, back),
        "again_url": _again_url(links, found),
        "why_not_cancel": why_not(actor, ("app.deploy",), found.operation),
        "why_not_deploy": why_not(actor, needs_deploy(found.place), found.place),
    }


def _kinds(progress: Progress) -> str:
    """What the page waits for; nothing once a later deployment shows how the place is."""
    found = progress.deployment
    if progress.later and not progress.active:
        return ""
    return f"operation:{found.operation.pk} place:{found.place.pk}"


def _back_label(found: Deployment, back: Release | None) -> str:
    words = {"environment": found.environment.name, "release": back.number if back else ""}
    return _("Roll back %(environment)s to release %(release)s") % words


def _logs_url(links: Links, progress: Progress) -> str:
    found = progress.deployment
    address = reverse("logs", kwargs=links.names | {"app": found.app.name})
    return f"{address}?environment={found.environment.name}"


def _again_url(links: Links, found: Deployment) -> str:
    """After a failure: the deploy panel, filled with what was tried."""
    if found.operation.active or found.operation.state == "succeeded" or found.release is None:
        return ""
    return links.deploy(app=found.app.name, environment=found.environment.name, release=found.release.number, change=1)
