"""What Ctrl K finds: pages and places to go to, and what may be done, in the reader's language.

A typed word fits where it stands anywhere in an entry: "logs web", "restart shop prod", "部署 shop". Words that name a
deed ("restart") are not looked for in names, unless something is really called so.
"""

import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.models import AppEnvironment, Release, ServiceName
from apps.needs import needs_deploy, needs_scale
from core import access
from core.access import Actor, visible
from images.models import Repository
from images.repositories.selectors import by_words
from portal.frame import Frame
from portal.places import containing, places_of
from tenants import recent
from tenants.models import Tenant, User

LONGEST = 100
MOST_WORDS = 6
MOST_PLACES = 20
MOST_SHOWN = 8  # of each group
HAN = "\u3400-\u9fff"
WORDS = re.compile(rf"[{HAN}]+|[^\s/:{HAN}]+")  # Chinese is written without blanks: 部署shop is two words
PLACE_COLUMNS = ("app__name", "app__title", "project__name", "tenant__name", "environment__name")


class Entry(NamedTuple):
    """One line. `post`: it is a button that sends to its address, with `name` and `value` where it has them.

    `terms` are more words that find it; `does` is a behaviour of frontend/src that takes the button's place.
    """

    label: str
    url: str
    icon: str
    tail: str = ""
    post: bool = False
    terms: str = ""
    name: str = ""
    value: str = ""
    does: str = ""

    def fits(self, words: Iterable[str]) -> bool:
        text = f"{self.label} {self.tail} {self.terms}".lower()
        return all(word in text for word in words)


@dataclass
class Group:
    key: str
    title: str
    entries: list[Entry] = field(default_factory=list)


class Deed(NamedTuple):
    """Something one may do with an app in an environment."""

    name: str
    icon: str
    terms: str
    post: bool = False
    ask: str = ""  # the dialog of the app's page that asks, where it is done there


DEEDS = (
    Deed("deploy", "rocket", "deploy release update"),
    Deed("logs", "file-text", "logs log"),
    Deed("console", "terminal-2", "console terminal shell exec"),
    Deed("metrics", "chart-line", "metrics cpu memory load"),
    Deed("scale", "arrows-maximize", "scale instances replicas", ask="scale"),
    Deed("restart", "refresh", "restart", post=True, ask="restart"),
    Deed("stop", "player-stop", "stop", post=True, ask="stop"),
    Deed("start", "player-play", "start", post=True),
)


def label_of(deed: str, names: dict[str, str]) -> str:
    """The deed as a sentence about an app in an environment."""
    sentences = {
        "deploy": _("Deploy %(app)s to %(environment)s"),
        "logs": _("Logs of %(app)s in %(environment)s"),
        "console": _("Console of %(app)s in %(environment)s"),
        "metrics": _("Metrics of %(app)s in %(environment)s"),
        "scale": _("Scale %(app)s in %(environment)s"),
        "restart": _("Restart %(app)s in %(environment)s"),
        "stop": _("Stop %(app)s in %(environment)s"),
        "start": _("Start %(app)s in %(environment)s"),
    }
    return sentences[deed] % names


def words_of(query: str) -> list[str]:
    return WORDS.findall(query.lower()[:LONGEST])[:MOST_WORDS]


def found(frame: Frame, query: str) -> list[Group]:
    """Groups with what fits, best first; without a query what is likely wanted: here, recent, the pages."""
    if frame.user is None:
        return []
    search = Search(frame, frame.user, words_of(query))
    groups = search.suggested() if not search.words else search.fitting()
    return [group for group in groups if group.entries]


@dataclass
class Search:
    frame: Frame
    user: User
    words: list[str]

    @property
    def actor(self) -> Actor:
        return self.frame.actor

    @property
    def things(self) -> list[str]:
        """The words that name no deed."""
        return [word for word in self.words if not self._names_deed(word)]

    def suggested(self) -> list[Group]:
        places = self._here() or self._recent()
        return [
            Group("here", _("Do"), [*self._deeds(places[:3])][:MOST_SHOWN]),
            Group("recent", _("Recent"), [*self._apps(self._recent()), *self._projects()][:MOST_SHOWN]),
            Group("pages", _("Pages"), [*self._pages(), *self._own()]),
        ]

    def fitting(self) -> list[Group]:
        places, words = self._places(), self.words
        tenants = visible(self.actor, Tenant.objects.filter(containing(words, ("name", "title")))).order_by("name")
        groups = [
            Group("apps", _("Apps"), [*self._apps(places)]),
            Group("do", _("Do"), [*self._deeds(places), *self._new(), *self._own()]),
            Group("pages", _("Pages"), [*self._pages()]),
            Group("projects", _("Projects"), [*self._projects()]),
            Group("images", _("Images"), [*self._images()]),
            Group("tenants", _("Tenants"), [_tenant(row) for row in tenants[:MOST_SHOWN]]),
            Group("environments", _("Environments"), [*self._environments(places)]),
            Group("releases", _("Releases"), [*self._releases()]),
        ]
        for group in groups:
            group.entries = [entry for entry in group.entries if entry.fits(words)][:MOST_SHOWN]
        deeds_first = any(self._names_deed(word) for word in words)
        return sorted(groups, key=lambda group: group.key != "do") if deeds_first else groups

    def _names_deed(self, word: str) -> bool:
        """Whether a word begins one that names a deed, in English or in the reader's language."""
        blank = {"app": "", "environment": ""}
        known = [term for deed in DEEDS for term in deed.terms.split()]
        known += [term for deed in DEEDS for term in label_of(deed.name, blank).lower().split()]
        return len(word) > 1 and any(term.startswith(word) or (word in term and not word.isascii()) for term in known)

    def _places(self) -> list[AppEnvironment]:
        """Places that all words, or all that name no deed, fit; those of this project and the recent ones first."""
        things = self.things
        rows = self._rows().filter(_thing(self.words) | _thing(things)) if things else self._rows()
        here = Q(tenant__name=self.frame.tenant_name, project__name=self.frame.project_name)
        near = list(rows.filter(here)[:MOST_PLACES]) if self.frame.project_name else []
        far = rows.exclude(pk__in=[row.pk for row in near])[: MOST_PLACES - len(near)]
        last = recent.apps(self.user)
        return sorted([*near, *far], key=lambda row: (row.app.name not in self.words, _rank(_path(row), last)))

    def _rows(self) -> QuerySet[AppEnvironment]:
        rows = AppEnvironment.objects.filter(app__deleted_at__isnull=True, project__deleted_at__isnull=True)
        rows = rows.select_related("app", "project", "tenant", "environment")
        return visible(self.actor, rows).order_by("app__name", "environment__position")

    def _here(self) -> list[AppEnvironment]:
        """The places of the app whose page is open."""
        names = (self.frame.tenant_name, self.frame.project_name, self.frame.app_name)
        return list(self._rows().filter(_named(["/".join(names)]))[:MOST_PLACES]) if all(names) else []

    def _recent(self) -> list[AppEnvironment]:
        last = recent.apps(self.user)[:4]
        rows = list(self._rows().filter(_named(last))[:MOST_PLACES]) if last else []
        return sorted(rows, key=lambda row: _rank(_path(row), last))

    def _apps(self, places: Iterable[AppEnvironment]) -> Iterator[Entry]:
        """Each app once, whatever the number of its environments."""
        seen: set[uuid.UUID] = set()
        for row in places:
            if row.app_id not in seen:
                seen.add(row.app_id)
                terms = f"{row.app.title} {row.environment.name} {' '.join(self.things)}"
                yield Entry(row.app.name, reverse("app", kwargs=_names(row)), "box", _where(row), terms=terms)

    def _environments(self, places: Iterable[AppEnvironment]) -> Iterator[Entry]:
        """An app in one environment, where the environment was typed."""
        for row in places:
            if row.environment.name in self.words:
                words = {"app": row.app.name, "environment": row.environment.name}
                url = _at(row, reverse("app", kwargs=_names(row)))
                yield Entry(_("%(app)s in %(environment)s") % words, url, "box", _where(row))

    def _deeds(self, places: Iterable[AppEnvironment]) -> Iterator[Entry]:
        for row in places:
            for deed in DEEDS:
                if self._may(deed, row):
                    yield _deed(deed, row, self.things)

    def _may(self, deed: Deed, row: AppEnvironment) -> bool:
        if deed.name == "deploy":
            return self._any(needs_deploy(row), row)
        if row.release_id is None or (deed.name in TURNING and row.stopped != (deed.name == "start")):
            return False
        if deed.name in VIEWS:
            return self._any(_needs_look(deed.name, row), row)
        return self._any(needs_scale(row) if deed.name == "scale" else needs_deploy(row), row)

    def _any(self, codes: tuple[str, ...], row: AppEnvironment) -> bool:
        return any(access.may(self.actor, code, row) for code in codes)

    def _new(self) -> Iterator[Entry]:
        for place in places_of(self.actor, self.user, most=MOST_SHOWN):
            if access.may(self.actor, "app.deploy", place.project):
                names = {"tenant": place.tenant.name, "project": place.project.name}
                label = _("Deploy a new app in %(project)s") % {"project": place.label}
                yield Entry(label, reverse("deploy", kwargs=names), "plus", place.tenant.name, terms="new create app")

    def _projects(self) -> Iterator[Entry]:
        for place in places_of(self.actor, self.user, words=self.words, most=MOST_SHOWN):
            yield Entry(
                place.label, place.url, "folder", place.tenant.name, terms=f"{place.project} {place.tenant.title}"
            )

    def _pages(self) -> Iterator[Entry]:
        for group in self.frame.nav:
            for item in group.items:
                yield Entry(item.label, item.url, item.icon, group.title)

    def _own(self) -> Iterator[Entry]:
        account = _("Account")
        yield Entry(_("Notifications"), reverse("notices"), "bell", account, terms="notices notifications bell")
        yield Entry(_("Profile"), reverse("profile"), "user", account, terms="profile account language time zone keys")
        yield Entry(_("Tokens"), reverse("tokens"), "key", account, terms="tokens api create token")
        yield Entry(_("Sessions"), reverse("sessions"), "fingerprint", account, terms="sessions browsers sign out")
        terms = "security second factor totp app passkey recovery codes"
        yield Entry(_("Security"), reverse("security"), "lock", account, terms=terms)
        yield Entry(_("Change the password"), reverse("password"), "lock", account, terms="change password")
        theme = "light" if self.frame.theme == "dark" else "dark"
        yield Entry(
            _("Change the theme"), reverse("set_theme"), "moon", account, post=True, terms="change theme dark light",
            name="theme", value=theme, does="turn-theme",
        )  # fmt: skip
        choice = self.frame.language_choice
        yield Entry(
            choice["label"], reverse("set_language"), "language", account, post=True,
            terms="change language chinese english 语言", name="language", value=choice["code"],
        )  # fmt: skip
        yield Entry(_("Sign out"), reverse("sign_out"), "logout", account, post=True, terms="sign out log out leave")

    def _images(self) -> Iterator[Entry]:
        """ "web 1.4" leads to what that tag means now."""
        if not self.things:
            return
        repositories, tags = by_words(self.actor, self.things, most=MOST_SHOWN)
        for row in repositories:
            yield _image(row, "repository")
        for tag in tags:
            yield _image(tag.repository, "image_digest", tag.name, digest=tag.artifact.digest)

    def _releases(self) -> Iterator[Entry]:
        """ "shop 3" leads to release 3 of shop."""
        numbers = [int(word) for word in self.words if word.isdecimal() and len(word) < 7]
        others = [word for word in self.words if not word.isdecimal() and word not in ("release", _("release"))]
        if len(numbers) != 1 or not others:
            return
        columns = ("app__name", "app__title", "project__name", "tenant__name")
        rows = Release.objects.filter(containing(others, columns), number=numbers[0], app__deleted_at__isnull=True)
        for row in visible(self.actor, rows.select_related("app__project__tenant"))[:MOST_SHOWN]:
            project = row.app.project
            names = {"tenant": project.tenant.name, "project": project.name, "app": row.app.name, "number": row.number}
            label = _("Release %(number)s of %(app)s") % {"number": row.number, "app": row.app.name}
            yield Entry(
                label,
                reverse("release", kwargs=names),
                "packages",
                f"{project.tenant.name} / {project.name}",
                terms=row.app.title,
            )


TURNING = ("start", "stop", "restart")
VIEWS = {"logs": "logs", "console": "console", "metrics": "metrics"}
"""Pages of an app that a deed leads to, by the name of their address."""


def _needs_look(deed: str, row: AppEnvironment) -> tuple[str, ...]:
    if deed != "console":
        return ("log.view",) if deed == "logs" else ("app.view",)
    return ("console.protected",) if row.environment.protected else ("console.open",)


def _deed(deed: Deed, row: AppEnvironment, words: list[str]) -> Entry:
    names = {"app": row.app.name, "environment": row.environment.name}
    label, tail = label_of(deed.name, names), _where(row)
    terms = f"{deed.terms} {row.app.title} {' '.join(words)}"
    if deed.name == "deploy":
        project = {"tenant": row.tenant.name, "project": row.project.name}
        return Entry(label, f"{reverse('deploy', kwargs=project)}?{urlencode(names)}", deed.icon, tail, terms=terms)
    if deed.name in VIEWS:
        return Entry(label, _at(row, reverse(VIEWS[deed.name], kwargs=_names(row))), deed.icon, tail, terms=terms)
    if deed.ask and (row.environment.protected or not deed.post):
        url = _at(row, reverse("app", kwargs=_names(row)), ask=deed.ask)
        return Entry(label, url, deed.icon, tail, terms=terms)
    return Entry(label, _at(row, reverse(f"app_{deed.name}", kwargs=_names(row))), deed.icon, tail, True, terms)


def _thing(words: Iterable[str]) -> Q:
    """Places in whose names, or in a name of whose services, each word stands."""
    services = ServiceName.objects.filter(app=OuterRef("app"), environment=OuterRef("environment"))
    parts = (containing([word], PLACE_COLUMNS) | Q(Exists(services.filter(name__icontains=word))) for word in words)
    return reduce(lambda one, other: one & other, parts, Q())


def _named(paths: Iterable[str]) -> Q:
    found = Q(pk__in=[])
    for path in paths:
        tenant, project, app = path.split("/")
        found |= Q(tenant__name=tenant, project__name=project, app__name=app)
    return found


def _path(row: AppEnvironment) -> str:
    return f"{row.tenant.name}/{row.project.name}/{row.app.name}"


def _rank(path: str, last: list[str]) -> int:
    return last.index(path) if path in last else len(last)


def _names(row: AppEnvironment) -> dict[str, str]:
    return {"tenant": row.tenant.name, "project": row.project.name, "app": row.app.name}


def _where(row: AppEnvironment) -> str:
    return f"{row.tenant.name} / {row.project.name}"


def _at(row: AppEnvironment, url: str, **more: str) -> str:
    return f"{url}?{urlencode({'environment': row.environment.name} | more)}"


def _image(row: Repository, page: str, tag: str = "", **more: str) -> Entry:
    tenant, project, name = row.path.split("/", 2)
    url = reverse(page, kwargs={"tenant": tenant, "project": project, "repository": name} | more)
    return Entry(f"{name}:{tag}" if tag else name, url, "stack-2", f"{tenant} / {project}", terms=f"{row.title} image")


def _tenant(row: Tenant) -> Entry:
    return Entry(row.title or row.name, reverse("tenant_activity", kwargs={"tenant": row.name}), "building", row.name)
