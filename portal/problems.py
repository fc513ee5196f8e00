"""Expected errors as answers: RFC 9457 for programs, a page or a fragment for people. The only place that does it."""

import errno
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
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

NO_SPACE = {"SQLITE_FULL", "53100", errno.ENOSPC, errno.EDQUOT}
PROBLEM_JSON = "application/problem+json"


class NotAllowed(PortalError):
    code, status = "method_not_allowed", 405


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
    problem = document(error, request) | {"phrase": HTTPStatus(error.status).phrase}
    response = render(request, "door/problem.html", {"problem": problem}, status=error.status)
    for name, value in headers_of(error).items():
        response[name] = value
    return response


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
