"""Images to build upon: what a project may use, and what an operator recommends."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.views.found import actor_of
from apps.views.project_frame import project_frame
from apps.views.projects import told
from audit.commands import check_before
from core import access
from core.access import Actor
from core.errors import PortalError
from images.bases import selectors, services
from images.models import Repository

NEEDS = "cluster.manage"
MOST_CHOICES = 500


class PublishForm(forms.Form):
    repository = forms.ChoiceField(
        label=gettext_lazy("Repository"), help_text=gettext_lazy("Those that everybody may pull.")
    )
    advice = forms.CharField(
        label=gettext_lazy("What it is for"), max_length=500, required=False,
        help_text=gettext_lazy("And whom to ask about it."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, repositories: list[Repository]) -> None:
        super().__init__(data)
        self.rows = {str(row.pk): row for row in repositories}
        self.fields["repository"].choices = [(key, row.name) for key, row in self.rows.items()]  # type: ignore[attr-defined]


@login_required
@require_safe
def of_project(request: HttpRequest, tenant: str, project: str) -> HttpResponse:
    frame = project_frame(request, "project_images", tenant, project)
    access.check(frame.actor, "image.view", frame.project)
    rows = selectors.for_project(frame.project)
    bases = [{"base": row, "versions": selectors.versions(row)} for row in rows]
    return render(request, "apps/projects/bases.html", frame.context(bases=bases))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The operator's list; a POST publishes one more."""
    actor = actor_of(request)
    access.check(actor, "cluster.view")
    if request.method != "POST":
        return _page(request, actor)
    check_before(services.publish_base, actor, None)
    form = PublishForm(request.POST, repositories=_choices())
    if form.is_valid() and _published(actor, form):
        messages.success(request, _("Every tenant sees it from now on."))
        return redirect("base_images")
    return _page(request, actor, form=form)


def _choices() -> list[Repository]:
    return list(selectors.eligible()[:MOST_CHOICES])


def _published(actor: Actor, form: PublishForm) -> bool:
    asked = form.cleaned_data
    try:
        services.publish_base(actor, form.rows[asked["repository"]], advice=asked["advice"])
    except PortalError as error:
        told(form, error, "repository")
        return False
    return True


def _page(request: HttpRequest, actor: Actor, *, form: PublishForm | None = None) -> HttpResponse:
    rows = selectors.for_operator(actor)
    context = {
        "bases": [{"base": row, "versions": selectors.versions(row)} for row in rows],
        "form": form or PublishForm(repositories=_choices()),
        "may": access.may(actor, NEEDS),
    }
    return render(request, "apps/clusters/bases.html", context, status=422 if form else 200)


@login_required
@require_POST
def withdraw(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    name = request.POST.get("repository", "").replace("\0", "")[:300]
    services.withdraw_base(actor, selectors.repository_named(actor, name))
    messages.success(request, _("It is recommended no more; it stays where it is."))
    return redirect("base_images")
