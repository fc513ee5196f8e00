"""What clients of the registry and the registry itself ask for. They have no session: they show it each time."""

import base64
import binascii
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from core.errors import BadRequest, NotSignedIn, PortalError
from images.registry import callers, scopes, signing, telling
from images.registry.callers import Caller

CODES = {401: "UNAUTHORIZED", 403: "DENIED", 429: "TOOMANYREQUESTS", 503: "UNAVAILABLE"}
Answer = Callable[[HttpRequest], HttpResponse]


def _of_registry(view: Answer) -> Answer:
    """Not there where there is no registry; refusals in the registry's own form, which its clients show."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not settings.REGISTRY["url"]:
            raise Http404
        try:
            return view(request)
        except PermissionDenied:  # an identity service's no
            return _refused(callers.wrong())
        except PortalError as error:
            return _refused(error)

    return answer


def _refused(error: PortalError) -> HttpResponse:
    text = " ".join(str(part) for part in (error.message, error.hint) if part)
    said = {"errors": [{"code": CODES.get(error.status, "UNSUPPORTED"), "message": text}]}
    response = JsonResponse(said, status=error.status)
    if error.status == 401:
        response["WWW-Authenticate"] = 'Basic realm="berth", charset="UTF-8"'
    if error.retry_after_seconds is not None:
        response["Retry-After"] = str(error.retry_after_seconds)
    return response


@csrf_exempt
@require_http_methods(["GET", "POST"])
@_of_registry
def token(request: HttpRequest) -> HttpResponse:
    """A token for what is asked and allowed: `GET` with Basic, or `POST` as in OAuth 2."""
    asked = request.GET if request.method == "GET" else request.POST
    if asked.get("service", "") not in ("", settings.REGISTRY["service"]):
        raise BadRequest(_("This is not the door of that registry."))
    wanted, keeps = asked.getlist("scope"), _keeps(request)
    caller = _by_basic(request) if request.method == "GET" else _by_form(request)
    given = scopes.granted(caller.actor, scopes.read(wanted))
    signed = signing.issue(caller.subject, given)
    answer: dict[str, Any] = {
        "token": signed,
        "access_token": signed,
        "expires_in": signing.LIFE_SECONDS,
        "issued_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "scope": " ".join(str(one) for one in given),
    }
    return JsonResponse(answer | ({"refresh_token": caller.kept} if keeps else {}))


def _keeps(request: HttpRequest) -> bool:
    """Whether the client would rather keep something else than the password."""
    if request.method == "GET":
        return request.GET.get("offline_token") == "true"
    return request.POST.get("access_type") == "offline" or request.POST.get("grant_type") == "refresh_token"


def _by_basic(request: HttpRequest) -> Caller:
    kind, _space, told = request.headers.get("Authorization", "").partition(" ")
    try:
        name, colon, password = base64.b64decode(told, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise callers.wrong() from None
    if kind.lower() != "basic" or not colon:
        raise callers.wrong()
    return callers.by_password(request, name, password)


def _by_form(request: HttpRequest) -> Caller:
    typed, kind = request.POST, request.POST.get("grant_type")
    if kind == "password":
        return callers.by_password(request, typed.get("username", ""), typed.get("password", ""))
    if kind == "refresh_token":
        return callers.by_earlier_login(request, typed.get("refresh_token", ""))
    raise BadRequest(_("The kind of grant has to be “password” or “refresh_token”."))


@csrf_exempt
@require_http_methods(["POST"])
@_of_registry
def events(request: HttpRequest) -> HttpResponse:
    """The registry tells what was pushed and deleted. It shows a secret that it shares with us alone."""
    shown = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(shown, f"Bearer {settings.REGISTRY['notices']}".encode()):
        raise NotSignedIn()
    try:
        told = json.loads(request.body)["events"]
    except (ValueError, KeyError, TypeError):
        raise BadRequest(_("This is nothing that a registry tells.")) from None
    for one in told if isinstance(told, list) else ():
        telling.take(one)
    return HttpResponse(status=204)
