"""The passport of one image: all that is known of it in a project, to read and to keep."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.selectors import promoting
from apps.views.app_frame import why_not
from apps.views.projects import told
from apps.views.promotion import form_page, framed, word_of
from apps.views.promotion_forms import EvidenceForm
from audit.commands import check_before
from core.api.formats import as_json
from core.errors import PortalError
from images.models import Artifact
from images.promotion import services
from images.promotion.models import Stage

ATTACH = ("app.test", "image.promote", "image.approve")


@login_required
@form_page
def page(request: HttpRequest, digest: str, **names: str) -> HttpResponse:
    """A POST adds evidence."""
    frame = framed(request, **names)
    artifact = promoting.artifact_of(frame.project, digest)
    form = EvidenceForm(request.POST if request.method == "POST" else None)
    if form.is_bound:
        check_before(services.attach, frame.actor, frame.project)
        if form.is_valid():
            try:
                services.attach(frame.actor, frame.project, digest=artifact.digest, **form.asked)
            except PortalError as error:
                told(form, error, "text")
            else:
                messages.success(request, _("Added to the passport."))
                return HttpResponseRedirect(request.path)
    found = promoting.passport_of(frame.project, digest)
    context = frame.context(
        artifact=artifact,
        passport=found | {name: _worded(found[name]) for name in ("promotions", "approvals", "differences")},
        image=_called(artifact),
        form=form,
        file_url=reverse("passport_file", kwargs=frame.names | {"digest": digest}),
        why_not_attach=why_not(frame.actor, ATTACH, frame.project),
    )
    return render(request, "apps/promotion/passport.html", context, status=422 if form.errors else 200)


def _worded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the words for stage and state, which a passport names by their keys."""
    return [
        row | {"stage_word": Stage(row["stage"]).label, "state_word": word_of(row["state"]) if "state" in row else ""}
        for row in rows
    ]


def _called(artifact: Artifact) -> str:
    """As people call it: the end of its repository's name, with the tag that was moved last."""
    tag = artifact.tags.order_by("-moved_at").values_list("name", flat=True).first()
    name = artifact.repository.name.rpartition("/")[2]
    return f"{name}:{tag}" if tag else name


@login_required
@require_safe
def file(request: HttpRequest, digest: str, **names: str) -> HttpResponse:
    """The same as JSON, to keep."""
    frame = framed(request, **names)
    found = promoting.passport_of(frame.project, digest)
    name = f"passport-{frame.project.name}-{digest.partition(':')[2][:12]}.json"
    headers = {"Content-Disposition": content_disposition_header(True, name), "X-Content-Type-Options": "nosniff"}
    return HttpResponse(as_json(found), content_type="application/json", headers=headers)
