"""The report of one image: how good it is and why, what was found, who answers for it, and a new look."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.selectors.history import done
from apps.views.answers import shown
from apps.views.app_frame import why_not
from apps.views.project_frame import ProjectFrame, project_frame
from apps.views.projects import told
from audit.commands import check_before
from core import access
from core.api.inputs import LONGEST_SEARCH
from core.api.searching import matching
from core.errors import PortalError
from images.api.scans import bill
from images.scanning import ordering, reading, services, words
from images.scanning.advisories.osv import LEVELS
from images.scanning.reading import Report

ROWS = 50
KINDS = {"A": "ok", "B": "ok", "C": "soon", "D": "soon", "E": "bad", "F": "bad"}
MOST_NAMED = 200


class ExcuseForm(forms.Form):
    vulnerability = forms.CharField(label=gettext_lazy("Vulnerability"), max_length=100)
    package = forms.CharField(
        label=gettext_lazy("Package"), max_length=300, required=False,
        help_text=gettext_lazy("Empty: in whichever package it is found."),
    )  # fmt: skip
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500,
        help_text=gettext_lazy("Why it does no harm here. Auditors read it."),
    )  # fmt: skip
    until = forms.DateField(
        label=gettext_lazy("Until"), widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("It counts again by itself after that day, which is within a year."),
    )  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """One report as the page shows it, with what its address asks for."""

    frame: ProjectFrame
    report: Report
    query: dict[str, str]

    @property
    def names(self) -> dict[str, Any]:
        return self.frame.names | {"artifact": self.report.artifact.pk}

    def address(self, name: str = "image_scan", **more: Any) -> str:
        return reverse(name, kwargs=self.names | more)

    @property
    def kind(self) -> str:
        return KINDS.get(self.report.standing.rating, "")

    @property
    def tag(self) -> str:
        return str(self.report.artifact.tags.order_by("-moved_at").values_list("name", flat=True).first() or "")

    @property
    def title(self) -> str:
        name = self.report.artifact.repository.path or self.report.artifact.repository.name
        return f"{name}:{self.tag}" if self.tag else f"{name}@{self.report.artifact.digest[:19]}"

    @property
    def counts(self) -> list[dict[str, Any]]:
        told = self.report.standing.counts
        each = [(level, str(words.SEVERITIES[level])) for level in LEVELS if told.get(level)]
        each += [("excused", _("excused"))] if told.get("excused") else []
        return [{"key": key, "word": word, "count": told[key]} for key, word in each]

    @property
    def filters(self) -> list[dict[str, Any]]:
        """All, and each severity that occurs; the excused are among them."""
        levels = set(self.report.findings.order_by().values_list("severity", flat=True).distinct())
        each = [("", _("all")), *((level, str(words.SEVERITIES[level])) for level in LEVELS if level in levels)]
        return [
            {"label": word, "url": self._with(severity=key, page=""), "current": self.query["severity"] == key}
            for key, word in each
        ]

    def _with(self, **changed: str) -> str:
        kept = {key: value for key, value in (self.query | changed).items() if value}
        return f"{self.address()}?{urlencode(kept)}" if kept else self.address()

    @cached_property
    def page(self) -> Page[Any]:
        rows = self.report.findings.filter(matching(self.query, "vulnerability", "package"))
        if self.query["severity"] in LEVELS:
            rows = rows.filter(severity=self.query["severity"])
        return Paginator(rows.order_by("rank", "id"), ROWS).get_page(self.query["page"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        rows = self.report.shown_findings(self.page.object_list)
        return [
            one
            | {
                "word": words.SEVERITIES[one["severity"]],
                "excuse_url": self._excusing(one),
                "excused_until": date_format(date.fromisoformat(one["excused"]["until"])) if one.get("excused") else "",
            }
            for one in rows
        ]

    def _excusing(self, one: dict[str, Any]) -> str:
        asked = {"vulnerability": one["vulnerability"], "package": one["package"]}
        return f"{self.address()}?{urlencode(asked)}#excuse"

    @property
    def said(self) -> str:
        page = self.page
        told = {"first": page.start_index(), "last": page.end_index(), "count": page.paginator.count}
        return _("%(first)s to %(last)s of %(count)s") % told if page.paginator.num_pages > 1 else ""

    @property
    def previous(self) -> str:
        return self._with(page=str(self.page.previous_page_number())) if self.page.has_previous() else ""

    @property
    def next(self) -> str:
        return self._with(page=str(self.page.next_page_number())) if self.page.has_next() else ""

    @property
    def parts(self) -> list[dict[str, Any]]:
        names = self.frame.names
        return [
            one | {"url": reverse("image_scan", kwargs=names | {"artifact": one["artifact"].pk}),
                   "kind": KINDS.get(one["standing"].rating, "")}
            for one in self.report.parts
        ]  # fmt: skip

    @property
    def now(self) -> Any:
        """The look that is under way, or the last one where it failed."""
        operation = self.report.last_try if self.report.own else None
        if operation is None or operation.state == operation.State.SUCCEEDED:
            return None
        last = operation.events.order_by("-seq").first()
        return done(operation, last)

    @property
    def hint(self) -> str:
        failure = self.report.last_try.failure if self.report.last_try else None
        return words.hint(failure["code"]) if failure else ""

    @property
    def why_not_scan(self) -> str:
        if not self.report.own or not self.report.artifact.repository.path:
            return _("This image does not lie in the registry as one of this project’s own.")
        return why_not(self.frame.actor, (ordering.NEEDS,), self.frame.project)

    @property
    def why_not_excuse(self) -> str:
        if not self.report.own:
            return _("Whose images they are answers for them.")
        return why_not(self.frame.actor, ("tenant.manage",), self.frame.project)


def _sheet(request: HttpRequest, tenant: str, project: str, artifact: UUID) -> Sheet:
    frame = project_frame(request, "project_images", tenant, project)
    access.check(frame.actor, "image.view", frame.project)
    given = {key: request.GET.get(key, "").replace("\0", "") for key in ("severity", "search", "page")}
    given["search"] = given["search"].strip()[:LONGEST_SEARCH]
    given["severity"] = given["severity"] if given["severity"] in LEVELS else ""
    return Sheet(frame, reading.report_of(frame.project, artifact), given)


@login_required
@require_safe
def page(request: HttpRequest, tenant: str, project: str, artifact: UUID) -> HttpResponse:
    sheet = _sheet(request, tenant, project, artifact)
    asked = {key: request.GET.get(key, "").replace("\0", "") for key in ("vulnerability", "package")}
    until = timezone.localdate() + timedelta(days=90)
    form = ExcuseForm(initial={**asked, "until": until})
    return shown(request, "scans/page", _context(sheet, form), part="scans/_report")


def _context(sheet: Sheet, form: ExcuseForm) -> dict[str, Any]:
    special = sheet.report.scan.special_files[:MOST_NAMED] if sheet.report.scan else []
    more = {"sheet": sheet, "report": sheet.report, "form": form, "special_files": special}
    return sheet.frame.context(**more, secrets=sheet.report.secrets[:MOST_NAMED])


@login_required
@require_POST
def run(request: HttpRequest, tenant: str, project: str, artifact: UUID) -> HttpResponse:
    """Have it looked through now."""
    frame = project_frame(request, "project_images", tenant, project)
    check_before(services.order_scan, frame.actor, frame.project)
    sheet = _sheet(request, tenant, project, artifact)
    services.order_scan(frame.actor, sheet.report.artifact)
    messages.success(request, _("It has begun; nobody needs to wait for it here."))
    return HttpResponseRedirect(sheet.address())


@login_required
@require_POST
def excuse(request: HttpRequest, tenant: str, project: str, artifact: UUID) -> HttpResponse:
    """Answer for a finding until a day."""
    frame = project_frame(request, "project_images", tenant, project)
    check_before(services.excuse_finding, frame.actor, frame.project)
    sheet = _sheet(request, tenant, project, artifact)
    form = ExcuseForm(request.POST)
    if form.is_valid():
        try:
            services.excuse_finding(frame.actor, sheet.report.artifact.repository, **form.cleaned_data)
        except PortalError as error:
            told(form, error, "vulnerability")
        else:
            messages.success(request, _("It is shown with its reason, and does not count until that day."))
            return HttpResponseRedirect(sheet.address())
    return render(request, "apps/scans/page.html", _context(sheet, form), status=422)


@login_required
@require_POST
def end_excuse(request: HttpRequest, tenant: str, project: str, artifact: UUID, excuse: UUID) -> HttpResponse:
    sheet = _sheet(request, tenant, project, artifact)
    services.end_excuse(sheet.frame.actor, reading.excuse_of(sheet.report, excuse))
    messages.success(request, _("The finding counts again."))
    return HttpResponseRedirect(sheet.address())


@login_required
@require_safe
def sbom(request: HttpRequest, tenant: str, project: str, artifact: UUID) -> HttpResponse:
    """All packages, as a file."""
    return bill(_sheet(request, tenant, project, artifact).report)
