"""Tells people a day ahead that a role of theirs ends."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.access import Actor
from core.clock import from_now
from core.wording import moment_text
from tenants import notices
from tenants.groups.holding import held_by, people_of
from tenants.models import Grant, Notice
from tenants.rights import running_grants
from tenants.roles import ROLES

AHEAD = timedelta(hours=24)
SHOWN_AHEAD = timedelta(days=3)
KIND = "grant.ends"


def ending_grants(actor: Actor) -> list[Grant]:
    """Grants of a person, by themselves or by a group, that end within three days, the first to end first."""
    if actor.id is None:
        return []
    rows = Grant.objects.filter(running_grants(), held_by(actor.id), ends_at__lte=from_now(SHOWN_AHEAD))
    return list(rows.select_related("tenant", "project__tenant").order_by("ends_at")[:10])


def role_title(key: str) -> str:
    """A role in words; its key where this version does not know it."""
    return str(ROLES[key].title) if key in ROLES else key


def _detail(params: Mapping[str, Any]) -> str:
    ends: datetime | None = parse_datetime(str(params.get("ends_at", "")))
    words = {
        "role": role_title(str(params.get("role", ""))),
        "when": moment_text(ends, style="full") if ends else "",
        "person": params.get("granted_by", ""),
    }
    if words["person"]:
        return _("The role “%(role)s”, given by %(person)s, ends on %(when)s.") % words
    return _("The role “%(role)s” ends on %(when)s.") % words


def tell_of_ending_grants() -> int:
    """Everybody whose grant, or whose group's, ends within a day, once for each grant."""
    due = Grant.objects.filter(running_grants(), ends_at__lte=from_now(AHEAD)).select_related("tenant", "project")
    told = set(Notice.objects.filter(kind=KIND).values_list("user_id", "about"))
    holders = [(person, grant) for grant in due for person in people_of(grant)]
    rows = [(person, grant) for person, grant in holders if (person, f"grant:{grant.pk}") not in told]
    for person, grant in rows:
        notices.tell(
            person,
            KIND,
            level=Notice.Level.WARN,
            params={
                "role": grant.role,
                "place": notices.place_name(grant.tenant, grant.project),
                "ends_at": grant.ends_at.isoformat() if grant.ends_at else "",
                "granted_by": grant.granted_by,
            },
            tenant=grant.tenant_id,
            project=grant.project_id,
            about=f"grant:{grant.pk}",
        )
    return len(rows)


notices.register(KIND, gettext_lazy("Your role in %(place)s ends soon"), _detail)
