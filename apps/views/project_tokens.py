"""Robots of a project and the tokens that count in it alone."""

import uuid
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from apps.views.app_frame import why_not
from apps.views.project_frame import ProjectFrame, project_frame
from apps.views.projects import told
from audit.commands import check_before
from core.errors import PortalError
from core.secrets import Secret
from tenants.custom.resolving import roles_at
from tenants.giving import givable
from tenants.profile.forms import DAYS
from tenants.robots import selectors, services
from tenants.robots.explaining import why_stopped
from tenants.robots.selectors import may_take_over
from tenants.robots.tenant_tokens import TokenLine
from tenants.roles import PERMISSIONS, Role

form_page = require_http_methods(["GET", "HEAD", "POST"])
MOST = 200


class RobotForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=40,
        help_text=gettext_lazy("What uses it, such as the name of a pipeline."),
        error_messages={"required": gettext_lazy("Name it.")},
    )  # fmt: skip
    role = forms.ChoiceField(
        label=gettext_lazy("Role"), initial="project.developer",
        help_text=gettext_lazy("At most what you hold here yourself."),
        error_messages={"invalid_choice": gettext_lazy("Choose one of the roles that you hold all of here.")},
    )  # fmt: skip

    def __init__(self, data: Any = None, *, roles: list[Role]) -> None:
        """`roles`: built-in ones and those of the tenant's own that may be given here."""
        super().__init__(data)
        self.fields["role"].choices = [(role.key, role.title) for role in roles]  # type: ignore[attr-defined]  # it has


class RobotTokenForm(forms.Form):
    robot = forms.ChoiceField(label=gettext_lazy("Robot"))
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=60, error_messages={"required": gettext_lazy("Name it.")}
    )
    days = forms.TypedChoiceField(label=gettext_lazy("Valid for"), choices=DAYS, coerce=int, initial=90)
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("May do"), required=False, choices=[(code, words) for code, words in PERMISSIONS.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Choose what it needs. With nothing chosen it may do all that the robot may."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, robots: list[str]) -> None:
        super().__init__(data, auto_id="token-%s")
        self.fields["robot"].choices = [(name, name) for name in robots]  # type: ignore[attr-defined]  # it has


@login_required
@form_page
def page(request: HttpRequest, **names: str) -> HttpResponse:
    """The lists; a POST makes a token of a robot, which this one answer shows."""
    frame = project_frame(request, "project_tokens", **names)
    if request.method != "POST":
        return _page(request, frame)
    check_before(services.create_robot_token, frame.actor, frame.project)
    form = RobotTokenForm(request.POST, robots=_robot_names(frame))
    secret = _made(frame, form) if form.is_valid() else None
    return _page(request, frame, secret=secret) if secret else _page(request, frame, token_form=form)


def _made(frame: ProjectFrame, form: RobotTokenForm) -> Secret | None:
    asked = form.cleaned_data
    made = {"name": asked["name"], "scopes": asked["scopes"], "lifetime": timedelta(days=asked["days"])}
    robot = selectors.robot(frame.actor, frame.project, asked["robot"])
    try:
        return services.create_robot_token(frame.actor, robot, **made)[1]
    except PortalError as error:
        told(form, error, "name")
        return None


def _robot_names(frame: ProjectFrame) -> list[str]:
    return [row["name"] for row in selectors.robots(frame.actor, frame.project).order_by("name")[:MOST]]


def _page(
    request: HttpRequest, frame: ProjectFrame, *, secret: Secret | None = None, **forms_sent: Any
) -> HttpResponse:
    robots = selectors.robots(frame.actor, frame.project).order_by("name")[:MOST]
    tokens = selectors.tokens(frame.actor, frame.project).order_by("-id")[:MOST]
    end = why_not(frame.actor, ("member.manage",), frame.project, even_closed=True)
    titles = {role.key: str(role.title) for role in roles_at(frame.project.tenant_id, level="project")}
    context = {
        "robots": [_shown(frame, row, titles) for row in selectors.shown_robots(list(robots))],
        "tokens": [_line(frame, row, may_end=not end) for row in selectors.shown_tokens(list(tokens))],
        "secret": secret.reveal() if secret else "",
        "robot_form": _robot_form(frame),
        "token_form": RobotTokenForm(robots=[row["name"] for row in robots]),
        "why_not": why_not(frame.actor, ("member.manage",), frame.project),
        "why_not_end": end,
    }
    status = 422 if forms_sent else 200
    return render(request, "apps/projects/tokens.html", frame.context(**context | forms_sent), status=status)


def _robot_form(frame: ProjectFrame, data: Any = None) -> RobotForm:
    return RobotForm(data, roles=givable(frame.actor, frame.project))


def _shown(frame: ProjectFrame, row: dict[str, Any], titles: dict[str, str]) -> dict[str, Any]:
    """A robot with its role in words, why it stands still, and why whoever looks cannot take it over."""
    lacks = ", ".join(str(PERMISSIONS[code]) for code in row["lacks"] if code in PERMISSIONS)
    return row | {
        "role_title": titles.get(row["role"], row["role"]),
        "why_stopped": why_stopped(row),
        "lacks_words": lacks,
        "may_take": row["keeper"] != frame.actor.name and may_take_over(frame.actor, frame.project, row["role"]),
    }


def _line(frame: ProjectFrame, row: dict[str, Any], *, may_end: bool) -> TokenLine:
    known = ("id", "name", "prefix", "scopes", "last_used_at", "expires_at", "owner")
    url = reverse("project_token_revoke", kwargs=frame.names | {"token": row["id"]}) if may_end else ""
    return TokenLine(**{name: row[name] for name in known}, robot=row["robot"] or "", revoke_url=url)


@login_required
@require_POST
def take_over(request: HttpRequest, robot: str, **names: str) -> HttpResponse:
    frame = project_frame(request, "project_tokens", **names)
    check_before(services.take_over_robot, frame.actor, frame.project)
    services.take_over_robot(frame.actor, selectors.robot(frame.actor, frame.project, robot))
    messages.success(request, _("You keep the robot %(name)s now; it may what you may of its role.") % {"name": robot})
    return HttpResponseRedirect(frame.address("project_tokens"))


@login_required
@require_POST
def add_robot(request: HttpRequest, **names: str) -> HttpResponse:
    frame = project_frame(request, "project_tokens", **names)
    check_before(services.create_robot, frame.actor, frame.project)
    form = _robot_form(frame, request.POST)
    if form.is_valid():
        try:
            made = services.create_robot(frame.actor, frame.project, **form.cleaned_data)
        except PortalError as error:
            told(form, error, "name")
        else:
            messages.success(request, _("The robot %(name)s is made; now make it a token.") % {"name": made.name})
            return HttpResponseRedirect(frame.address("project_tokens"))
    return _page(request, frame, robot_form=form)


@login_required
@require_POST
def remove_robot(request: HttpRequest, robot: str, **names: str) -> HttpResponse:
    frame = project_frame(request, "project_tokens", **names)
    services.remove_robot(frame.actor, selectors.robot(frame.actor, frame.project, robot))
    messages.success(request, _("The robot %(name)s is removed with its tokens.") % {"name": robot})
    return HttpResponseRedirect(frame.address("project_tokens"))


@login_required
@require_POST
def revoke(request: HttpRequest, token: uuid.UUID, **names: str) -> HttpResponse:
    frame = project_frame(request, "project_tokens", **names)
    check_before(services.revoke_project_token, frame.actor, frame.project)
    row = selectors.token(frame.project, token)
    services.revoke_project_token(frame.actor, frame.project, token=row)
    messages.success(request, _("The token %(name)s counts no more.") % {"name": row.name})
    return HttpResponseRedirect(frame.address("project_tokens"))
