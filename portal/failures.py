"""The pages for what Django itself refuses, and for what nobody expected."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import BadRequest, Denied, NotFound, PortalError, Unavailable
from portal.problems import as_no_space, for_page, plain_page


class Broken(PortalError):
    code, status = "internal_error", 500
    title = gettext_lazy("Berth stumbled")


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    error = Denied(
        _("This form was not sent from one of our pages, or it is too old."),
        code="csrf",
        hint=_("Load the page again and repeat it."),
    )
    return for_page(request, error)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return for_page(request, BadRequest())


def denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return for_page(request, Denied())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return for_page(request, NotFound())


def broken(request: HttpRequest) -> HttpResponse:
    """What nobody expected. Its page asks nothing of the database, which may be what is away."""
    cause = sys.exc_info()[1]
    error = as_no_space(cause) or (_away() if isinstance(cause, OperationalError | InterfaceError) else _bug())
    return for_page(request, error) if request.path.startswith("/api/") else plain_page(request, error)


def _away() -> PortalError:
    return Unavailable(
        _("Berth does not reach its database just now. What runs on the clusters goes on running."),
        hint=_("Try again in a moment. If it stays, tell an operator the request id."),
        retry_after_seconds=5,
    )


def _bug() -> PortalError:
    return Broken(
        _("Something in Berth went wrong. It was not your doing."),
        hint=_("Try again. If it stays, tell an operator the request id."),
    )
