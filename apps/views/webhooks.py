"""Webhooks of a project: the tab of its settings, one of them with what was sent, and one message."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.views.answers import shown
from apps.views.app_frame import why_not
from apps.views.project_frame import ProjectFrame, project_frame
from apps.views.projects import told
from apps.views.webhook_words import EVENTS, DeliveryLine, TryLine, shown_state
from audit.commands import check_before
from core import access
from core.errors import Changed, PortalError
from core.secrets import Secret
from images.hooks import selectors, services
from images.hooks.addressing import judged
from images.hooks.models import Webhook, WebhookDelivery
from images.hooks.services import Asked

form_page = require_http_methods(["GET", "HEAD", "POST"])
TAB = "project_webhooks"
SHOWN = 50  # messages


class WebhookForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=60, error_messages={"required": gettext_lazy("Name it.")}
    )
    address = forms.CharField(
        label=gettext_lazy("Address"), max_length=services.LONGEST_ADDRESS,
        help_text=gettext_lazy("Where events are sent to: https://host/path. It is not shown again."),
        error_messages={"required": gettext_lazy("Say where to.")},
    )  # fmt: skip
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Events"), choices=EVENTS, widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one event.")},
    )  # fmt: skip
    secret = forms.CharField(
        label=gettext_lazy("Secret"), max_length=200, required=False, widget=forms.PasswordInput,
        help_text=gettext_lazy("Messages are signed with it. Leave it empty, and one is made and shown once."),
    )  # fmt: skip

    @property
    def asked(self) -> Asked:
        """Raises Invalid for an address that is not called from here."""
        sent = self.cleaned_data
        return Asked(
            name=sent["name"],
            address=judged(sent["address"]) if sent["address"] else None,
            events=sent["events"],
            secret=Secret(sent["secret"]) if sent["secret"] else None,
        )


class ChangeForm(WebhookForm):
    """What is left empty stays as it is."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        address, secret = self.fields["address"], self.fields["secret"]
        address.required = False
        address.label = gettext_lazy("New address")
        address.help_text = gettext_lazy("Leave it empty to keep the present one. Another one gets another secret.")
        secret.label = gettext_lazy("New secret")
        secret.help_text = gettext_lazy("Leave it empty to keep the present one.")


@login_required
@form_page
def page(request: HttpRequest, **names: str) -> HttpResponse:
    """The list; a POST makes one, and this one answer shows its secret."""
    frame = project_frame(request, TAB, **names)
    if request.method != "POST":
        access.check(frame.actor, selectors.PERMISSION, frame.project)
        return _page(request, frame)
    check_before(services.make_webhook, frame.actor, frame.project)
    form = WebhookForm(request.POST)
    if form.is_valid():
        try:
            _hook, secret = services.make_webhook(frame.actor, frame.project, asked=form.asked)
        except PortalError as error:
            told(form, error, "name")
        else:
            return _page(request, frame, secret=secret)
    return _page(request, frame, form=form)


def _page(
    request: HttpRequest, frame: ProjectFrame, *, secret: Secret | None = None, form: WebhookForm | None = None
) -> HttpResponse:
    rows = [(row, shown_state(row)) for row in selectors.webhooks(frame.project).order_by("name")[: services.MOST]]
    context = {
        "webhooks": rows,
        "events": dict(EVENTS),
        "secret": secret.reveal() if secret else "",
        "form": form or WebhookForm(),
        "why_not": why_not(frame.actor, (selectors.PERMISSION,), frame.project),
    }
    return render(request, "apps/webhooks/list.html", frame.context(**context), status=422 if form else 200)


def _found(request: HttpRequest, webhook: uuid.UUID, names: dict[str, str]) -> tuple[ProjectFrame, Webhook]:
    frame = project_frame(request, TAB, **names)
    access.check(frame.actor, selectors.PERMISSION, frame.project)
    return frame, selectors.webhook(frame.actor, frame.project, webhook)


@login_required
@form_page
def one(request: HttpRequest, webhook: uuid.UUID, **names: str) -> HttpResponse:
    """One of them and its messages; a POST changes it, and shows the secret that another address made."""
    frame, hook = _found(request, webhook, names)
    if request.method != "POST":
        return _one(request, frame, hook)
    check_before(services.change_webhook, frame.actor, frame.project)
    form = ChangeForm(request.POST)
    if form.is_valid():
        try:
            _hook, secret = services.change_webhook(frame.actor, hook, asked=form.asked)
        except PortalError as error:
            told(form, error, "name")
        else:
            messages.success(request, _("Saved."))
            if secret is None:
                return HttpResponseRedirect(_address(frame, hook))
            return _one(request, frame, selectors.webhook(frame.actor, frame.project, webhook), secret=secret)
    return _one(request, frame, hook, form=form)


def _one(
    request: HttpRequest,
    frame: ProjectFrame,
    hook: Webhook,
    *,
    secret: Secret | None = None,
    form: ChangeForm | None = None,
) -> HttpResponse:
    rows = list(hook.deliveries.defer("body", "tries").order_by("-pk")[: SHOWN + 1])
    context = {
        "webhook": hook,
        "state": shown_state(hook),
        "lines": [DeliveryLine(row) for row in rows[:SHOWN]],
        "more": len(rows) > SHOWN,
        "secret": secret.reveal() if secret else "",
        "form": form or ChangeForm(initial={"name": hook.name, "events": hook.events}),
        "why_not": why_not(frame.actor, (selectors.PERMISSION,), frame.project),
    }
    if form or secret:
        return render(request, "apps/webhooks/one.html", frame.context(**context), status=422 if form else 200)
    return shown(request, "webhooks/one", frame.context(**context), part="webhooks/_messages")


@login_required
@require_POST
def turn(request: HttpRequest, webhook: uuid.UUID, **names: str) -> HttpResponse:
    """Pause it, or turn it on again (`on`: 0 or 1)."""
    frame, hook = _found(request, webhook, names)
    on = request.POST.get("on") == "1"
    services.change_webhook(frame.actor, hook, asked=Asked(active=on))
    messages.success(request, _("Events are sent again.") if on else _("Nothing is sent until you turn it on again."))
    return HttpResponseRedirect(_address(frame, hook))


@login_required
@require_POST
def ping(request: HttpRequest, webhook: uuid.UUID, **names: str) -> HttpResponse:
    frame, hook = _found(request, webhook, names)
    row = services.ping(frame.actor, hook)
    messages.success(request, _("A test is on its way; what came of it stands here in a moment."))
    return HttpResponseRedirect(_delivery_address(frame, row))


@login_required
@form_page
def secret(request: HttpRequest, webhook: uuid.UUID, **names: str) -> HttpResponse:
    """A new secret, which this one answer shows. `version`: of the webhook whose page asked for it.

    Whoever loads the answer again sends the same version again, and so makes no second secret.
    """
    frame, hook = _found(request, webhook, names)
    if request.method != "POST":
        return HttpResponseRedirect(_address(frame, hook))
    seen = request.POST.get("version", "")
    version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0  # which none has
    try:
        made = services.renew_secret(frame.actor, hook, expected_version=version)
    except Changed:
        messages.info(request, _("The secret is shown once only, and nothing was changed now."))
        return HttpResponseRedirect(_address(frame, hook))
    return _one(request, frame, selectors.webhook(frame.actor, frame.project, webhook), secret=made)


@login_required
@require_POST
def remove(request: HttpRequest, webhook: uuid.UUID, **names: str) -> HttpResponse:
    frame, hook = _found(request, webhook, names)
    services.remove_webhook(frame.actor, hook)
    messages.success(request, _("The webhook %(name)s is removed.") % {"name": hook.name})
    return HttpResponseRedirect(frame.address(TAB))


@login_required
@require_safe
def delivery(request: HttpRequest, webhook: uuid.UUID, delivery: uuid.UUID, **names: str) -> HttpResponse:
    """One message: what was sent, and each try."""
    frame, hook = _found(request, webhook, names)
    row = selectors.delivery(frame.actor, hook, delivery)
    context = {
        "webhook": hook,
        "line": DeliveryLine(row),
        "tries": [TryLine(one) for one in reversed(row.tries)],
        "why_not": why_not(frame.actor, (selectors.PERMISSION,), frame.project),
    }
    return shown(request, "webhooks/delivery", frame.context(**context), part="webhooks/_tries")


@login_required
@require_POST
def again(request: HttpRequest, webhook: uuid.UUID, delivery: uuid.UUID, **names: str) -> HttpResponse:
    frame, hook = _found(request, webhook, names)
    row = services.send_again(frame.actor, selectors.delivery(frame.actor, hook, delivery))
    messages.success(request, _("The message is on its way; what came of it stands here in a moment."))
    return HttpResponseRedirect(_delivery_address(frame, row))


def _address(frame: ProjectFrame, hook: Webhook) -> str:
    return reverse("project_webhook", kwargs=frame.names | {"webhook": hook.pk})


def _delivery_address(frame: ProjectFrame, row: WebhookDelivery) -> str:
    return reverse("webhook_delivery", kwargs=frame.names | {"webhook": row.webhook_id, "delivery": row.pk})
