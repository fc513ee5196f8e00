"""What a project keeps alike with other registries: its rules, and what came of following them."""

import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.selectors.state import operation_status
from apps.views.answers import shown
from apps.views.app_frame import why_not
from apps.views.image_copies import CopyLine
from apps.views.project_frame import ProjectFrame, project_frame
from apps.views.projects import told
from audit.commands import check_before
from core import access
from core.access import visible
from core.errors import NotFound, PortalError
from images.replication import selectors, services
from images.replication.models import ImageCopy, RemoteRegistry, ReplicationRule, ReplicationRun
from operations.services import cancel as cancel_operation

TAB = "project_replication"
MOST_RUNS = 30
MOST_COPIES = 500
LABEL_LINE = "="
DEEDS = ("follow", "pause", "resume", "remove")


class RuleForm(forms.Form):
    registry = forms.ChoiceField(label=gettext_lazy("Registry"))
    direction = forms.ChoiceField(label=gettext_lazy("Direction"), choices=ReplicationRule.Direction.choices)
    names = forms.CharField(
        label=gettext_lazy("Repositories"), max_length=200, initial="*",
        help_text=gettext_lazy("A name, or a pattern with * and ?; for a pattern that registry has to list its names."),
    )  # fmt: skip
    tags = forms.CharField(
        label=gettext_lazy("Tags"), max_length=200, initial="*",
        help_text=gettext_lazy("A tag, or a pattern such as 1.* or release-??."),
    )  # fmt: skip
    remote_path = forms.CharField(
        label=gettext_lazy("Before the name there"), max_length=200, required=False,
        help_text=gettext_lazy("Such as team: web here is then team/web there."),
    )  # fmt: skip
    labels = forms.CharField(
        label=gettext_lazy("Labels"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("That an image must have, one name=value a line."),
    )  # fmt: skip
    schedule = forms.CharField(
        label=gettext_lazy("Schedule"), max_length=40, required=False,
        help_text=gettext_lazy("hourly, every 6 hours, daily at 03:00, weekly on monday at 03:00; times are UTC."),
    )  # fmt: skip
    on_push = forms.BooleanField(label=gettext_lazy("As soon as something is pushed here"), required=False)
    conflict = forms.ChoiceField(
        label=gettext_lazy("Where a tag means different images"), choices=ReplicationRule.Conflict.choices,
    )  # fmt: skip
    kilobytes_per_second = forms.IntegerField(
        label=gettext_lazy("At most, in kilobytes a second"), min_value=1, max_value=10**7, required=False
    )

    def __init__(self, data: Any = None, *, registries: list[RemoteRegistry], initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.known = {row.name: row for row in registries}
        self.fields["registry"].choices = [(row.name, f"{row.name} ({row.address})") for row in registries]  # type: ignore[attr-defined]  # it has

    def clean_labels(self) -> dict[str, str]:
        lines = [line.strip() for line in self.cleaned_data["labels"].splitlines() if line.strip()]
        if not all(line.partition(LABEL_LINE)[0] and LABEL_LINE in line for line in lines):
            raise forms.ValidationError(_("Write one name=value a line."))
        return {line.partition(LABEL_LINE)[0].strip(): line.partition(LABEL_LINE)[2].strip() for line in lines}

    @property
    def given(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name in services.RULE_FIELDS}


class NewRuleForm(RuleForm):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=40, error_messages={"required": gettext_lazy("Name it.")}
    )
    field_order = ("name", "registry", "direction")


@dataclass(frozen=True)
class RunLine:
    """One run as a row of a rule's log."""

    run: ReplicationRun
    url: str

    @property
    def status(self) -> Any:
        return operation_status(self.run.under_way) if self.run.operation else None


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, **names: str) -> HttpResponse:
    """The rules; a POST makes one."""
    frame = _frame(request, names)
    if request.method != "POST":
        return _page(request, frame)
    check_before(services.create_rule, frame.actor, frame.project)
    form = NewRuleForm(request.POST, registries=_registries(frame))
    if form.is_valid():
        registry = form.known[form.cleaned_data["registry"]]
        try:
            made = services.create_rule(
                frame.actor, frame.project, name=form.cleaned_data["name"], registry=registry, given=form.given
            )
        except PortalError as error:
            told(form, error, "name")
        else:
            messages.success(request, _("The rule %(name)s is made.") % {"name": made.name})
            return HttpResponseRedirect(frame.address("replication_rule", rule=made.name))
    return _page(request, frame, form=form)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, rule: str, **names: str) -> HttpResponse:
    """One rule with its log; a POST changes it."""
    frame = _frame(request, names)
    row = selectors.rule(frame.project, rule)
    if request.method != "POST":
        return _one(request, frame, row)
    check_before(services.update_rule, frame.actor, row)
    form = RuleForm(request.POST, registries=[row.registry])
    if form.is_valid():
        try:
            services.update_rule(frame.actor, row, given=form.given)
        except PortalError as error:
            told(form, error, "names")
        else:
            messages.success(request, _("The rule %(name)s is changed.") % {"name": row.name})
            return HttpResponseRedirect(frame.address("replication_rule", rule=row.name))
    return _one(request, frame, row, form=form)


@login_required
@require_POST
def act(request: HttpRequest, deed: str, rule: str, **names: str) -> HttpResponse:
    """One of DEEDS: follow it now, pause it, let it go on, or remove it."""
    frame = _frame(request, names)
    row = selectors.rule(frame.project, rule)
    if deed == "follow":
        services.run_rule(frame.actor, row)
        messages.success(request, _("It has begun; nobody needs to wait for it here."))
    elif deed == "remove":
        services.remove_rule(frame.actor, row)
        messages.success(request, _("The rule %(name)s is removed; what was copied stays.") % {"name": rule})
        return HttpResponseRedirect(frame.address(TAB))
    else:
        services.update_rule(frame.actor, row, given={"paused": deed == "pause"})
        messages.success(request, _("The rule %(name)s is changed.") % {"name": rule})
    return HttpResponseRedirect(frame.address("replication_rule", rule=rule))


@login_required
@require_safe
def run(request: HttpRequest, rule: str, run: uuid.UUID, **names: str) -> HttpResponse:
    """What was looked at in one run, and what became of it."""
    frame = _frame(request, names)
    row = selectors.rule(frame.project, rule)
    found = selectors.run(row, run)
    copies = visible(frame.actor, ImageCopy.objects.filter(run=found)).order_by("pk")
    active = found.operation is not None and found.operation.active
    context = {
        "rule": row,
        "line": RunLine(found, ""),
        "lines": [CopyLine(one) for one in copies[:MOST_COPIES]],
        "more": copies.count() > MOST_COPIES,
        "active": active,
        "cancelled": active and found.operation is not None and found.operation.cancel_requested,
        "why_not": why_not(frame.actor, (services.MANAGE,), frame.project, even_closed=True),
    }
    return shown(request, "replication/run", frame.context(**context), part="replication/_run")


@login_required
@require_POST
def cancel(request: HttpRequest, rule: str, run: uuid.UUID, **names: str) -> HttpResponse:
    frame = _frame(request, names)
    found = selectors.run(selectors.rule(frame.project, rule), run)
    if found.operation is None:
        raise NotFound()
    cancel_operation(frame.actor, found.operation)
    messages.success(request, _("It stops; what was copied stays."))
    return HttpResponseRedirect(frame.address("replication_run", rule=rule, run=run))


def _frame(request: HttpRequest, names: dict[str, str]) -> ProjectFrame:
    frame = project_frame(request, TAB, **names)
    access.check(frame.actor, "image.view", frame.project)
    return frame


def _line(frame: ProjectFrame, run: ReplicationRun) -> RunLine:
    return RunLine(run, frame.address("replication_run", rule=run.rule.name, run=run.pk))


def _registries(frame: ProjectFrame) -> list[RemoteRegistry]:
    return list(selectors.registries(frame.project)[: services.MOST_REGISTRIES])


def _page(request: HttpRequest, frame: ProjectFrame, *, form: NewRuleForm | None = None) -> HttpResponse:
    registries = _registries(frame)
    context = {
        "rules": list(selectors.rules(frame.project)[: services.MOST_RULES]),
        "registries": registries,
        "form": form or NewRuleForm(registries=registries),
        "why_not": why_not(frame.actor, (services.MANAGE,), frame.project),
    }
    return render(request, "apps/replication/rules.html", frame.context(**context), status=422 if form else 200)


def _one(
    request: HttpRequest, frame: ProjectFrame, row: ReplicationRule, *, form: RuleForm | None = None
) -> HttpResponse:
    runs = visible(frame.actor, ReplicationRun.objects.filter(rule=row).select_related("operation", "rule")).order_by(
        "-pk"
    )
    initial = selectors.shown_rule(row)
    initial["labels"] = "\n".join(f"{name}{LABEL_LINE}{value}" for name, value in sorted(row.labels.items()))
    context = {
        "rule": row,
        "runs": [RunLine(one, frame.address("replication_run", rule=row.name, run=one.pk)) for one in runs[:MOST_RUNS]],
        "form": form or RuleForm(registries=[row.registry], initial=initial),
        "why_not": why_not(frame.actor, (services.MANAGE,), frame.project),
        "urls": {deed: frame.address(f"replication_{deed}", rule=row.name) for deed in DEEDS},
    }
    response = shown(request, "replication/rule", frame.context(**context), part="replication/_runs")
    response.status_code = 422 if form else 200
    return response
