"""The rows that an address names, for as much as the reader may see of them; everything else is the same 404."""

from typing import cast

from django.http import HttpRequest

from apps.models import App, AppEnvironment
from core.access import Actor, get_visible, visible
from core.errors import NotFound
from tenants.models import Project, Tenant


def actor_of(request: HttpRequest) -> Actor:
    return cast(Actor, request.actor)  # type: ignore[attr-defined]  # set by the middleware of tenants


def tenant_of(request: HttpRequest, tenant: str) -> Tenant:
    return get_visible(actor_of(request), Tenant.objects.all(), name=tenant)


def project_of(request: HttpRequest, tenant: str, project: str) -> Project:
    """The project, with its tenant."""
    rows = Project.objects.select_related("tenant").filter(deleted_at__isnull=True)
    return get_visible(actor_of(request), rows, tenant__name=tenant, name=project)


def app_of(request: HttpRequest, tenant: str, project: str, app: str) -> App:
    """The app, with its project and tenant."""
    rows = App.objects.select_related("project__tenant").filter(deleted_at__isnull=True)
    return get_visible(
        actor_of(request), rows, project__tenant__name=tenant, project__name=project, project__deleted_at=None, name=app
    )


def places_of(request: HttpRequest, app: App) -> list[AppEnvironment]:
    """The app's places in the order of the environments, each with what a page says about it."""
    rows = AppEnvironment.objects.select_related("app", "project", "release", "environment__cluster")
    return list(visible(actor_of(request), rows).filter(app=app).order_by("environment__position"))


def chosen(request: HttpRequest, places: list[AppEnvironment]) -> AppEnvironment:
    """The place that ?environment= names; without it the first one where something is deployed."""
    name = request.GET.get("environment", "")
    fitting = [place for place in places if not name or place.environment.name == name]
    if not fitting:
        raise NotFound()
    return next((place for place in fitting if place.release_id), fitting[0])
