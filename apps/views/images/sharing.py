"""Who else may pull from a repository."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.views.cluster_reach import form_page
from apps.views.images.frame import image_frame
from apps.views.projects import told
from audit.commands import check_before
from core.errors import NotFound, PortalError
from images.models import Repository
from images.selectors import shared_by_name
from images.services import share_repository


class ShareForm(forms.Form):
    visible = forms.ChoiceField(label=gettext_lazy("Open to"), choices=Repository.Visible.choices)
    tenants = forms.CharField(
        label=gettext_lazy("Tenants"), max_length=2000, required=False,
        help_text=gettext_lazy("Their names, separated by spaces, where it is open to named ones."),
    )  # fmt: skip

    @property
    def asked(self) -> dict[str, Any]:
        return self.cleaned_data | {"tenants": self.cleaned_data["tenants"].replace(",", " ").split()}


@login_required
@form_page
def page(request: HttpRequest, tenant: str, project: str, repository: str) -> HttpResponse:
    frame = image_frame(request, tenant, project, repository)
    check_before(share_repository, frame.actor, frame.project)
    row = frame.row
    if not frame.ours:
        raise NotFound()
    first = {"visible": row.visible, "tenants": " ".join(shared_by_name(row))}
    form = ShareForm(request.POST if request.method == "POST" else None, initial=first)
    if form.is_bound and form.is_valid():
        try:
            share_repository(frame.actor, row, **form.asked)
        except PortalError as error:
            told(form, error, "visible")
        else:
            messages.success(request, _("Who may pull %(name)s is saved.") % {"name": frame.name})
            return HttpResponseRedirect(frame.url)
    context = frame.context(form=form)
    return render(request, "apps/images/access.html", context, status=422 if form.errors else 200)
