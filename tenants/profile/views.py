"""Pages of one's own account: profile, sessions, tokens, password."""

import uuid
from typing import cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.access import Actor
from core.errors import FieldProblem, PortalError
from core.secrets import Secret
from tenants import selectors as people
from tenants import services as tokens_services
from tenants.models import User
from tenants.profile import selectors, services
from tenants.profile.forms import ProfileForm, TokenForm

form_page = require_http_methods(["GET", "HEAD", "POST"])


def who(request: HttpRequest) -> tuple[Actor, User]:
    """The actor of a request and their row."""
    user = getattr(request.user, "_wrapped", request.user)
    return cast(Actor, request.actor), cast(User, user)  # type: ignore[attr-defined]  # set by our middleware


@login_required
@form_page
def profile(request: HttpRequest) -> HttpResponse:
    actor, user = who(request)
    form = ProfileForm.of(user, request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return render(request, "tenants/profile.html", {"form": form, "at_profile": True}, status=_status(form))
    services.update_account(actor, user, settings=form.settings())
    with translation.override(user.language or translation.get_language()):
        messages.success(request, _("Your profile is saved."))
    return kept_in_cookies(redirect("profile"), user, secure=request.is_secure())


def _status(form: Form) -> int:
    return 422 if form.is_bound else 200


def kept_in_cookies(response: HttpResponse, user: User, *, secure: bool) -> HttpResponse:
    """The door and its pages know nobody yet: they take theme and language from the browser."""
    for name, value in (("theme", user.theme), ("language", user.language)):
        if value:
            response.set_cookie(name, value, max_age=365 * 86400, samesite="Lax", secure=secure)
        else:
            response.delete_cookie(name)
    return response


@login_required
@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    actor, user = who(request)
    found = selectors.browsers(actor, user)
    return render(request, "tenants/sessions.html", {"browsers": found, "others": len(found) - 1, "at_sessions": True})


@login_required
@require_POST
def end_session(request: HttpRequest, session: uuid.UUID) -> HttpResponse:
    actor, user = who(request)
    row = selectors.session(user, session)
    here = row.session_key == actor.session
    services.end_session(actor, user, session=row)
    if here:
        return redirect("sign_in")
    messages.success(request, _("That browser is signed out."))
    return redirect("sessions")


@login_required
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    actor, user = who(request)
    ended = services.end_other_sessions(actor, user)
    words = ngettext("%(count)s browser is signed out.", "%(count)s browsers are signed out.", ended)
    messages.success(request, words % {"count": ended})
    return redirect("sessions")


@login_required
@form_page
def tokens(request: HttpRequest) -> HttpResponse:
    actor, user = who(request)
    form = TokenForm(request.POST if request.method == "POST" else None, places=selectors.places_for_tokens(actor))
    secret = _made(actor, user, form) if form.is_bound and form.is_valid() else None
    if secret is not None:
        form = TokenForm(places=selectors.places_for_tokens(actor))
    context = {"form": form, "tokens": selectors.own_tokens(user), "secret": secret.reveal() if secret else ""}
    return render(request, "tenants/tokens.html", context | {"at_tokens": True}, status=_status(form))


def _made(actor: Actor, user: User, form: TokenForm) -> Secret | None:
    """The text of a new token; None where it was refused, which the form then says."""
    asked = form.cleaned_data
    tenant, _slash, project = asked["place"].partition("/")
    try:
        limit = people.place_of_token(actor, tenant or None, project or None)
        made = {"name": asked["name"], "scopes": asked["scopes"], "lifetime": form.lifetime, "limit": limit}
        return tokens_services.create_token(actor, user, **made)[1]
    except PortalError as error:
        problems = error.errors or [FieldProblem("name", error.code, error.message)]
        for problem in problems:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        return None


@login_required
@require_POST
def revoke(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    actor, user = who(request)
    row = people.token(user, token)
    tokens_services.revoke_token(actor, user, token=row)
    messages.success(request, _("The token %(name)s counts no more.") % {"name": row.name})
    return redirect("tokens")


@sensitive_post_parameters()
@login_required
@form_page
def password(request: HttpRequest) -> HttpResponse:
    actor, user = who(request)
    form = PasswordChangeForm(user, request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return render(request, "tenants/password.html", {"form": form, "at_password": True}, status=_status(form))
    services.change_password(actor, user, password=Secret(form.cleaned_data["new_password1"]))
    update_session_auth_hash(request, user)
    messages.success(request, _("The password is changed. Other browsers are signed out."))
    return redirect("profile")
