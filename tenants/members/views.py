"""The pages about people: who belongs here, giving and ending roles, and who could do what, when."""

import uuid
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.access import Actor, check, may, visible
from core.clock import database_now
from core.errors import FieldProblem, PortalError
from tenants import selectors as places
from tenants.breakglass.services import SOURCE as BREAK_GLASS
from tenants.custom.resolving import roles_at, title_of
from tenants.groups import selectors as groups
from tenants.members import history, selectors
from tenants.members.cutting import Place
from tenants.members.forms import GrantForm, HistoryForm, ProjectGrantForm
from tenants.models import Grant, Project, Tenant
from tenants.requests.selectors import decidable
from tenants.services import end_grant, give_grant

form_page = require_http_methods(["GET", "HEAD", "POST"])
ROWS = 50


@dataclass(frozen=True)
class Chip:
    """A role as the list shows it."""

    grant: Grant
    may_end: bool = False  # and give more time

    @property
    def role(self) -> str:
        return title_of(self.grant)

    @property
    def place(self) -> str:
        return self.grant.project.name if self.grant.project else str(self.grant.tenant or "")

    @property
    def may_extend(self) -> bool:
        return self.may_end and self.timed and self.grant.source != BREAK_GLASS

    @property
    def timed(self) -> bool:
        return self.grant.ends_at is not None


class Asked:
    """How the list is narrowed: a part of a name, a role, a project."""

    def __init__(self, sent: QueryDict, at: "Where") -> None:
        self.search, self.role, on = (_text(sent, name) for name in ("q", "role", "on"))
        self.on = "" if at.project else on
        self.roles = [(role.key, role.title) for role in roles_at(at.tenant.pk)]
        self.projects = projects_at(at)

    @property
    def role_words(self) -> str:
        return str(dict(self.roles).get(self.role, self.role))

    def more(self, after: str) -> str:
        """The query of those beyond a name, narrowed the same."""
        sent = {"q": self.search, "role": self.role, "on": self.on, "after": after}
        return urlencode({name: value for name, value in sent.items() if value})


def _text(sent: QueryDict, name: str) -> str:
    """What stands in an address, short enough and fit for a database."""
    return sent.get(name, "").replace("\0", "\ufffd")[:150]


@dataclass(frozen=True)
class Where:
    """The tenant, or the project in it, whose members a page is about, and who looks."""

    actor: Actor
    tenant: Tenant
    project: Project | None = None
    names: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        return self.project or self.tenant

    def url(self, page: str, **more: Any) -> str:
        name = f"project_{page}" if self.project else page
        return reverse(name, kwargs=self.names | more)


def where(request: HttpRequest, tenant: str, project: str = "") -> Where:
    actor = cast(Actor, request.actor)  # type: ignore[attr-defined]  # set by our middleware
    if project:
        row = places.project(actor, tenant, project)
        found = Where(actor, row.tenant, row, {"tenant": tenant, "project": project})
    else:
        found = Where(actor, places.tenant(actor, tenant), None, {"tenant": tenant})
    check(actor, "member.view", found.place)
    return found


@login_required
@form_page
def page(request: HttpRequest, tenant: str, project: str = "") -> HttpResponse:
    at = where(request, tenant, project)
    form = _form(request, at)
    if form.is_bound and form.is_valid() and _given(at, form):
        holder = form.cleaned_data["subject"] or form.cleaned_data["group"]
        messages.success(request, _("%(person)s has the role now.") % {"person": holder})
        return redirect(at.url("members"))
    return render(request, "tenants/members/page.html", _page(request, at, form), status=422 if form.is_bound else 200)


def _page(request: HttpRequest, at: Where, form: GrantForm) -> dict[str, Any]:
    asked = Asked(request.GET, at)
    only = selectors.which(role=asked.role, on=asked.on)
    found = selectors.members(
        at.actor, at.place, search=asked.search, beyond=_text(request.GET, "after"), most=ROWS + 1, only=only
    )
    shown = [(one, at.url("member", person=one.user.pk), [Chip(grant) for grant in one.grants]) for one in found[:ROWS]]
    return page_context(at, "people") | {
        "form": form,
        "people": shown,
        "asked": asked,
        "more": asked.more(found[ROWS - 1].user.get_username()) if len(found) > ROWS else "",
        "ends_soon": selectors.ending_soon(at.actor, at.place),
        "asks": decidable(at.actor).filter(tenant=at.tenant).count(),
        "may_manage": may(at.actor, "member.manage", at.place),
        **_groups(at),
    }


def _groups(at: Where) -> dict[str, Any]:
    """What a project's page says of groups; those of a tenant have a page of their own."""
    if at.project is None:
        return {}
    manages = may(at.actor, "member.manage", at.project)
    held = [Chip(grant, may_end=manages) for grant in groups.grants_at(at.actor, at.project)]
    proposed = groups.proposed(at.actor, at.project) if manages else []
    return {"group_chips": held, "proposed": proposed, "opens_groups": may(at.actor, "member.view", at.tenant)}


def page_context(at: Where, tab: str) -> dict[str, Any]:
    return {
        "tenant": at.tenant,
        "project": at.project,
        "place": at.place,
        f"at_{tab}": True,
        "members_url": at.url("members"),
        "may_tokens": at.project is None and may(at.actor, "member.manage", at.tenant),
        "may_history": at.project is None and may(at.actor, "audit.view", at.tenant),
    }


def projects_at(at: Where) -> list[str]:
    if at.project:
        return [at.project.name]
    rows = visible(at.actor, Project.objects.filter(tenant=at.tenant, deleted_at__isnull=True))
    return list(rows.order_by("name").values_list("name", flat=True)[:500])


def _form(request: HttpRequest, at: Where) -> GrantForm:
    initial = {"subject": request.GET.get("person", ""), "role": "project.developer" if at.project else "tenant.member"}
    if at.project:
        initial["project"] = at.project.name
    return (ProjectGrantForm if at.project else GrantForm)(
        request.POST if request.method == "POST" else None,
        projects=projects_at(at), tenant=at.tenant.pk, initial=initial,
    )  # fmt: skip


def _given(at: Where, form: GrantForm) -> bool:
    """Whether the role was given; where it was refused the form says so beside the field."""
    asked = form.cleaned_data
    try:
        check(at.actor, "member.manage", at.place)  # before names of people are looked up
        target = places.grantable(at.actor, at.tenant, asked["project"] or None)
        holder: dict[str, Any] = {"user": places.person("subject", asked["subject"] or None)}
        holder |= {"group": groups.named(at.tenant, asked.get("group") or None)}
        give_grant(at.actor, target, **holder, role=asked["role"], ends_at=form.until, reason=asked["reason"])
    except PortalError as error:
        for problem in error.errors or [FieldProblem("role", error.code, f"{error.message} {error.hint}")]:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        return False
    return True


@login_required
@require_POST
def end(request: HttpRequest, tenant: str, grant: uuid.UUID) -> HttpResponse:
    """End one role at once."""
    actor = cast(Actor, request.actor)  # type: ignore[attr-defined]  # set by our middleware
    row = places.grant(actor, places.tenant(actor, tenant), grant)
    end_grant(actor, row.project or cast(Tenant, row.tenant), grant=row)
    said = _("%(person)s has this role no more. What was open is being closed.")
    messages.success(request, said % {"person": row.subject})
    if not may(actor, "member.view", row.tenant):
        return redirect("project_members", tenant=tenant, project=row.project.name) if row.project else redirect("home")
    return redirect("group", tenant=tenant, group=row.group_id) if row.group_id else redirect("members", tenant=tenant)


@login_required
@require_safe
def who_could(request: HttpRequest, tenant: str) -> HttpResponse:
    """Who could do what at a moment: for a person, a permission, or a place."""
    actor = cast(Actor, request.actor)  # type: ignore[attr-defined]  # set by our middleware
    home = places.tenant(actor, tenant)
    check(actor, "audit.view", home)
    names = history.project_names(home)
    form = HistoryForm(request.GET or None, projects=names)
    asked = form.asked if form.is_bound else {}
    now = database_now()
    moment = asked.get("at") or now
    found = history.who_could(
        actor, home, moment=moment, now=now, place=history.place_once(home, asked.get("project", "")),
        person=asked.get("person", ""), permission=asked.get("permission", ""),
    )  # fmt: skip
    at = Where(actor, home, None, {"tenant": tenant})
    context = page_context(at, "history") | {
        "form": form if form.is_bound else HistoryForm({"at": timezone.localtime(now)}, projects=names),
        "moment": moment,
        "held": [(one, Chip(one.grant)) for one in found],
    }
    return render(request, "tenants/members/who_could.html", context)
