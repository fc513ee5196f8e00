"""What stands around every page: place, navigation, running operations, notices, person."""

import uuid
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from core.access import NOBODY, Actor
from core.errors import Text
from portal.places import Place, places_of
from portal.running import Running, running_of
from tenants import notices
from tenants.models import Tenant, User
from tenants.notice_views import BEHIND_THE_BELL, Line, behind_the_bell
from tenants.requests.selectors import needs_count

ABOUT_IMAGES = (  # below the address of a project
    "images/", "image-copies/", "passports/", "promotion/", "replication/", "settings/keeping/", "settings/registries/",
)  # fmt: skip
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


class Frame:
    """Made for one request; each part asks the database only when a page shows it."""

    version = settings.VERSION

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.actor: Actor = getattr(request, "actor", NOBODY)
        match = request.resolver_match
        names = match.kwargs if match else {}
        self.tenant_name, self.project_name = names.get("tenant", ""), names.get("project", "")
        self.app_name = names.get("app", "")
        self.path = request.path

    @classmethod
    def at(cls, request: HttpRequest, path: str) -> "Frame":
        """The frame of a part that was fetched by the page at `path`; of this address where that is no page of ours."""
        made = cls(request)
        try:
            names = resolve(path).kwargs if path.startswith("/") else {}
        except Resolver404:
            names = {}
        made.tenant_name, made.project_name = str(names.get("tenant", "")), str(names.get("project", ""))
        made.app_name = str(names.get("app", ""))
        return made

    @cached_property
    def user(self) -> User | None:
        """The row of whoever is signed in; None for nobody."""
        return cast(User, self.request.user) if self.actor.id else None

    @property
    def theme(self) -> str:
        """The profile's, else the browser's own of before."""
        kept = (self.user.theme if self.user else "") or self.request.COOKIES.get("theme", "")
        return kept if kept in ("light", "dark") else ""

    @property
    def keys(self) -> bool:
        return self.user is None or self.user.keys

    @property
    def reader(self) -> bool:
        return self.user is not None and self.user.reader

    @cached_property
    def language_choice(self) -> dict[str, str]:
        code, label, short = OTHER_LANGUAGE.get(get_language() or "en", OTHER_LANGUAGE["zh-hans"])
        return {"code": code, "label": label, "short": short}

    @cached_property
    def person(self) -> dict[str, Any] | None:
        if self.user is None:
            return None
        links = (
            (_("Profile"), "profile", "user"),
            (_("Sessions"), "sessions", "fingerprint"),
            (_("Security"), "security", "lock"),
            (_("Tokens"), "tokens", "key"),
        )
        name = self.user.shown_name
        return {
            "name": name,
            "initials": name[:2],
            "links": [{"label": label, "url": reverse(page), "icon": icon} for label, page, icon in links],
        }

    @cached_property
    def places(self) -> list[Place]:
        """Projects to go to: those where the person was last, then the others by name."""
        return places_of(self.actor, self.user, here=(self.tenant_name, self.project_name)) if self.user else []

    @cached_property
    def place(self) -> Place | None:
        """Where we are; outside any project where we were last, so that its pages stay in reach."""
        current = [place for place in self.places if place.current]
        same_tenant = [place for place in self.places if place.tenant.name == self.tenant_name]
        return next(iter(current or same_tenant or self.places), None)

    @cached_property
    def running(self) -> Running:
        return running_of(self.actor)

    @property
    def operations_running(self) -> int:
        return self.running.at_work

    @property
    def operations_waiting(self) -> int:
        return self.running.waiting

    @cached_property
    def operations_url(self) -> str:
        if self.place is None:
            return reverse("home") if self.user else ""
        return reverse("activity", kwargs=self._names)

    @cached_property
    def unread(self) -> int:
        if len(self.notices) < BEHIND_THE_BELL:  # these are all there are
            return sum(one.notice.read_at is None for one in self.notices)
        return notices.unread_count(self.actor)

    @cached_property
    def needs(self) -> int:
        """Requests the person may decide, and roles of theirs that end within a week."""
        return needs_count(self.actor)

    @cached_property
    def notices(self) -> list[Line]:
        return behind_the_bell(self.actor)

    @cached_property
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
            groups.append(Group(_("Platform"), self._platform()))
        return groups

    def _platform(self) -> list[Item]:
        clusters = self._item(_("Clusters"), reverse("clusters"), "server-2")
        about = self.path.startswith((reverse("cluster_connect"), reverse("builders")))
        found = [replace(clusters, current=clusters.current or about)]
        found.append(self._item(_("Registry"), reverse("registry_upkeep"), "database"))
        found.append(self._item(_("Advisories"), reverse("advisories"), "shield-check"))
        found.append(self._item(_("Base images"), reverse("base_images"), "stack-2"))
        if "quota.tenant" in self.actor.rights.platform:
            found.append(self._item(_("Tenants"), reverse("tenants"), "building"))
        if "identity.manage" in self.actor.rights.platform:
            found.append(self._item(_("Keystone"), reverse("keystone"), "key"))
        return found

    def _project_items(self) -> list[Item]:
        overview = reverse("project", kwargs=self._names)
        activity = self._item(_("Activity"), reverse("activity", kwargs=self._names), "activity")
        members = reverse("project_members", kwargs=self._names)
        images = self._item(_("Images"), reverse("project_images", kwargs=self._names), "stack-2")
        images = replace(images, current=self.path.startswith(tuple(overview + part for part in ABOUT_IMAGES)))
        settings = self._item(_("Settings"), reverse("project_settings", kwargs=self._names), "adjustments-horizontal")
        lifecycle = self.path.startswith(reverse("project_lifecycle", kwargs=self._names))
        settings = replace(settings, current=(settings.current or lifecycle) and not images.current)
        elsewhere = any(one.current for one in (activity, images, settings)) or self.path.startswith(members)
        inside = self.path.startswith(overview) and not elsewhere
        return [
            Item(_("Overview"), overview, "layout-dashboard", current=inside),
            *([images] if self._sees_images else []),
            activity,
            settings,
        ]

    @property
    def _sees_images(self) -> bool:
        if self.place is None:
            return False
        tenant, project = self.place.tenant, self.place.project
        return self.actor.rights.allows("image.view", tenant=tenant.pk, project=project.pk)

    def _govern(self) -> list[Item]:
        counted, audited = self._counted_tenant, self._audited_tenant
        found = self._members()
        if counted:
            found.append(self._item(_("Quota"), reverse("quota", kwargs={"tenant": counted}), "gauge"))
        if audited:
            found.append(self._item(_("Audit"), reverse("audit", kwargs={"tenant": audited}), "shield-check"))
        return found

    @property
    def _counted_tenant(self) -> str:
        """The tenant we are in or were last, if this person may see a quota there."""
        if self.place is None:
            return ""
        tenant, project = self.place.tenant, self.place.project
        may_see = self.actor.rights.allows("quota.view", tenant=tenant.pk, project=project.pk)
        return tenant.name if may_see else ""

    def _members(self) -> list[Item]:
        """Of the tenant, or where the person may only see those of a project, of that one."""
        if self.place is None:
            return []
        rights, names = self.actor.rights, self._names
        if rights.allows("member.view", tenant=self.place.tenant.pk, project=None):
            return [self._item(_("Members"), reverse("members", kwargs={"tenant": names["tenant"]}), "users")]
        if rights.allows("member.view", tenant=None, project=self.place.project.pk):
            return [self._item(_("Members"), reverse("project_members", kwargs=names), "users")]
        return []

    @cached_property
    def _audited_tenant(self) -> str:
        """The tenant whose audit this person may read: the present one if possible."""
        ids: list[uuid.UUID] = self.actor.rights.places("audit.view")[0]
        if self.place and self.place.tenant.pk in ids and self.tenant_name in ("", self.place.tenant.name):
            return str(self.place.tenant.name)
        names = list(Tenant.objects.filter(pk__in=ids).order_by("name").values_list("name", flat=True)) if ids else []
        here = self.tenant_name or (self.place.tenant.name if self.place else "")
        return here if here in names else next(iter(names), "")

    def _item(self, label: Text, url: str, icon: str) -> Item:
        current = self.path == url if url == "/" else self.path.startswith(url)
        return Item(str(label), url, icon, current=current)


def frame(request: HttpRequest) -> dict[str, Any]:
    return {"frame": Frame(request)}
