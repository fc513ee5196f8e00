"""Who has to know: those who may approve, whoever asked, and whoever answers for what runs."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.access import Actor
from images.promotion.models import Approval, Promotion
from images.promotion.selectors import builders
from images.promotion.words import why_suspended
from operations.changes import announce
from tenants import notices
from tenants.models import Notice, Project, User
from tenants.requests.telling import NEEDS, holders

ASKED, APPROVED, REFUSED = "promotion.asked", "promotion.approved", "promotion.refused"
SUSPENDED, POLICY = "promotion.suspended", "promotion.policy"


def deciders(row: Promotion) -> list[UUID]:
    """Those who may answer: neither who asked, nor who brought the image, nor who has answered."""
    answered = set(row.decisions.values_list("person_id", flat=True))
    found = holders("image.approve", tenant=row.tenant_id, project=row.project_id)
    people = User.objects.filter(pk__in=found, robot=None).exclude(
        username__in=builders(row.digest, tenant=row.tenant_id)
    )
    return [person.pk for person in people if person.pk != row.asked_by_id and person.pk not in answered]


def asked(row: Promotion) -> None:
    for person in deciders(row):
        _tell(person, ASKED, Notice.Level.WARN, row.project, _params(row), _page(row), f"promotion:{row.pk}")
    over(row)


def decided(row: Promotion, actor: Actor, reason: str) -> None:
    approved = row.state == Promotion.State.APPROVED
    kind, level = (APPROVED, Notice.Level.OK) if approved else (REFUSED, Notice.Level.WARN)
    params = _params(row) | {"by": actor.name, "reason": reason}
    _tell(row.asked_by_id, kind, level, row.project, params, _page(row), f"promotion:{row.pk}:{row.state}")


def suspended(row: Approval) -> None:
    """Everybody who may change what runs there, or approve it anew; and who asked for it."""
    people = {row.promotion.asked_by_id}
    for code in ("image.approve", "app.release"):
        people |= set(holders(code, tenant=row.tenant_id, project=row.project_id))
    params = {"image": _image(row.name, row.digest), "stage": row.stage, "project": str(row.project), "why": row.why}
    link = reverse("promotion", kwargs={"tenant": row.project.tenant.name, "project": row.project.name})
    about = f"suspended:{row.pk}:{row.suspended_at.isoformat() if row.suspended_at else ''}"
    for person in people:
        _tell(person, SUSPENDED, Notice.Level.BAD, row.project, params, link, about)


def policy_changed(actor: Actor, project: Project, stage: str) -> None:
    """That somebody makes it easier, or harder, to get into a stage is known to all who approve."""
    link = reverse("promotion", kwargs={"tenant": project.tenant.name, "project": project.name})
    for person in holders("image.approve", tenant=project.tenant_id, project=project.pk):
        if person != actor.id:
            params = {"person": actor.name, "stage": stage, "project": str(project)}
            _tell(person, POLICY, Notice.Level.WARN, project, params, link, "")


def over(row: Promotion) -> None:
    """What needs somebody changed."""
    for person in {*deciders(row), row.asked_by_id}:
        announce(NEEDS, row.pk, person=person)


def _params(row: Promotion) -> dict[str, Any]:
    return {
        "person": row.asked_by_name, "image": _image(row.name, row.digest), "stage": row.stage,
        "project": str(row.project), "reason": row.reason,
    }  # fmt: skip


def _image(name: str, digest: str) -> str:
    return f"{name.rpartition('/')[2]}@{digest[:19]}"


def _page(row: Promotion) -> str:
    names = {"tenant": row.project.tenant.name, "project": row.project.name}
    return reverse("promotion_one", kwargs=names | {"promotion": row.pk})


def _tell(
    person: UUID, kind: str, level: str, project: Project, params: Mapping[str, Any], link: str, about: str
) -> None:
    notices.tell(
        person, kind, level=level, params=params, link=link, tenant=project.tenant_id, project=project.pk, about=about
    )


def _quoted(params: Mapping[str, Any]) -> str:
    return _("“%(reason)s”") % {"reason": params["reason"]} if params.get("reason") else ""


def _why(params: Mapping[str, Any]) -> str:
    said = _("What runs keeps running; nothing starts with it any more.")
    return f"{why_suspended(params.get('why'))} {said}".strip()


notices.register(ASKED, gettext_lazy("%(person)s asks to promote %(image)s to %(stage)s in %(project)s"), _quoted)
notices.register(APPROVED, gettext_lazy("%(by)s approved %(image)s for %(stage)s in %(project)s"), _quoted)
notices.register(REFUSED, gettext_lazy("%(by)s refused %(image)s for %(stage)s in %(project)s"), _quoted)
notices.register(SUSPENDED, gettext_lazy("%(image)s is suspended in %(stage)s of %(project)s"), _why)
notices.register(POLICY, gettext_lazy("%(person)s changed what %(stage)s of %(project)s asks of images"))
