"""Images that are built from sources: asked for, followed by their log, cancelled; and where operators let it be."""

import re
import uuid
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.selectors.state import operation_status
from apps.views.answers import shown
from apps.views.app_frame import why_not
from apps.views.found import actor_of
from apps.views.image_upload import sending_words
from apps.views.project_frame import ProjectFrame, project_frame
from apps.views.projects import sent
from audit.commands import check_before
from backends.selectors import cluster as cluster_of
from core import access
from core.secrets import Secret
from core.status import Status
from images.building import logs, selectors, services
from images.building.models import Build
from images.registry import names as registry
from operations.models import Operation

TAB = "project_images"
NEEDS = "image.push"
MOST_SHOWN = 50
LAST_LINES = 400
LAST_CHARACTERS = 64 * 1024
STATES = {
    Build.State.DONE: Status.DONE,
    Build.State.FAILED: Status.FAILED,
    Build.State.CANCELLED: Status.CANCELLED,
}


class BuildForm(forms.Form):
    upload = forms.UUIDField(required=False, widget=forms.HiddenInput)
    address = forms.CharField(
        label=gettext_lazy("Git address"), max_length=500, required=False,
        help_text=gettext_lazy("Such as https://git.example.com/team/web.git."),
    )  # fmt: skip
    revision = forms.CharField(
        label=gettext_lazy("Branch, tag or commit"), max_length=200, required=False,
        help_text=gettext_lazy("Left empty, the one that the address calls its own."),
    )  # fmt: skip
    user = forms.CharField(label=gettext_lazy("User there"), max_length=100, required=False)
    secret = forms.CharField(
        label=gettext_lazy("Password or token there"), max_length=1000, required=False, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Shown to that address alone, and forgotten when the build has ended."),
    )  # fmt: skip
    repository = forms.CharField(
        label=gettext_lazy("Repository here"), max_length=150,
        help_text=gettext_lazy("Its name in this project, such as web."),
        error_messages={"required": gettext_lazy("Name it.")},
    )  # fmt: skip
    tags = forms.CharField(
        label=gettext_lazy("Tags"), max_length=500, required=False,
        help_text=gettext_lazy("Separated by spaces; latest where none is named."),
    )  # fmt: skip
    recipe = forms.CharField(
        label=gettext_lazy("Dockerfile"), max_length=300, required=False, initial="Dockerfile",
        help_text=gettext_lazy("Where it lies, from the top of the sources."),
    )  # fmt: skip
    arguments = forms.CharField(
        label=gettext_lazy("Build arguments"), max_length=20_000, required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy("NAME=value, one on a line. The image tells them to everybody: no secrets."),
    )  # fmt: skip
    network = forms.BooleanField(label=gettext_lazy("Let its steps reach the network"), required=False)

    def clean_arguments(self) -> dict[str, str]:
        lines = [line for line in self.cleaned_data["arguments"].splitlines() if line.strip()]
        return {name.strip(): value for name, _equals, value in (line.partition("=") for line in lines)}

    def clean_tags(self) -> list[str]:
        return [one for one in re.split(r"[\s,]+", self.cleaned_data["tags"]) if one]

    def clean_secret(self) -> Secret | None:
        return Secret(self.cleaned_data["secret"]) if self.cleaned_data["secret"] else None


@dataclass(frozen=True)
class BuildLine:
    """One build as a list and its page show it."""

    row: Build
    url: str = ""

    @property
    def operation(self) -> Operation | None:
        return selectors.operation_of(self.row)

    @property
    def status(self) -> Status:
        operation = self.operation if self.row.state in Build.OPEN else None
        if operation is not None and self.row.state == Build.State.WAITING and not operation.cancel_requested:
            return Status.WAITING
        return operation_status(operation) if operation else STATES.get(Build.State(self.row.state), Status.PENDING)

    @property
    def failure(self) -> dict[str, str]:
        return selectors.failure_of(self.row.failure) or {}

    @property
    def reference(self) -> str:
        return f"{registry.reference(self.row.path)}@{self.row.digest}" if self.row.path else ""

    @property
    def seconds(self) -> float | None:
        ended, started = self.row.ended_at, self.row.started_at
        return (ended - started).total_seconds() if ended and started else None


def _frame(request: HttpRequest, names: dict[str, str]) -> ProjectFrame:
    frame = project_frame(request, TAB, **names)
    access.check(frame.actor, "image.view", frame.project)
    return frame


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, **names: str) -> HttpResponse:
    """The sources, the form and the list; a POST begins a build."""
    frame = _frame(request, names)
    if request.method != "POST":
        return _page(request, frame, BuildForm(initial={"upload": request.GET.get("upload", "")[:36]}))
    check_before(services.build_image, frame.actor, frame.project)
    form = BuildForm(request.POST)
    made = sent(form, "repository", partial(services.build_image, frame.actor, frame.project))
    if made is None:
        response = _page(request, frame, form)
        response.status_code = 422
        return response
    messages.success(request, _("It has begun; nobody needs to wait for it here."))
    return HttpResponseRedirect(frame.address("image_build", build=made.pk))


def _page(request: HttpRequest, frame: ProjectFrame, form: BuildForm) -> HttpResponse:
    reason = why_not(frame.actor, (NEEDS,), frame.project)
    rows = selectors.builds(frame.actor, frame.project).order_by("-created_at")[:MOST_SHOWN]
    waiting = list(selectors.ready_sources(frame.actor, frame.project)) if not reason else []
    chosen = str(form["upload"].value() or "")
    place = selectors.place_for(frame.project)
    context: dict[str, Any] = {
        "form": form,
        "lines": [BuildLine(row, frame.address("image_build", build=row.pk)) for row in rows],
        "waiting": waiting,
        "chosen": next((one for one in waiting if str(one.pk) == chosen), None),
        "why_not": reason,
        "there": bool(registry.address()),
        "place": place,
        "operates": access.may(frame.actor, "cluster.manage", None),
        "network": bool(place and place.network),
        "allowed": selectors.allows_network(frame.project),
        "why_not_network": why_not(frame.actor, ("tenant.manage",), frame.project),
        "api": reverse("api_uploads", kwargs=frame.names),
        "said": sending_words(_("All of %(file)s is here. Choose it below to build from it.")),
    }
    return shown(request, "builds/page", frame.context(**context), part="builds/_lists")


@login_required
@require_safe
def one(request: HttpRequest, build: uuid.UUID, **names: str) -> HttpResponse:
    frame = _frame(request, names)
    row = selectors.build(frame.actor, frame.project, build)
    line = BuildLine(row)
    lines = logs.text_of(row, most=LAST_CHARACTERS).split("\n")
    context = {
        "line": line,
        "build": row,
        "lines": (lines if lines[-1] else lines[:-1])[-LAST_LINES:],
        "said": selectors.said_last(row),
        "active": row.state in Build.OPEN,
        "cancelled": line.operation is not None and line.operation.cancel_requested,
        "why_not": why_not(frame.actor, (NEEDS,), frame.project, even_closed=True),
        "digest_url": _digest_url(frame, row),
    }
    return shown(request, "builds/build", frame.context(**context), part="builds/_build")


def _digest_url(frame: ProjectFrame, row: Build) -> str:
    if not row.digest:
        return ""
    return frame.address("image_digest", repository=row.repository, digest=row.digest)


@login_required
@require_safe
def log(request: HttpRequest, build: uuid.UUID, **names: str) -> HttpResponse:
    """All of it that is kept, as a text."""
    frame = _frame(request, names)
    row = selectors.build(frame.actor, frame.project, build)
    headers = {"Content-Disposition": f'attachment; filename="build-{row.pk}.log"'}
    return HttpResponse(logs.text_of(row), content_type="text/plain; charset=utf-8", headers=headers)


@login_required
@require_POST
def cancel(request: HttpRequest, build: uuid.UUID, **names: str) -> HttpResponse:
    frame = _frame(request, names)
    services.cancel_build(frame.actor, selectors.build(frame.actor, frame.project, build))
    messages.success(request, _("It stops; nothing of it is kept but its log."))
    return HttpResponseRedirect(frame.address("image_build", build=build))


@login_required
@require_POST
def network(request: HttpRequest, **names: str) -> HttpResponse:
    frame = _frame(request, names)
    wanted = request.POST.get("network") == "1"
    services.set_network(frame.actor, frame.project, network=wanted)
    messages.success(
        request,
        _("Builds of this project may reach the network.") if wanted else _("Builds of this project stay apart."),
    )
    return HttpResponseRedirect(frame.address("image_builds"))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def places(request: HttpRequest) -> HttpResponse:
    """For operators: where images are built. A POST allows it on a cluster, or takes that back."""
    actor = actor_of(request)
    access.check(actor, "cluster.view")
    if request.method == "POST":
        row = cluster_of(actor, request.POST.get("cluster", "")[:40])
        if allowed := request.POST.get("allow", ""):
            services.allow_builds(actor, row, network=allowed == "network")
            messages.success(request, _("Images are built on %(cluster)s.") % {"cluster": row.name})
        else:
            services.withdraw_builder(actor, row)
            messages.success(request, _("No build begins on %(cluster)s any more.") % {"cluster": row.name})
        return redirect("builders")
    context = {"places": selectors.places(actor), "may": access.may(actor, "cluster.manage", None)}
    return render(request, "apps/builds/places.html", context)
