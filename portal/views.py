"""What belongs to the frame of every page: finding, theme and language."""

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language as set_language_cookie

from core.access import Actor
from portal.frame import Frame
from portal.palette import found, words_of
from portal.places import MOST_PLACES, places_of
from tenants.models import User
from tenants.profile.forms import LANGUAGES
from tenants.profile.services import update_account

THEMES = ("light", "dark")
YEAR = 365 * 86400


def own_address(request: HttpRequest, address: str) -> str:
    """The address if it leads back to us, else home."""
    ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if address and ours else "/"


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Keep the theme in the profile, and in a cookie for the door, so that the next page is drawn in it at once."""
    theme = request.POST.get("theme", "")
    _keep(request, "theme", theme if theme in THEMES else "")
    response = HttpResponseRedirect(own_address(request, request.POST.get("next", "")))
    if theme in THEMES:
        response.set_cookie("theme", theme, max_age=YEAR, samesite="Lax", secure=request.is_secure())
    else:
        response.delete_cookie("theme")
    return response


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Django's own, and in the profile of whoever is signed in."""
    language = request.POST.get("language", "")
    if language in [code for code, _words in LANGUAGES if code]:
        _keep(request, "language", language)
    return set_language_cookie(request)


def _keep(request: HttpRequest, name: str, value: str) -> None:
    user = getattr(request.user, "_wrapped", request.user)
    if isinstance(user, User) and getattr(user, name) != value:
        update_account(cast(Actor, request.actor), user, settings={name: value})  # type: ignore[attr-defined]  # ours


@login_required
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Everything that Ctrl K finds, as a page; to the palette only the list, seen from where it was opened (`at`)."""
    query, part = request.GET.get("q", ""), request.headers.get("HX-Request") == "true"
    frame = Frame.at(request, request.GET.get("at", ""))
    context = {"query": query, "groups": found(frame, query)}
    return render(request, f"portal/{'_found' if part else 'search'}.html", context)


@login_required
@require_safe
def places(request: HttpRequest) -> HttpResponse:
    """The list of the place switcher: projects in which each typed word is found."""
    frame = Frame.at(request, request.GET.get("at", ""))
    here = (frame.tenant_name, frame.project_name)
    words, user = words_of(request.GET.get("q", "")), cast(User, frame.user)
    context: dict[str, Any] = {"places": places_of(frame.actor, user, here=here, words=words, most=MOST_PLACES)}
    return render(request, "components/frame_places.html", context | {"searched": bool(words)})


@login_required
@require_safe
def running(request: HttpRequest) -> HttpResponse:
    """The chip of running operations, which keeps itself new on every page."""
    frame = Frame.at(request, request.GET.get("at", ""))
    return render(request, "components/frame_running.html", {"frame": frame, "at": request.GET.get("at", "")})
