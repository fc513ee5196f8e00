"""What stands around every page: place, navigation, running operations, person."""

import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from core.access import NOBODY, Actor, visible
from core.errors import Text
from operations.models import Operation
from tenants.models import Project, Tenant

MOST_PLACES = 50
OTHER_LANGUAGE = {"en": ("zh-hans", "中文", "中"), "zh-hans": ("en", "English", "En")}


@dataclass(frozen=True)
class Item:
    label: str
    url: str
    icon: str
    current: bool = False
    tally: int = 0


@dataclass(frozen=True)
class Group:
    title: str
    items: list[Item] = field(default_factory=list)


@dataclass(frozen=True)
class Place:
    tenant: Tenant
    project: Project
    label: str
    url: str
    current: bool


class Frame:
    """Made for one request; each part asks the database only when a page shows it."""

    version = settings.VERSION

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.actor: Actor = getattr(request, "actor", NOBODY)
        match = request.resolver_match
        names = match.kwargs if match else {}
        self.tenant_name, self.project_name = names.get("tenant", ""), names.get("project", "")
        self.path = request.path

    @property
    def theme(self) -> str:
        kept = self.request.COOKIES.get("theme", "")
        return kept if kept in ("light", "dark") else ""

    @property
    def language_choice(self) -> dict[str, str]:
        code, label, short = OTHER_LANGUAGE.get(get_language() or "en", OTHER_LANGUAGE["zh-hans"])
        return {"code": code, "label": label, "short": short}

    @property
    def person(self) -> dict[str, str] | None:
        return {"name": self.actor.name, "initials": self.actor.name[:2]} if self.actor.id else None

    @cached_property
    def _projects(self) -> list[Project]:
        rows = visible(self.actor, Project.objects.filter(deleted_at__isnull=True)).select_related("tenant")
        return list(rows.order_by("tenant__name", "name")[:MOST_PLACES])

    @cached_property
    def places(self) -> list[Place]:
        return [self._place(project) for project in self._projects]

    def _place(self, project: Project) -> Place:
        here = (project.tenant.name, project.name) == (self.tenant_name, self.project_name)
        url = reverse("project", kwargs={"tenant": project.tenant.name, "project": project.name})
        return Place(project.tenant, project, project.title or project.name, url, here)

    @cached_property
    def place(self) -> Place | None:
        """Where we are; outside any project, the tenant's first one, so that its pages stay in reach."""
        current = [place for place in self.places if place.current]
        same_tenant = [place for place in self.places if place.tenant.name == self.tenant_name]
        return next(iter(current or same_tenant or self.places), None)

    @cached_property
    def _running(self) -> int:
        if self.actor.id is None:
            return 0
        return visible(self.actor, Operation.objects.filter(state__in=Operation.ACTIVE)).count()

    @property
    def operations_running(self) -> int:
        return self._running

    @property
    def operations_url(self) -> str:
        return reverse("activity", kwargs=self._names) if self.place else reverse("home")

    @property
    def _names(self) -> dict[str, str]:
        return {"tenant": self.place.tenant.name, "project": self.place.project.name} if self.place else {}

    @cached_property
    def nav(self) -> list[Group]:
        groups = [Group("", [self._item(_("Home"), reverse("home"), "home")])]
        if self.place:
            groups.append(Group(_("Run"), self._project_items()))
        if govern := self._govern():
            groups.append(Group(_("Govern"), govern))
        if "cluster.view" in self.actor.rights.platform:
            groups.append(Group(_("Platform"), [self._item(_("Clusters"), reverse("clusters"), "server-2")]))
        return groups

    def _project_items(self) -> list[Item]:
        overview = reverse("project", kwargs=self._names)
        activity = reverse("activity", kwargs=self._names)
        inside = self.path.startswith(overview) and not self.path.startswith(activity)
        return [
            Item(_("Overview"), overview, "layout-dashboard", current=inside),
            self._item(_("Activity"), activity, "activity"),
        ]

    def _govern(self) -> list[Item]:
        tenant = self._audited_tenant
        return [self._item(_("Audit"), reverse("audit", kwargs={"tenant": tenant}), "shield-check")] if tenant else []

    @cached_property
    def _audited_tenant(self) -> str:
        """The tenant whose audit this person may read: the present one if possible."""
        ids: list[uuid.UUID] = self.actor.rights.places("audit.view")[0]
        names = list(Tenant.objects.filter(pk__in=ids).order_by("name").values_list("name", flat=True)) if ids else []
        here = self.tenant_name or (self.place.tenant.name if self.place else "")
        return here if here in names else next(iter(names), "")

    def _item(self, label: Text, url: str, icon: str) -> Item:
        current = self.path == url if url == "/" else self.path.startswith(url)
        return Item(str(label), url, icon, current=current)


def frame(request: HttpRequest) -> dict[str, Any]:
    return {"frame": Frame(request)}
