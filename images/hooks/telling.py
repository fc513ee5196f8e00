"""Who is told that nothing is sent to an address any more: those who manage the project."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.models import AuditEntry
from audit.services import Line, record, register_action
from core.access import SYSTEM
from images.hooks.models import Webhook
from tenants import notices
from tenants.models import Notice
from tenants.requests.telling import holders

ENDED = "webhook.ended"
END = register_action("webhook.end")


def ended(hook: Webhook) -> None:
    """In the transaction in which it was ended."""
    project = hook.project
    names = {"tenant": project.tenant.name, "project": project.name, "webhook": hook.pk}
    for person in holders("project.manage", tenant=hook.tenant_id, project=hook.project_id):
        notices.tell(
            person,
            ENDED,
            level=Notice.Level.WARN,
            params={"webhook": hook.name, "place": notices.place_name(project.tenant, project), "why": hook.state},
            link=reverse("project_webhook", kwargs=names),
            tenant=hook.tenant_id,
            project=hook.project_id,
        )
    line = Line(END, detail={"why": hook.state, "host": hook.host})
    line.name_target(hook)
    record(SYSTEM, line, result=AuditEntry.Result.DONE)


def _why(params: Mapping[str, Any]) -> str:
    if params.get("why") == Webhook.State.GONE:
        return _("Its receiver answered that it wants nothing any more.")
    return _("Nothing reached it for two days. Mend its receiver, then turn it on again.")


notices.register(ENDED, gettext_lazy("The webhook %(webhook)s of %(place)s is paused"), _why)
