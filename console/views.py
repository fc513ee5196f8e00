"""The console page of an app: a terminal in each instance that one may look into."""

import json
from typing import Any

from csp.constants import NONCE, SELF
from csp.decorators import csp_update
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.models import ObservedInstance
from apps.needs import needs_console
from apps.views.app_frame import AppFrame, app_frame, ask_address, why_not
from backends.contract import InstanceState
from console.services import SHELLS
from core import access
from core.access import visible


@login_required
@require_safe
@csp_update({"style-src": [SELF, NONCE]})  # the terminal writes its own sheet, marked with the nonce
def page(request: HttpRequest, **names: str) -> HttpResponse:
    frame = app_frame(request, "console", **names)
    access.check_any(frame.actor, ("console.open", "console.protected"), frame.place)
    return render(request, "console/page.html", frame.context(**_shown(request, frame)))


def _shown(request: HttpRequest, frame: AppFrame) -> dict[str, Any]:
    rows = visible(frame.actor, ObservedInstance.objects.select_related("host")).filter(place=frame.place)
    instances = list(rows.filter(state=InstanceState.RUNNING).order_by("service", "number"))
    asked = next((row.pk for row in instances if str(row.pk) == request.GET.get("instance", "")), None)
    return {
        "instances": instances,
        "chosen": asked,
        "shells": SHELLS,
        "idle": settings.CONSOLE_IDLE_SECONDS,
        "why_not": why_not(frame.actor, needs_console(frame.place), frame.place),
        "ask_url": ask_address(frame.app.project, needs_console(frame.place)),
        "logs_url": frame.address("logs"),
        "api": _api(frame),
        "setup": json.dumps(_setup(frame, asked=asked is not None), ensure_ascii=False),
    }


def _api(frame: AppFrame) -> str:
    names, environment = frame.names, frame.place.environment.name
    app = f"tenants/{names['tenant']}/projects/{names['project']}/apps/{names['app']}"
    return f"/api/v1/{app}/environments/{environment}"


def _setup(frame: AppFrame, *, asked: bool) -> dict[str, Any]:
    environment = frame.place.environment
    return {
        "api": f"{_api(frame)}/consoles",
        "kept": f"console {frame.app.pk}",
        "environment": environment.name,
        "asked": asked and not environment.protected,
        "words": _words(),
    }


def _words() -> dict[str, str]:
    """What the script says, in the reader's language."""
    return {
        "none": _("no console"),
        "connecting": _("connecting"),
        "connected": _("connected"),
        "reconnecting": _("connection lost, coming back"),
        "ended": _("ended"),
        "exit": _("The shell ended with exit code %(code)s."),
        "exitHint": _("Open it again if you need it."),
        "goneWhileAway": _("The console ended while the page was away."),
        "goneHint": _("A console waits half a minute for its page. Open a new one."),
        "lost": _("The connection could not be made again in time."),
        "denied": _("You may not have this console open any more."),
        "tooMany": _("You have as many consoles open as one person may. Close one first."),
        "tooMuch": _("That is more than a console takes at once. Paste at most 512 KB."),
        "idle": _("no key for a while, ends in %(time)s"),
        "limit": _("open for very long, ends in %(time)s"),
        "size": _("%(columns)s × %(rows)s"),
        "minutes": _("%(m)s min %(s)s s"),
        "seconds": _("%(s)s s"),
        "copied": _("Copied"),
        "nothing": _("Nothing is selected"),
        "pasteByKey": _("This browser pastes by key only: press Ctrl+Shift+V in the terminal."),
        "found": _("%(n)s of %(all)s"),
        "notFound": _("not found"),
        "closeTab": _("End and close %(name)s"),
        "reason": _("Reason given: %(reason)s."),
        "user": _("user %(user)s of the image"),
        "userHint": _(
            "The image does not run as root: what belongs to others, and installing packages, is out of reach here."
        ),
        "failed": _("The request did not get through. Check the connection and try again."),
        "terminal": _("Terminal of %(name)s"),
    }
