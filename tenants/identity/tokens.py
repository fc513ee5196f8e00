"""Programs that come with a token of Keystone: `X-Auth-Token`, such as an application credential gives."""

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from core.access import NONE
from core.errors import NotSignedIn
from tenants.groups.holding import Place
from tenants.identity import recheck, sync
from tenants.identity.rows import SOURCE
from tenants.identity.wanted import rules, token_roles
from tenants.middleware import actor_with
from tenants.models import Grant, Tenant, User
from tenants.rights import rights_from, running_grants

KEPT_SECONDS = 60
SKEW_SECONDS = 60  # between Keystone's clock and ours
LONGEST_TOKEN = 4096


class KeystoneAuthentication(BaseAuthentication):
    """A token for one project gives what its roles there give in the tenant, and nothing anywhere else."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        token = request.headers.get("X-Auth-Token", "")
        if not token or not settings.KEYSTONE["url"]:
            return None
        if len(token) > LONGEST_TOKEN:
            raise AuthenticationFailed()
        said = validated(token)
        if not said:
            raise AuthenticationFailed()
        if not said["project"]:
            raise NotSignedIn(
                hint=_("Ask Keystone for a token of a project; one without a project gives nothing here.")
            )
        user = User.objects.filter(source=SOURCE, external_id=said["user"]).first()
        home = Tenant.objects.filter(source=SOURCE, external_id=said["project"]).exclude(state=Tenant.DISABLED).first()
        if user is None or home is None or not recheck.lets_in(user):
            raise AuthenticationFailed()
        held = set(Grant.objects.filter(running_grants(), user=user, tenant=home).values_list("role", flat=True))
        places: list[Place] = [
            (role, home.pk, None, None) for role in token_roles(rules(said["names"]), said["roles"]) if role in held
        ]
        rights = replace(rights_from(places), own=NONE)  # nothing of the person's own: no key that outlives it
        actor = actor_with(request._request, user, rights, kind="token")
        request._request.actor = actor  # type: ignore[attr-defined]  # ours, from the middleware
        return user, None


def validated(token: str) -> dict[str, Any] | None:
    """{"user", "project", "roles", "names"}; None for a token that is no good, which is never remembered."""
    key = f"keystone-token:{hashlib.sha256(token.encode()).hexdigest()}"
    known: dict[str, Any] | None = cache.get(key)
    if known is not None and parse_datetime(known["until"]) > timezone.now():  # type: ignore[operator]  # as we wrote it
        return known
    from tenants.identity import wire

    answer = wire.whose_token(token)
    if answer is None or _seconds(answer["expires_at"]) <= -SKEW_SECONDS:
        return None
    sync.follow(answer["user"]["id"])  # what they hold now; a token of theirs never gives more than that
    said = {
        "user": answer["user"]["id"],
        "project": answer.get("project", {}).get("id", ""),
        "roles": [role["id"] for role in answer.get("roles", [])],
        "names": {role["id"]: role["name"] for role in answer.get("roles", [])},
        "until": answer["expires_at"],
    }
    cache.set(key, said, _seconds(said["until"]))
    return said


def _seconds(until: str) -> float:
    end: datetime | None = parse_datetime(until)
    return min(KEPT_SECONDS, (end - timezone.now()).total_seconds()) if end else 0
