"""`manage.py check_identity`: whether Keystone answers, and whether Berth's account there is what it should be."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from tenants.identity.errors import IdentityUnavailable
from tenants.identity.wanted import ADMIN


class Command(BaseCommand):
    help = "Say as JSON what is right and wrong with the connection to Keystone."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(findings()))


def findings() -> list[dict[str, Any]]:
    """[{"name", "there", "hint", "needed"}], nothing where no Keystone is configured."""
    url = settings.KEYSTONE["url"]
    if not url:
        return []
    from tenants.identity import wire

    try:
        held = wire.own_roles()
    except IdentityUnavailable:
        hint = "Check KEYSTONE_URL, and that KEYSTONE_SYNC_USER has the role reader on the system."
        return [_finding(f"a Keystone at {url} that lets Berth's account read", there=False, hint=hint)]
    admin = any(role.casefold() == ADMIN for _place, role in held)
    manages = ("domain", "manager") in held
    return [
        _finding(f"a Keystone at {url} that lets Berth's account read", there=True),
        _finding(
            "Berth's account in Keystone is no admin", there=not admin,
            hint="Take its role admin: on any project it is admin of the whole cloud. It needs reader on the system.",
        ),
        _finding(
            "Berth's account in Keystone is manager of a domain", there=manages, needed=False,
            hint="Without it, roles given in Berth are not written to Keystone.",
        ),
    ]  # fmt: skip


def _finding(name: str, *, there: bool, hint: str = "", needed: bool = True) -> dict[str, Any]:
    return {"name": name, "there": there, "hint": hint, "needed": needed}
