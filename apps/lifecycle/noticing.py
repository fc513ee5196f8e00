"""Members of a project hear what became of it; whoever asked hears also when it could not be done."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.lifecycle.turns import Turn
from apps.selectors.reasons import failure_sentence
from core.errors import Text
from operations.models import Operation
from tenants import notices
from tenants.groups.holding import holders
from tenants.models import Grant, Notice, Project
from tenants.rights import running_grants

MOST_TOLD = 500
_DONE: dict[str, Text] = {
    "suspend": gettext_lazy("The project %(project)s is suspended"),
    "resume": gettext_lazy("The project %(project)s runs again"),
    "archive": gettext_lazy("The project %(project)s is archived"),
    "restore": gettext_lazy("The project %(project)s is restored"),
    "delete": gettext_lazy("The project %(project)s is deleted"),
}
_FAILED: dict[str, Text] = {
    "suspend": gettext_lazy("The project %(project)s could not be suspended"),
    "resume": gettext_lazy("The project %(project)s could not be resumed"),
    "archive": gettext_lazy("The project %(project)s could not be archived"),
    "restore": gettext_lazy("The project %(project)s could not be restored"),
    "delete": gettext_lazy("The project %(project)s could not be deleted"),
}


def _by_whom(params: Mapping[str, Any]) -> str:
    if params.get("reason"):
        return _("By %(person)s: %(reason)s") % {"person": params["person"], "reason": params["reason"]}
    return _("By %(person)s.") % {"person": params["person"]}


def _why(params: Mapping[str, Any]) -> str:
    told = failure_sentence(params.get("failure"))
    return f"{told.sentence} {told.hint}".strip()


for _deed, _words in _DONE.items():
    notices.register(f"project.{_deed}.succeeded", _words, _by_whom)
for _deed, _words in _FAILED.items():
    notices.register(f"project.{_deed}.failed", _words, _why)


def tell_of_end(operation: Operation, project: Project) -> None:
    """Call it in the transaction that ends the operation."""
    turn, done = Turn.read(operation), operation.state == Operation.State.SUCCEEDED
    if operation.state == Operation.State.CANCELLED:
        return  # somebody who knows cancelled it
    params = {
        "project": str(project), "person": operation.requested_by_name,
        "reason": operation.params["reason"], "failure": operation.failure,
    }  # fmt: skip
    seen = project.deleted_at is None
    link = reverse("project", kwargs={"tenant": project.tenant.name, "project": project.name}) if seen else ""
    for person in members(project) if done else asker(operation):
        notices.tell(
            person,
            f"project.{turn.deed}.{'succeeded' if done else 'failed'}",
            level=Notice.Level.OK if done else Notice.Level.BAD,
            params=params,
            link=link,
            tenant=project.tenant_id,
            project=project.pk,
            about=f"operation:{operation.pk}",
        )


def asker(operation: Operation) -> list[UUID]:
    return [operation.requested_by] if operation.requested_by else []


def members(project: Project) -> Iterable[UUID]:
    """Everybody with a role in the project, and who owns or administers its tenant."""
    here = Q(project=project) | Q(tenant=project.tenant_id, project=None, role__in=("tenant.owner", "tenant.admin"))
    found = holders(Grant.objects.filter(running_grants(), here)).filter(robot=None)
    return list(found.values_list("pk", flat=True)[:MOST_TOLD])
