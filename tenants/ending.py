"""Tells people a day ahead, and some minutes ahead, that a role of theirs ends; and that it was extended."""

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
AT_HAND = timedelta(minutes=10)
SHOWN_AHEAD = timedelta(days=3)
KIND, KIND_AT_HAND, EXTENDED = "grant.ends", "grant.ends_at_hand", "grant.extended"


def ending_grants(actor: Actor) -> list[Grant]:
    """Grants of a person, by themselves or by a group, that end within three days, the first to end first."""
    if actor.id is None:
        return []
    rows = Grant.objects.filter(running_grants(), held_by(actor.id), ends_at__lte=from_now(SHOWN_AHEAD))
    return list(rows.select_related("tenant", "project__tenant", "custom").order_by("ends_at")[:10])


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
    return _tell(KIND, AHEAD)


def tell_of_ends_at_hand() -> int:
    """Everybody whose grant ends within ten minutes: what is open then closes."""
    return _tell(KIND_AT_HAND, AT_HAND)


def _tell(kind: str, ahead: timedelta) -> int:
    due = Grant.objects.filter(running_grants(), ends_at__lte=from_now(ahead)).select_related(
        "tenant", "project", "custom"
    )
    told = set(Notice.objects.filter(kind=kind).values_list("user_id", "about"))
    holders = [(person, grant) for grant in due for person in people_of(grant)]
    rows = [(person, grant) for person, grant in holders if (person, _about(kind, grant)) not in told]
    for person, grant in rows:
        notices.tell(
            person,
            kind,
            level=Notice.Level.WARN,
            params=_params(grant) | {"granted_by": grant.granted_by},
            tenant=grant.tenant_id,
            project=grant.project_id,
            about=_about(kind, grant),
        )
    return len(rows)


def _about(kind: str, grant: Grant) -> str:
    """A grant that was given more time is told of again."""
    return f"{kind}:{grant.pk}:{grant.ends_at.timestamp():.0f}" if grant.ends_at else ""


def _params(grant: Grant) -> dict[str, Any]:
    return {
        "role": grant.custom.shown if grant.custom else grant.role,  # a built-in one in the reader's language
        "place": notices.place_name(grant.tenant, grant.project),
        "ends_at": grant.ends_at.isoformat() if grant.ends_at else "",
    }


def tell_of_extension(grant: Grant, *, by: str) -> None:
    """Everybody who holds it: they have more time now."""
    params = _params(grant) | {"by": by, "reason": grant.reason}
    for person in people_of(grant):
        notices.tell(
            person, EXTENDED, level=Notice.Level.OK, params=params, tenant=grant.tenant_id, project=grant.project_id
        )


def _extended(params: Mapping[str, Any]) -> str:
    ends = parse_datetime(str(params.get("ends_at", "")))
    return _("%(person)s gave the role “%(role)s” more time, until %(when)s: “%(reason)s”") % {
        "person": params.get("by", ""),
        "role": role_title(str(params.get("role", ""))),
        "when": moment_text(ends, style="full") if ends else "",
        "reason": params.get("reason", ""),
    }


notices.register(KIND, gettext_lazy("Your role in %(place)s ends soon"), _detail)
notices.register(KIND_AT_HAND, gettext_lazy("Your role in %(place)s ends in a few minutes"), _detail)
notices.register(EXTENDED, gettext_lazy("You have more time in %(place)s"), _extended)
