"""How a project keeps its images: tags that never move, what stays and what goes, and how much room there is."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.selectors.history import deed_of
from apps.selectors.state import operation_status
from apps.views.app_frame import why_not
from apps.views.project_frame import ProjectFrame, project_frame
from apps.views.projects import told
from audit.commands import check_before
from core import access
from core.errors import PortalError
from images.keeping import room, selectors, services
from images.keeping.retaining import plan
from tenants.quota.claiming import Where, limited
from tenants.quota.resources import Resource

MOST_LINES = 500
WHERE = gettext_lazy("Names within the project: * stands for any characters, ? for one.")


class TagsForm(forms.Form):
    repositories = forms.CharField(label=gettext_lazy("Repositories"), max_length=200, initial="*", help_text=WHERE)
    tags = forms.CharField(
        label=gettext_lazy("Tags that never move"), max_length=128, help_text=gettext_lazy("Such as v* or *.*.*")
    )


class RetentionForm(forms.Form):
    repositories = forms.CharField(label=gettext_lazy("Repositories"), max_length=200, initial="*", help_text=WHERE)
    newest = forms.IntegerField(label=gettext_lazy("So many of the newest stay"), required=False, min_value=1)
    days = forms.IntegerField(label=gettext_lazy("For so many days all stay"), required=False, min_value=1)
    pulled_days = forms.IntegerField(
        label=gettext_lazy("Pulled images stay for so many days"), required=False, min_value=1,
        help_text=gettext_lazy("Counted from the last pull that the registry told of."),
    )  # fmt: skip
    tags = forms.CharField(label=gettext_lazy("Tags that stay"), max_length=128, required=False)
    deployed_days = forms.IntegerField(
        label=gettext_lazy("Going back is possible for so many days"), min_value=1, initial=90,
        help_text=gettext_lazy("What was deployed since then stays."),
    )  # fmt: skip

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="retention-%s")


@login_required
@require_safe
def page(request: HttpRequest, **names: str) -> HttpResponse:
    return _page(request, _frame(request, names))


def _frame(request: HttpRequest, names: dict[str, str]) -> ProjectFrame:
    frame = project_frame(request, "project_keeping", **names)
    access.check(frame.actor, "image.view", frame.project)
    return frame


def _page(request: HttpRequest, frame: ProjectFrame, **sent: forms.Form) -> HttpResponse:
    project, now = frame.project, selectors.cleaning(frame.project)
    limits = [row for row in limited(Where(project.tenant_id, project.pk)) if row.resource == Resource.IMAGES]
    context: dict[str, Any] = {
        "tag_rules": list(selectors.tag_rules(frame.actor, project).order_by("repositories", "tags")),
        "retention": list(selectors.retention(frame.actor, project).order_by("repositories")),
        "stored": room.stored(project.pk),
        "limit": min((row.whole or 0 for row in limits), default=None),
        "now": {"title": deed_of(now), "status": operation_status(now)} if now else None,
        "tags_form": TagsForm(),
        "retention_form": RetentionForm(),
        "why_not": why_not(frame.actor, ("project.manage",), project),
        "why_not_delete": why_not(frame.actor, ("image.delete",), project),
        "preview_url": reverse("retention_preview", kwargs=frame.names),
    }
    return render(request, "apps/projects/keeping.html", frame.context(**context | sent), status=422 if sent else 200)


@login_required
@require_safe
def preview(request: HttpRequest, **names: str) -> HttpResponse:
    """Exactly what would go, and why all else stays."""
    frame = _frame(request, names)
    lines = plan(frame.project)
    context = {
        "lines": lines[:MOST_LINES],
        "more": len(lines) > MOST_LINES,
        "counted": selectors.counted(lines),
        "why_not_delete": why_not(frame.actor, ("image.delete",), frame.project),
    }
    return render(request, "apps/projects/keeping_preview.html", frame.context(**context))


@login_required
@require_POST
def protect(request: HttpRequest, **names: str) -> HttpResponse:
    frame = _frame(request, names)
    check_before(services.protect_tags, frame.actor, frame.project)
    form = TagsForm(request.POST)
    if form.is_valid():
        try:
            services.protect_tags(frame.actor, frame.project, **form.cleaned_data)
        except PortalError as error:
            told(form, error, "tags")
        else:
            messages.success(request, _("These tags never move from now on."))
            return HttpResponseRedirect(frame.address("project_keeping"))
    return _page(request, frame, tags_form=form)


@login_required
@require_POST
def free(request: HttpRequest, rule_id: UUID, **names: str) -> HttpResponse:
    frame = _frame(request, names)
    check_before(services.free_tags, frame.actor, frame.project)
    services.free_tags(frame.actor, selectors.tag_rule(frame.actor, frame.project, rule_id))
    messages.success(request, _("The rule is gone; these tags may move again."))
    return HttpResponseRedirect(frame.address("project_keeping"))


@login_required
@require_POST
def retain(request: HttpRequest, **names: str) -> HttpResponse:
    frame = _frame(request, names)
    check_before(services.retain, frame.actor, frame.project)
    form = RetentionForm(request.POST)
    if form.is_valid():
        try:
            services.retain(frame.actor, frame.project, **form.cleaned_data)
        except PortalError as error:
            told(form, error, "newest")
        else:
            messages.success(request, _("The rule counts from now on. The preview says what goes by it."))
            return HttpResponseRedirect(reverse("retention_preview", kwargs=frame.names))
    return _page(request, frame, retention_form=form)


@login_required
@require_POST
def retain_all(request: HttpRequest, rule_id: UUID, **names: str) -> HttpResponse:
    frame = _frame(request, names)
    check_before(services.retain_all, frame.actor, frame.project)
    services.retain_all(frame.actor, selectors.retention_rule(frame.actor, frame.project, rule_id))
    messages.success(request, _("The rule is gone."))
    return HttpResponseRedirect(frame.address("project_keeping"))


@login_required
@require_POST
def clean(request: HttpRequest, **names: str) -> HttpResponse:
    frame = _frame(request, names)
    services.clean(frame.actor, frame.project)
    messages.success(request, _("It has begun; nobody needs to wait for it here."))
    return HttpResponseRedirect(frame.address("project_keeping"))
