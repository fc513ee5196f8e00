"""Deleting an image or taking a tag off: what it would break comes first, and its name is typed."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.images.breaking import breaks_of
from apps.images.removing import remove, take_tag_off
from apps.images.services import remove_image, remove_tag
from apps.views.cluster_reach import form_page
from apps.views.images.digests import artifact_of
from apps.views.images.frame import SHORT, ImageFrame, image_frame, shown_uses
from audit.commands import check_before
from core.errors import NotFound, PortalError
from images.models import Artifact, Repository


class TypedForm(forms.Form):
    typed_name = forms.CharField(
        label=gettext_lazy("Its name, to be sure"), max_length=200, widget=forms.TextInput({"autocomplete": "off"})
    )

    def __init__(self, data: Any = None, *, name: str) -> None:
        super().__init__(data)
        self.name = name

    def clean_typed_name(self) -> str:
        if self.cleaned_data["typed_name"].strip() != self.name:
            raise forms.ValidationError(_("Type %(name)s exactly.") % {"name": self.name})
        return self.name


@login_required
@form_page
def image(request: HttpRequest, tenant: str, project: str, repository: str, digest: str) -> HttpResponse:
    """An image with all its tags."""
    frame = image_frame(request, tenant, project, repository)
    check_before(remove_image, frame.actor, frame.project)
    home, row = _ours(frame), artifact_of(frame, digest)
    return _page(
        request,
        frame,
        row,
        name=row.digest.removeprefix("sha256:")[:12],
        act=lambda: remove(frame.actor, home, digest=digest),
        done=_("%(name)s is deleted.") % {"name": f"{frame.name}@{digest[:SHORT]}"},
    )


@login_required
@form_page
def tag(request: HttpRequest, tenant: str, project: str, repository: str, tag: str) -> HttpResponse:
    """One tag; the image stays."""
    frame = image_frame(request, tenant, project, repository)
    check_before(remove_tag, frame.actor, frame.project)
    home = _ours(frame)
    row = home.tags.select_related("artifact__repository").filter(name=tag.replace("\0", "")).first()
    if row is None:
        raise NotFound()
    return _page(
        request,
        frame,
        row.artifact,
        name=row.name,
        tag=row.name,
        act=lambda: take_tag_off(frame.actor, home, tag=tag),
        done=_("The tag %(name)s is taken off.") % {"name": f"{frame.name}:{tag}"},
    )


def _ours(frame: ImageFrame) -> Repository:
    """What another project offers is not deleted from here."""
    if not frame.ours:
        raise NotFound()
    return frame.row


def _page(
    request: HttpRequest,
    frame: ImageFrame,
    row: Artifact,
    *,
    name: str,
    act: Callable[[], None],
    done: str,
    tag: str = "",
) -> HttpResponse:
    form = TypedForm(request.POST if request.method == "POST" else None, name=name)
    if form.is_bound and form.is_valid() and _done(form, act):
        messages.success(request, done)
        return HttpResponseRedirect(frame.url)
    found = breaks_of(frame.actor, row)
    others = [one for one in found.tags if one != tag]
    context = frame.context(
        artifact=row,
        short=row.digest[:SHORT],
        tag=tag,
        typed=name,
        form=form,
        found=found,
        stands=found.stands and not tag,
        uses=shown_uses(found.runs),
        others=others,
        harmless=not (tag or found.stands or others or found.lists or found.back),
        digest_url=frame.digest_url(row.digest),
    )
    return render(request, "apps/images/remove.html", context, status=422 if form.errors else 200)


def _done(form: TypedForm, act: Callable[[], None]) -> bool:
    try:
        act()
    except PortalError as error:
        form.add_error(None, f"{error.message} {error.hint}".strip())
        return False
    return True
