"""What every tab of an app shares: its places, the one that is looked at, addresses, and what may be done there."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.models import App, AppEnvironment
from apps.needs import needs_deploy, needs_scale
from apps.selectors.newer_images import Newer
from apps.views.found import actor_of, app_of, chosen, places_of
from core import access
from core.access import Actor
from operations.models import Operation
from tenants.lifecycle import next_step, why_closed
from tenants.models import Project


@dataclass(frozen=True)
class AppFrame:
    """One app seen in one of its environments. `tab` is the name of the address that shows it."""

    actor: Actor
    app: App
    places: list[AppEnvironment]
    place: AppEnvironment
    tab: str
    names: dict[str, str] = field(default_factory=dict)

    def address(self, name: str, **query: str) -> str:
        """An address of this app in this environment."""
        return f"{reverse(name, kwargs=self.names)}?{urlencode({'environment': self.place.environment.name} | query)}"

    def release_address(self, name: str, number: int) -> str:
        """An address of one release of this app, seen from this environment."""
        address = reverse(name, kwargs={**self.names, "number": number})
        return f"{address}?{urlencode({'environment': self.place.environment.name})}"

    def project_address(self, name: str) -> str:
        return reverse(name, kwargs={"tenant": self.names["tenant"], "project": self.names["project"]})

    @property
    def deploy_address(self) -> str:
        query = urlencode({"app": self.app.name, "environment": self.place.environment.name})
        return f"{self.project_address('deploy')}?{query}"

    def image_address(self, newer: Newer) -> str:
        """The deploy panel with what is newer chosen in it."""
        return f"{self.deploy_address}&{urlencode({'service': newer.service, 'image': newer.reference})}"

    @property
    def ways(self) -> list[dict[str, Any]]:
        """The same tab in each environment."""
        here = reverse(self.tab, kwargs=self.names)
        return [
            {
                "environment": place.environment,
                "url": f"{here}?{urlencode({'environment': place.environment.name})}",
                "current": place.pk == self.place.pk,
            }
            for place in self.places
        ]

    @property
    def tabs(self) -> list[dict[str, Any]]:
        named = (
            ("app", _("Now"), True),
            ("releases", _("Releases"), True),
            ("logs", _("Logs"), self.reads_logs),
            ("console", _("Console"), self.sees_consoles),
            ("metrics", _("Metrics"), True),
            ("timeline", _("Timeline"), True),
            ("app_settings", _("Settings"), True),
        )
        return [
            {"label": label, "url": url, "current": name == self.tab}
            for name, label, allowed in named
            if allowed and (url := self.address_if_any(name))
        ]

    @property
    def tab_label(self) -> str:
        return next((tab["label"] for tab in self.tabs if tab["current"]), "")

    def address_if_any(self, name: str, **query: str) -> str:
        """`address`, or nothing while no package has a page of that name."""
        try:
            return self.address(name, **query)
        except NoReverseMatch:
            return ""

    @property
    def reads_logs(self) -> bool:
        return access.may(self.actor, "log.view", self.place)

    @property
    def opens_consoles(self) -> bool:
        code = "console.protected" if self.place.environment.protected else "console.open"
        return access.may(self.actor, code, self.place)

    @property
    def sees_consoles(self) -> bool:
        """Who may open one in any environment sees the page in all of them: it says how to ask."""
        return any(access.may(self.actor, code, self.place) for code in ("console.open", "console.protected"))

    @property
    def deploy_label(self) -> str:
        return _("Deploy to %(environment)s") % {"environment": self.place.environment.name}

    @property
    def deploy_kind(self) -> str:
        return "prod" if self.place.environment.protected else "main"

    @property
    def asks_restart(self) -> str:
        """The dialog that asks before a restart; production only."""
        return "restart" if self.place.environment.protected else ""

    @property
    def asks_stop(self) -> str:
        return "stop" if self.place.environment.protected else ""

    @property
    def ask_to_deploy(self) -> str:
        return ask_address(self.app.project, needs_deploy(self.place))

    @property
    def why_not_deploy(self) -> str:
        return why_not(self.actor, needs_deploy(self.place), self.place)

    @property
    def why_not_scale(self) -> str:
        return why_not(self.actor, needs_scale(self.place), self.place)

    def context(self, **more: Any) -> dict[str, Any]:
        shared = {"page": self, "app": self.app, "place": self.place, "environment": self.place.environment}
        return shared | {"production": self.place.environment.protected} | more


def app_frame(request: HttpRequest, tab: str, *, tenant: str, project: str, app: str) -> AppFrame:
    """Raises NotFound for an app or an environment that is not there, or not there for this reader."""
    row = app_of(request, tenant, project, app)
    places = places_of(request, row)
    names = {"tenant": tenant, "project": project, "app": app}
    return AppFrame(actor_of(request), row, places, chosen(request, places), tab, names)


def ask_address(project: Project, codes: tuple[str, ...]) -> str:
    """Where to ask for what is missing here, with the right role chosen."""
    names = {"tenant": project.tenant.name, "project": project.name}
    return f"{reverse('ask_access', kwargs=names)}?{urlencode({'permission': codes[0]})}"


def why_not(actor: Actor, codes: tuple[str, ...], target: Model, *, even_closed: bool = False) -> str:
    """Why a button is disabled and who can help; empty where it is not."""
    if any(access.may(actor, code, target) for code in codes):
        return "" if even_closed else _closed(target)
    text = _("This needs “%(permission)s” here; an owner or admin of the tenant can give it.")
    return text % {"permission": codes[0]}


def _closed(target: Model) -> str:
    """What stands in the way in a project that is suspended or archived."""
    project = getattr(target, "project", target)
    if not isinstance(project, Project) or project.state == Project.State.ACTIVE:
        return ""
    return f"{why_closed(project)} {next_step(project)}"


def deployment_address(names: dict[str, str], operation: Operation) -> str:
    """Where an operation of an app can be watched."""
    number = operation.deployment.number
    return reverse("deployment", kwargs=names | {"number": number})
