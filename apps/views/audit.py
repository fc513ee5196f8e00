"""What anybody did or tried in a tenant: the list, one entry, and the proof that nothing was changed."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.selectors import audit_list
from apps.views.found import actor_of, tenant_of
from audit.models import AuditEntry
from audit.selectors import Filters, entries
from audit.verified import verify_now
from audit.words import action_choices, action_words
from core import access
from core.access import get_visible, visible
from core.status import Status
from tenants.models import Tenant

ANY = ("", gettext_lazy("any"))
MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class FilterForm(forms.Form):
    """What ?actor=, ?action=, ?result=, ?since= and ?until= may say, and ?q= about the beginning of a name."""

    q = forms.CharField(label=gettext_lazy("Name of what it was done to"), max_length=100, required=False)
    actor = forms.CharField(label=gettext_lazy("Who"), max_length=150, required=False)
    action = forms.ChoiceField(label=gettext_lazy("What"), required=False)
    result = forms.ChoiceField(label=gettext_lazy("Result"), required=False)
    since = forms.DateTimeField(label=gettext_lazy("Since"), required=False, widget=MOMENT)
    until = forms.DateTimeField(label=gettext_lazy("Until"), required=False, widget=MOMENT)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        results = [(value, Status.of(value).word) for value in AuditEntry.Result.values]
        self.fields["action"].choices = [ANY, *action_choices()]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["result"].choices = [ANY, *results]  # type: ignore[attr-defined]  # a ChoiceField

    @property
    def asked(self) -> dict[str, Any]:
        """The filters that are set and make sense; a damaged one narrows nothing."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


@login_required
@require_safe
def page(request: HttpRequest, tenant: str) -> HttpResponse:
    row = _audited(request, tenant)
    return render(request, "apps/audit/page.html", _context(request, row))


@login_required
@require_safe
def entry(request: HttpRequest, tenant: str, seq: int) -> HttpResponse:
    """The list with one entry opened beside it."""
    row = _audited(request, tenant)
    chain = audit_list.chain_of(row.pk)
    found = get_visible(actor_of(request), AuditEntry.objects.all(), chain=chain, seq=seq)
    context = _context(request, row)
    sheet = audit_list.sheet_of(found, context["narrowed"])
    return render(request, "apps/audit/entry.html", context | {"sheet": sheet, **_neighbours(request, row, sheet)})


@login_required
@require_POST
def verify(request: HttpRequest, tenant: str) -> HttpResponse:
    """Walk the chain from its first entry."""
    row = _audited(request, tenant)
    checked = verify_now(audit_list.chain_of(row.pk), person=actor_of(request).name)
    if checked.holds:
        messages.success(request, _("All %(count)s entries are as they were written.") % {"count": checked.seq})
    return redirect("audit", tenant=tenant)


def _audited(request: HttpRequest, tenant: str) -> Tenant:
    row = tenant_of(request, tenant)
    access.check(actor_of(request), "audit.view", row)
    return row


def _context(request: HttpRequest, tenant: Tenant) -> dict[str, Any]:
    form = FilterForm(request.GET)
    asked = form.asked
    rows = _rows(request, tenant, asked)
    lines, found = audit_list.entries_page(rows, cursor=request.GET.get("cursor", ""))
    return {
        "tenant": tenant,
        "form": form,
        "chips": _chips(asked),
        "lines": lines,
        "found": found,
        "narrowed": rows,
        "query": _query(request, keep_cursor=True),
        "back": f"{reverse('audit', kwargs={'tenant': tenant.name})}{_query(request, keep_cursor=True)}",
        "proof": audit_list.proof_of(audit_list.chain_of(tenant.pk)),
        "export": _export(tenant, asked),
    }


def _rows(request: HttpRequest, tenant: Tenant, asked: dict[str, Any]) -> "QuerySet[AuditEntry]":
    plain = {name: value for name, value in asked.items() if name != "q"}
    rows = visible(actor_of(request), entries(tenant.pk, cast(Filters, plain)))
    rows = rows.filter(chain=audit_list.chain_of(tenant.pk))
    return rows.filter(target_name__istartswith=asked["q"]) if "q" in asked else rows


def _query(request: HttpRequest, *, keep_cursor: bool) -> str:
    """The filters of this address, to be kept in the next one."""
    kept = {name: str(value) for name, value in request.GET.items() if value and (keep_cursor or name != "cursor")}
    return f"?{urlencode(kept)}" if kept else ""


def _chips(asked: dict[str, Any]) -> list[dict[str, str]]:
    said = asked | {name: str(FORMATS[name](asked[name])) for name in FORMATS if name in asked}
    return [{"name": str(FilterForm.base_fields[name].label), "value": said[name], "parameter": name} for name in asked]


def _moment(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M}"


def _result(value: str) -> str:
    return str(Status.of(value).word)


FORMATS = {"action": action_words, "result": _result, "since": _moment, "until": _moment}


def _export(tenant: Tenant, asked: dict[str, Any]) -> dict[str, str]:
    """Addresses of the same entries as files. The API knows no beginning of a name, so that one is left out."""
    query: dict[str, str] = {name: str(asked[name]) for name in ("actor", "action", "result") if name in asked}
    query |= {name: asked[name].isoformat() for name in ("since", "until") if name in asked}
    address = f"/api/v1/tenants/{tenant.name}/audit/export"
    return {kind: f"{address}?{urlencode({'format': kind, **query})}" for kind in ("csv", "jsonl")}


def _neighbours(request: HttpRequest, tenant: Tenant, sheet: audit_list.EntrySheet) -> dict[str, str]:
    query = _query(request, keep_cursor=False)
    return {
        name: f"{reverse('audit_entry', kwargs={'tenant': tenant.name, 'seq': seq})}{query}" if seq else ""
        for name, seq in (("earlier", sheet.earlier), ("later", sheet.later))
    }
