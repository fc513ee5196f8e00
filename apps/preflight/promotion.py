"""Is each image approved for the stage it is to run in? Said before anything is filled in, with where to ask."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.gate import CODE, is_gated, kept_out
from apps.preflight.finding import Finding
from apps.preflight.plan import Plan, at


def check_promotion(plan: Plan) -> Iterator[Finding]:
    """Nothing at all where the stage takes every image."""
    here = plan.place.environment
    if not is_gated(here):
        return
    images = {
        name: (service.image, artifact.digest if (artifact := plan.artifacts[name]) else "")
        for name, service in plan.spec.services.items()
    }
    kept = {one.service: one for one in kept_out(here, images)}
    for name, (image, digest) in images.items():
        if name in kept:
            one = kept[name]
            link = _ask_address(plan, digest) if digest else ""
            button = _("Ask for its promotion") if digest else ""
            yield Finding("bad", CODE, one.sentence, at(name, "image"), one.hint, button=button, link=link)
        else:
            words = {"image": image, "stage": here.get_stage_display()}
            yield Finding("ok", "image_approved", _("%(image)s is approved for %(stage)s.") % words, at(name, "image"))


def _ask_address(plan: Plan, digest: str) -> str:
    project = plan.place.project
    address = reverse("promotion_ask", kwargs={"tenant": project.tenant.name, "project": project.name})
    return f"{address}?{urlencode({'stage': plan.place.environment.stage, 'digest': digest})}"
