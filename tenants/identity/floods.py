"""Floods of sign-ins: counted by django-axes in the database, refused before any password is looked at."""

from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest
from django.utils.translation import gettext as _

from core.errors import TooMany


class Handler(AxesDatabaseHandler):  # type: ignore[misc]  # untyped library
    """As the library counts, and in addition all failures of one address, whatever names were tried."""

    def is_locked(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        if bool(super().is_locked(request, credentials)):
            return True
        recent = AccessAttempt.objects.filter(
            ip_address=request.axes_ip_address, attempt_time__gte=get_cool_off_threshold(request)
        )
        failures: int = recent.aggregate(all=Sum("failures_since_start"))["all"] or 0
        limit: int = settings.AXES_ADDRESS_LIMIT
        return failures >= limit


def name_of(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """What failures are counted by: the name as it was typed, with its organization."""
    typed = request.POST
    name = typed.get("username") or (credentials or {}).get("username") or ""
    return f"{typed.get('organization', '')}/{name}".casefold().replace("\0", "")[:255]


def address_of(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def check(request: HttpRequest) -> None:
    """Raises TooMany where this name from this address, or this address, failed too often in the last minutes."""
    if AxesProxyHandler.is_allowed(request, None):
        return
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    raise TooMany(
        _("Too many wrong sign-ins"),
        hint=_("Wait %(minutes)s minutes, then try again.") % {"minutes": minutes},
        retry_after_seconds=minutes * 60,
    )
