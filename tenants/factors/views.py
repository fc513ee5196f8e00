"""The page of one's own second factors, and the one where an operator takes lost ones away."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.access import check
from core.errors import PortalError
from core.secrets import Secret
from tenants import selectors as people
from tenants.factors import enrolling, passkeys, proof, selectors, services
from tenants.factors.forms import AppForm, LostForm, PasskeyForm, ProofForm
from tenants.profile.views import who
from tenants.signals import proved

form_page = require_http_methods(["GET", "HEAD", "POST"])
View = Callable[..., HttpResponse]


def after_proof(view: View) -> View:
    """Who signed in a while ago shows first that it is still they; then comes back."""

    @wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if proof.fresh(request):
            return view(request, *args, **kwargs)
        back = request.path if request.method == "GET" else reverse("security")
        return redirect(f"{reverse('prove')}?next={back}")

    return run


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    return _page(request)


def _page(request: HttpRequest, form: Form | None = None) -> HttpResponse:
    _actor, user = who(request)
    found = selectors.factors(user)
    context = {
        "kept_here": selectors.keeps_factors(user),
        "app": next((one for one in found if one.kind == selectors.Kind.TOTP), None),
        "passkeys": [one for one in found if one.kind == selectors.Kind.WEBAUTHN],
        "left": selectors.codes_left(user),
        "fresh": proof.fresh(request),
        "passkeys_work": passkeys.work_at(request),
        "form": form or PasskeyForm(),
        "at_security": True,
    }
    return render(request, "tenants/security/page.html", context, status=422 if form else 200)


@sensitive_post_parameters()
@login_required
@form_page
def prove(request: HttpRequest) -> HttpResponse:
    actor, user = who(request)
    after = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(after, {request.get_host()}, require_https=request.is_secure()):
        after = reverse("security")
    form = ProofForm(request.POST if request.method == "POST" else None)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        status = _try(request, form)
        if status == 200:
            return redirect(after)
    kinds = selectors.kinds_of(str(user.pk))
    context = {"form": form, "kinds": kinds, "passkeys_work": passkeys.work_at(request), "at_security": True}
    return render(request, "tenants/security/prove.html", context, status=status)


def _try(request: HttpRequest, form: ProofForm) -> int:
    """The status: 200 where what was given is right, and noted."""
    _actor, user = who(request)
    given = form.proof
    try:
        if given and proof.right(request, user, **given):
            proof.note(request)
            proved(request, user, next(iter(given)))
            return 200
        form.add_error(None, _("That is not right. Check it, then try again.") if given else _("Give one of them."))
    except PortalError as error:
        form.add_error(None, f"{error.message}. {error.hint}")
        return error.status
    return 422


@sensitive_post_parameters()
@login_required
@form_page
@after_proof
def app(request: HttpRequest) -> HttpResponse:
    """Set up an app: a picture to scan, then a code that shows that it works."""
    actor, user = who(request)
    form = AppForm(request.POST if request.method == "POST" else None)
    secret = enrolling.secret_of(user, form.data.get("sealed", "")) if form.is_bound else None
    if form.is_bound and secret is None:
        messages.error(request, _("That took longer than five minutes. Here is a new picture."))
        return redirect("factor_app")
    if secret is not None and form.is_valid():
        try:
            services.add_app(actor, user, secret=secret, code=Secret(form.cleaned_data["code"]))
            return _added(request, _("The app is set up. From now on Berth asks for its code after your password."))
        except PortalError as error:
            _say(form, error)
    offer = enrolling.offer(request, user, secret)
    shown = form if form.is_bound else AppForm(initial={"sealed": offer.sealed})
    context = {"form": shown, "offer": offer, "at_security": True}
    return render(request, "tenants/security/app.html", context, status=422 if form.is_bound else 200)


@login_required
@form_page
@after_proof
def passkey(request: HttpRequest) -> HttpResponse:
    """GET: what the browser is to be asked for. POST: its answer, a new passkey."""
    actor, user = who(request)
    if request.method != "POST":
        return JsonResponse(passkeys.ask_new(request, user))
    form = PasskeyForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    sent = form.cleaned_data
    try:
        data = passkeys.made(request, user, sent["credential"], sent["challenge"])
        row = services.add_passkey(actor, user, name=sent["name"], data=data)
    except PortalError as error:
        _say(form, error)
        return _page(request, form)
    return _added(request, _("The passkey “%(name)s” is added. It signs you in alone.") % {"name": row.data["name"]})


def _added(request: HttpRequest, said: str) -> HttpResponse:
    """With the first factor come the recovery codes, shown this once."""
    actor, user = who(request)
    messages.success(request, said)
    if selectors.codes_left(user) is None:
        return _codes(request, services.make_codes(actor, user))
    return redirect("security")


@login_required
@require_POST
@after_proof
def codes(request: HttpRequest) -> HttpResponse:
    actor, user = who(request)
    return _codes(request, services.make_codes(actor, user))


def _codes(request: HttpRequest, made: list[str]) -> HttpResponse:
    return render(request, "tenants/security/codes.html", {"codes": "\n".join(made), "at_security": True})


@login_required
@require_POST
@after_proof
def rename(request: HttpRequest, factor: uuid.UUID) -> HttpResponse:
    actor, user = who(request)
    services.rename_passkey(actor, user, factor=selectors.factor(user, factor), name=request.POST.get("name", ""))
    messages.success(request, _("The passkey has its new name."))
    return redirect("security")


@login_required
@require_POST
@after_proof
def remove(request: HttpRequest, factor: uuid.UUID) -> HttpResponse:
    actor, user = who(request)
    services.remove_factor(actor, user, factor=selectors.factor(user, factor))
    still = selectors.protected(user)
    messages.success(
        request, _("It is removed.") if still else _("It is removed. Your password alone lets you in now.")
    )
    return redirect("security")


@login_required
@form_page
def lost(request: HttpRequest) -> HttpResponse:
    """For operators: somebody lost their phone."""
    actor, _user = who(request)
    check(actor, "factor.reset")
    form = LostForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        sent = form.cleaned_data
        try:
            user = people.person("person", sent["person"])
            services.reset_factors(actor, None, user=user, reason=sent["reason"])
            messages.success(request, _("%(person)s comes in with the password alone now.") % {"person": user})
            return redirect("lost_factors")
        except PortalError as error:
            _say(form, error)
    return render(request, "tenants/security/lost.html", {"form": form}, status=422 if form.is_bound else 200)


def _say(form: Form, error: PortalError) -> None:
    """A refusal beside its field, or above all."""
    for problem in error.errors:
        visible = problem.field in form.fields and not form.fields[problem.field].widget.is_hidden
        form.add_error(problem.field if visible else None, str(problem.message))
    if not error.errors:
        form.add_error(None, f"{error.message} {error.hint}")
