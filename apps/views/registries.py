"""The registries elsewhere that a project knows: a tab of its settings."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from apps.views.app_frame import why_not
from apps.views.project_frame import ProjectFrame, project_frame
from apps.views.projects import told
from audit.commands import check_before
from core import access
from core.errors import PortalError
from core.secrets import Secret
from images.replication import connecting, selectors, services
from images.replication.models import RemoteRegistry

TAB = "project_registries"


class ReachForm(forms.Form):
    """How a registry is reached. The password is never shown again; an empty field keeps the one that is there."""

    address = forms.CharField(
        label=gettext_lazy("Address"), max_length=200,
        help_text=gettext_lazy("Such as https://registry.example.com."),
        error_messages={"required": gettext_lazy("Say where it is.")},
    )  # fmt: skip
    signs_in_at = forms.CharField(
        label=gettext_lazy("Signs in at"), max_length=200, required=False,
        help_text=gettext_lazy(
            "Only where the password goes to another host, such as auth.example.com. It is sent to these two alone."
        ),
    )  # fmt: skip
    user = forms.CharField(label=gettext_lazy("User"), max_length=100, required=False)
    password = forms.CharField(
        label=gettext_lazy("Password or token"), max_length=10_000, required=False, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip

    @property
    def parts(self) -> dict[str, Any]:
        parts = {name: self.cleaned_data[name] for name in ("address", "signs_in_at", "user")}
        given = self.cleaned_data["password"]
        return parts | ({"secret": Secret(given)} if given else {})


class NewRegistryForm(ReachForm):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=40, error_messages={"required": gettext_lazy("Name it.")}
    )
    field_order = ("name", "address", "signs_in_at", "user", "password")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, **names: str) -> HttpResponse:
    """The list; a POST adds one, once it has answered."""
    frame = _frame(request, names)
    if request.method != "POST":
        return _page(request, frame)
    check_before(services.add_registry, frame.actor, frame.project)
    form = NewRegistryForm(request.POST)
    if form.is_valid():
        try:
            made = connecting.add(frame.actor, frame.project, name=form.cleaned_data["name"], **form.parts)
        except PortalError as error:
            told(form, error, "address")
        else:
            messages.success(request, _("The registry %(name)s answers and is kept.") % {"name": made.name})
            return HttpResponseRedirect(frame.address(TAB))
    return _page(request, frame, form=form)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, registry: str, **names: str) -> HttpResponse:
    """One of them; a POST changes how it is reached."""
    frame = _frame(request, names)
    row = selectors.registry(frame.project, registry)
    form = ReachForm(request.POST or None, initial=selectors.shown_registry(row))
    if request.method == "POST":
        check_before(services.update_registry, frame.actor, row)
    if form.is_bound and form.is_valid():
        try:
            connecting.renew(frame.actor, row, **form.parts)
        except PortalError as error:
            told(form, error, "address")
        else:
            messages.success(request, _("The registry %(name)s answers so and is changed.") % {"name": row.name})
            return HttpResponseRedirect(frame.address(TAB))
    return _one(request, frame, row, form)


@login_required
@require_POST
def check(request: HttpRequest, registry: str, **names: str) -> HttpResponse:
    frame = _frame(request, names)
    check_before(services.update_registry, frame.actor, frame.project)
    row = selectors.registry(frame.project, registry)
    try:
        connecting.check_again(frame.actor, row)
    except PortalError as error:
        messages.error(request, f"{error.message} {error.hint}".strip())
    else:
        messages.success(request, _("The registry %(name)s answers and lets us in.") % {"name": row.name})
    return HttpResponseRedirect(frame.address(TAB))


@login_required
@require_POST
def remove(request: HttpRequest, registry: str, **names: str) -> HttpResponse:
    frame = _frame(request, names)
    check_before(services.remove_registry, frame.actor, frame.project)
    row = selectors.registry(frame.project, registry)
    services.remove_registry(frame.actor, row)
    messages.success(request, _("The registry %(name)s is forgotten, with its password.") % {"name": registry})
    return HttpResponseRedirect(frame.address(TAB))


def _frame(request: HttpRequest, names: dict[str, str]) -> ProjectFrame:
    frame = project_frame(request, TAB, **names)
    access.check(frame.actor, "image.view", frame.project)
    return frame


def _page(request: HttpRequest, frame: ProjectFrame, *, form: NewRegistryForm | None = None) -> HttpResponse:
    context = {
        "registries": list(selectors.registries(frame.project)[: services.MOST_REGISTRIES]),
        "form": form or NewRegistryForm(),
        "why_not": why_not(frame.actor, (services.MANAGE,), frame.project),
    }
    return render(request, "apps/replication/registries.html", frame.context(**context), status=422 if form else 200)


def _one(request: HttpRequest, frame: ProjectFrame, row: RemoteRegistry, form: ReachForm) -> HttpResponse:
    context = {
        "registry": row,
        "form": form,
        "rules": list(row.rules.order_by("name")[: services.MOST_RULES]),
        "why_not": why_not(frame.actor, (services.MANAGE,), frame.project),
    }
    status = 422 if form.errors else 200
    return render(request, "apps/replication/registry.html", frame.context(**context), status=status)
