"""Expected errors as answers: RFC 9457 for programs, a page or a fragment for people. The only place that does it."""

import errno
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import set_rollback

from core.errors import (
    BadRequest,
    Denied,
    FieldProblem,
    Invalid,
    NoSpace,
    NotFound,
    NotSignedIn,
    PortalError,
    TooLarge,
    TooMany,
    TooSlow,
)
from tenants.roles import PERMISSIONS

NO_SPACE = {"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE", "53100", errno.ENOSPC, errno.EDQUOT}
PROBLEM_JSON = "application/problem+json"
AGAIN = (408, 429, 500, 503, 507)  # what may be well the next time


class NotAllowed(PortalError):
    code, status = "method_not_allowed", 405
    title = gettext_lazy("This address is not to be asked in that way")


class NotAcceptable(PortalError):
    code, status = "not_acceptable", 406


class WrongType(PortalError):
    code, status = "unsupported_media_type", 415


def document(error: PortalError, request: HttpRequest) -> dict[str, Any]:
    """The problem document of an error, in the reader's language."""
    # what is missing and what is another's must be alike byte for byte, so their answers carry no id of their own
    return {
        "type": f"/api/v1/problems/{error.code}",
        "title": str(error.title),
        "status": error.status,
        "detail": str(error.message),
        "code": error.code,
        "hint": str(error.hint),
        **({} if isinstance(error, NotFound) else {"request_id": getattr(request, "request_id", "")}),
        "errors": [problem.as_json() for problem in error.errors],
        **error.extra,
    }


def headers_of(error: PortalError) -> dict[str, str]:
    return {"Retry-After": str(error.retry_after_seconds)} if error.retry_after_seconds is not None else {}


def for_api(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. What is not expected is a bug and goes on to the 500 page."""
    expected = as_portal_error(error)
    if expected is None:
        return None
    set_rollback()
    request: HttpRequest = context["request"]._request
    headers = headers_of(expected)
    if isinstance(expected, NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="berth"'
    if isinstance(error, drf.MethodNotAllowed):
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return Response(document(expected, request), status=expected.status, headers=headers, content_type=PROBLEM_JSON)


def for_page(request: HttpRequest, error: PortalError) -> HttpResponse:
    """The error as a page; to a program that asked for JSON as a problem document."""
    if request.path.startswith("/api/"):
        answer = document(error, request)
        return JsonResponse(answer, status=error.status, content_type=PROBLEM_JSON, headers=headers_of(error))
    response = _page(request, error)
    for name, value in headers_of(error).items():
        response[name] = value
    return response


def _page(request: HttpRequest, error: PortalError) -> HttpResponse:
    """In the frame for who is signed in, at the door for others; to a script only the words, for its toast."""
    problem = document(error, request) | {"phrase": _phrase(error), "actions": _ways_on(request, error)}
    if permission := error.extra.get("permission"):
        problem |= {"permission": permission, "lets": PERMISSIONS.get(permission, "")}
    if request.headers.get("HX-Request") == "true":
        return render(request, "door/_problem.html", {"problem": problem}, status=error.status)
    known = getattr(getattr(request, "actor", None), "id", None)
    template = "portal/problem.html" if known else "door/problem.html"
    try:
        return render(request, template, {"problem": problem}, status=error.status)
    except DatabaseError:  # the frame asks the database; without it the page still says what is wrong
        return render(request, "door/problem.html", {"problem": problem, "frame": None}, status=error.status)


def _phrase(error: PortalError) -> str:
    return HTTPStatus(error.status).phrase


def _ways_on(request: HttpRequest, error: PortalError) -> list[dict[str, Any]]:
    """Where to go from here; the first is what most people want."""
    home = {"label": _("Go to the start page"), "url": "/", "icon": "home"}
    again = {"label": _("Try again"), "url": request.get_full_path(), "icon": "refresh"}
    if request.method == "GET" and error.status in AGAIN:
        return [again, home]
    if isinstance(error, NotSignedIn):
        return [{"label": _("Sign in"), "url": reverse("sign_in"), "icon": "login"}, home]
    if isinstance(error, NotFound):
        return [home, {"label": _("Search"), "url": reverse("search"), "icon": "search"}]
    asking = _ask_for(request, error)
    return [asking, home] if asking else [home]


def _ask_for(request: HttpRequest, error: PortalError) -> dict[str, Any] | None:
    """Below a project what is missing can be asked for, with the right role chosen."""
    permission, names = error.extra.get("permission"), request.resolver_match.kwargs if request.resolver_match else {}
    if not isinstance(error, Denied) or not permission or not {"tenant", "project"} <= set(names):
        return None
    address = reverse("ask_access", kwargs={"tenant": names["tenant"], "project": names["project"]})
    query = urlencode({"permission": permission})
    return {"label": _("Ask for it"), "url": f"{address}?{query}", "icon": "clock"}


def not_allowed_page(request: HttpRequest, refused: HttpResponse) -> HttpResponse:
    """Django's empty refusal of a method, with words."""
    message = _("It does something, and is used by the button of a page: an address like that cannot be opened.")
    response = for_page(request, NotAllowed(message, hint=_("Go to the page it belongs to, and use the button there.")))
    response["Allow"] = refused["Allow"]
    return response


def plain_page(request: HttpRequest, error: PortalError) -> HttpResponse:
    """A page that needs nothing but its template: whatever broke may be what others are made with."""
    theme = request.COOKIES.get("theme", "")
    frame = {"theme": theme if theme in ("light", "dark") else "", "version": settings.VERSION}
    problem = document(error, request) | {"phrase": _phrase(error), "actions": _ways_on(request, error)}
    with translation.override(translation.get_language_from_request(request)):
        text = render_to_string("door/problem.html", {"problem": problem, "frame": frame})
    return HttpResponse(text, status=error.status, headers=headers_of(error))


def as_portal_error(error: Exception) -> PortalError | None:
    """Django's and DRF's own refusals in our words; None for what nobody expected."""
    if isinstance(error, PortalError):
        return error
    if isinstance(error, Http404 | drf.NotFound):
        return NotFound()
    if isinstance(error, drf.ValidationError):
        return Invalid(errors=list(_problems("", error.get_full_details())))
    if isinstance(error, drf.NotAuthenticated | drf.AuthenticationFailed):
        return NotSignedIn()
    if isinstance(error, PermissionDenied | drf.PermissionDenied):
        return Denied(str(getattr(error, "detail", "")) or "")
    if isinstance(error, RequestDataTooBig):
        return refusal("too_large")
    return as_no_space(error) or _of_drf(error)


def refusal(code: str) -> PortalError:
    """Why a body was not read."""
    return TooSlow() if code == "too_slow" else TooLarge(hint=_("Send at most 1 MiB."))


def as_no_space(error: BaseException | None) -> NoSpace | None:
    """A disk without room, whether a file, SQLite or PostgreSQL says so; None for any other trouble."""
    cause = error.__cause__ if isinstance(error, DatabaseError) else error
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or getattr(cause, "errno", None)
    return NoSpace() if code in NO_SPACE else None


def _of_drf(error: Exception) -> PortalError | None:
    if isinstance(error, drf.Throttled):
        return TooMany(retry_after_seconds=int(getattr(error, "wait", None) or 1))
    if isinstance(error, drf.MethodNotAllowed):
        return NotAllowed(_("This address does not understand that method."))
    if isinstance(error, drf.NotAcceptable):
        return NotAcceptable(_("This address cannot answer in the form that was asked for."))
    if isinstance(error, drf.UnsupportedMediaType):
        return WrongType(_("Send JSON."), hint="Content-Type: application/json")
    if isinstance(error, drf.ParseError):
        return BadRequest(str(error.detail))
    return None


def _problems(path: str, details: Any) -> Any:
    """DRF's nested details as a flat list with paths."""
    if isinstance(details, dict) and set(details) == {"message", "code"} and not isinstance(details["message"], dict):
        yield FieldProblem(path or "body", str(details["code"]), str(details["message"]))
    elif isinstance(details, dict):
        for key, inner in details.items():
            name = "" if key == "non_field_errors" else str(key)
            yield from _problems(".".join(filter(None, (path, name))), inner)
    elif isinstance(details, list):
        for inner in details:
            yield from _problems(path, inner)
