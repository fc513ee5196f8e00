"""The pages for what Django itself refuses, and for what nobody expected."""

import sys

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from core.errors import BadRequest, Denied, NotFound, PortalError
from portal.problems import as_no_space, for_page


class Broken(PortalError):
    code, status = "internal_error", 500


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
    error: PortalError = as_no_space(sys.exc_info()[1]) or Broken(
        _("Something in Berth went wrong. It was not your doing."),
        hint=_("Try again. If it stays, tell an operator the request id."),
    )
    return for_page(request, error)
