"""Which app in which environment the deploy panel is about, and what it starts from."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _

from apps.models import App, AppEnvironment, Deployment, Environment, Release
from apps.needs import needs_deploy
from apps.selectors.state import wanted_instances
from apps.specification import Specification, stored
from apps.views.app_frame import ask_address, why_not
from core.access import Actor, get_visible, may, visible
from core.errors import Conflict, NotFound
from operations.models import Operation
from tenants.models import Project


@dataclass(frozen=True)
class Where:
    """`place` of an app that does not exist yet is a row that was never saved."""

    actor: Actor
    project: Project
    environments: list[Environment]
    environment: Environment
    place: AppEnvironment
    app: App | None

    @property
    def new(self) -> bool:
        return self.app is None

    @property
    def production(self) -> bool:
        return self.environment.protected

    @property
    def why_not(self) -> str:
        """Why this reader cannot deploy here and who can help; empty where they can."""
        creating = why_not(self.actor, ("app.deploy",), self.project) if self.new else ""
        return creating or why_not(self.actor, needs_deploy(self.place), self.place)

    @property
    def ask_url(self) -> str:
        """Where to ask for the right that is missing; empty where it is not."""
        if not self.why_not:
            return ""
        codes = ("app.deploy",) if self.new and not self.production else needs_deploy(self.place)
        return ask_address(self.project, codes)

    @cached_property
    def active(self) -> Deployment | None:
        """What is under way here at this moment."""
        if self.new:
            return None
        rows = visible(self.actor, Deployment.objects.filter(place=self.place, operation__state__in=Operation.ACTIVE))
        return rows.select_related("operation").first()

    @cached_property
    def next_number(self) -> int:
        if self.app is None:
            return 1
        return (self.app.releases.aggregate(last=Max("number"))["last"] or 0) + 1

    def release(self, number: str) -> Release | None:
        """The release asked for by number; else what runs here, else the newest one, else None."""
        if self.app is None:
            return None
        if number:
            asked = self.app.releases.filter(number=int(number)).first() if number.isdecimal() else None
            if asked is None:
                raise NotFound()
            return asked
        return self.place.release or self.app.releases.order_by("-number").first()

    def start_from(self, release: Release) -> Specification:
        """The release's specification, with as many instances as are declared here now if it is what runs."""
        document: dict[str, Any] = stored(release.specification).canonical()
        if release != self.place.release or self.place.stopped:
            return stored(document)
        for name, count in wanted_instances(self.place).items():
            service = document["services"][name]
            service["deploy"] = (service.get("deploy") or {}) | {"replicas": count}
        return stored(document)


def where_of(actor: Actor, project: Project, *, app: str, environment: str) -> Where:
    """Raises NotFound for an app or environment that is not there, Denied where one may deploy nowhere."""
    environments = list(visible(actor, Environment.objects.filter(project=project)).select_related("cluster"))
    if not environments:
        raise Conflict(_("This project has no environment yet."), code="no_environment", hint=_("Add one first."))
    found = _app(actor, project, app) if app else None
    places = _places(project, found, environments)
    chosen = _chosen(actor, environments, places, environment)
    return Where(actor, project, environments, chosen, places[chosen.name], found)


def _app(actor: Actor, project: Project, name: str) -> App:
    return get_visible(actor, App.objects.filter(project=project, deleted_at__isnull=True), name=name)


def _places(project: Project, app: App | None, environments: list[Environment]) -> dict[str, AppEnvironment]:
    if app is None:
        unsaved = App(tenant_id=project.tenant_id, project=project)
        owner = {"tenant_id": project.tenant_id, "project": project, "app": unsaved}
        return {one.name: AppEnvironment(environment=one, **owner) for one in environments}
    rows = app.places.select_related("app", "project", "release", "environment__cluster")
    return {row.environment.name: row for row in rows}


def _chosen(actor: Actor, environments: list[Environment], places: dict[str, AppEnvironment], name: str) -> Environment:
    """The one named; else where it runs first; else the first unprotected one where this person may deploy."""
    if name:
        asked = next((one for one in environments if one.name == name and name in places), None)
        if asked is None:
            raise NotFound()
        return asked
    runs = [one for one in environments if places[one.name].release_id]
    open_ones = [
        one
        for one in environments
        if not one.protected and any(may(actor, code, one) for code in needs_deploy(places[one.name]))
    ]
    return (runs or open_ones or environments)[0]
