"""The page with every token that counts in a tenant, and its end, for which a reason is asked."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from audit.commands import check_before
from core.access import check
from tenants.members.views import Where, page_context, where
from tenants.robots import tenant_tokens
from tenants.robots.services import revoke_tenant_token
from tenants.robots.tenant_tokens import TokenLine

ROWS = 50


class RevokeForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why"), max_length=500, error_messages={"required": gettext_lazy("Say why.")},
        help_text=gettext_lazy("Kept in the audit; the owner reads it."),
    )  # fmt: skip


@login_required
@require_safe
def page(request: HttpRequest, tenant: str) -> HttpResponse:
    at = where(request, tenant)
    check(at.actor, "member.manage", at.tenant)
    return render(request, "tenants/members/tokens.html", _page(request, at))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, tenant: str, token: uuid.UUID) -> HttpResponse:
    """Asks why; a POST ends the token here."""
    at = where(request, tenant)
    check_before(revoke_tenant_token, at.actor, at.tenant)
    row = tenant_tokens.token(at.actor, at.tenant, token)
    form = RevokeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        revoke_tenant_token(at.actor, at.tenant, token=row, reason=form.cleaned_data["reason"])
        messages.success(request, _("The token %(name)s counts here no more.") % {"name": row.name})
        return redirect("tenant_tokens", tenant=at.tenant.name)
    context = page_context(at, "tokens") | {"token": row, "owner": row.user.get_username(), "form": form}
    return render(request, "tenants/members/token_revoke.html", context, status=422 if form.is_bound else 200)


def _page(request: HttpRequest, at: Where) -> dict[str, Any]:
    asked: dict[str, Any] = {"unused": request.GET.get("show") == "unused", "search": request.GET.get("q", "")[:100]}
    rows = tenant_tokens.tokens(at.actor, at.tenant, **asked).order_by("-id")
    last = _id(request.GET.get("after", ""))
    found = tenant_tokens.shown(list((rows.filter(id__lt=last) if last else rows)[: ROWS + 1]))
    return page_context(at, "tokens") | asked | {
        "tokens": [_line(at, row) for row in found[:ROWS]],
        "after": found[ROWS - 1]["id"] if len(found) > ROWS else "",
    }  # fmt: skip


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _line(at: Where, row: dict[str, Any]) -> TokenLine:
    home = at.tenant.name
    known = ("id", "name", "prefix", "scopes", "last_used_at", "expires_at", "owner", "unused")
    return TokenLine(
        **{name: row[name] for name in known},
        robot=row["robot"] or "",
        place="" if row["everywhere"] else f"{home}/{row['project']}" if row["project"] else home,
        ask_url=reverse("tenant_token_revoke", kwargs={"tenant": home, "token": row["id"]}),
    )
