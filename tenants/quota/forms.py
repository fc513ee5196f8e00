"""What people type about quotas: cores, GB and numbers."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenants.models import Project
from tenants.quota.resources import OF_PROJECTS, Resource, from_typed, sent, typed

UNITS = gettext_lazy("CPU in cores, memory, storage and images in GB, all else as a number.")
WHY = gettext_lazy("Who decides reads it.")


def _amount(label: Any, *, required: bool = True, help_text: Any = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=required, min_value=0, max_digits=13, decimal_places=3, help_text=help_text
    )


def _choices(names: Any) -> list[tuple[str, str]]:
    return [(str(one), str(Resource(one).label)) for one in names]


class AskForm(forms.Form):
    """`project` empty: for the tenant itself."""

    project = forms.ChoiceField(label=gettext_lazy("For"), required=False)
    resource = forms.ChoiceField(label=gettext_lazy("What"))
    limit = _amount(gettext_lazy("How much in all"), help_text=UNITS)
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=500, help_text=WHY)

    def __init__(self, data: Any = None, *, projects: list[Project], tenant: str, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        places = [(one.name, one.name) for one in projects]
        places += [("", _("%(tenant)s, all projects") % {"tenant": tenant})] if tenant else []
        self.fields["project"].choices = places  # type: ignore[attr-defined]  # of choices  # a ChoiceField
        self.fields["resource"].choices = _choices(Resource if tenant else OF_PROJECTS)  # type: ignore[attr-defined]  # it has

    def payload(self) -> dict[str, Any]:
        """As the API takes it."""
        resource = self.cleaned_data["resource"]
        return {"resource": resource, "limit": sent(resource, from_typed(resource, self.cleaned_data["limit"]))}


class LendForm(forms.Form):
    lender = forms.ChoiceField(label=gettext_lazy("From"))
    borrower = forms.ChoiceField(label=gettext_lazy("To"))
    resource = forms.ChoiceField(label=gettext_lazy("What"), choices=lambda: _choices(OF_PROJECTS))
    amount = _amount(gettext_lazy("How much"), help_text=UNITS)
    until = forms.DateField(
        label=gettext_lazy("Until"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("It goes back by itself at the end of that day."),
    )
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=500, required=False)

    def __init__(self, data: Any = None, *, projects: list[Project]) -> None:
        names = [one.name for one in projects]
        start = {"until": timezone.localdate() + timedelta(days=7), "borrower": next(iter(names[1:]), "")}
        super().__init__(data, initial=start, auto_id="lend-%s")
        for name in ("lender", "borrower"):
            self.fields[name].choices = [(one, one) for one in names]  # type: ignore[attr-defined]  # it has

    def loan(self) -> dict[str, Any]:
        asked = self.cleaned_data
        end = datetime.combine(asked["until"] + timedelta(days=1), time(), timezone.get_current_timezone())
        return {
            "resource": asked["resource"],
            "amount": from_typed(asked["resource"], asked["amount"]),
            "until": end,
            "reason": asked["reason"],
        }


class LimitsForm(forms.Form):
    """One field a resource; an empty one is no limit. `version` is what they were read at."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, limits: dict[str, int | None], version: int) -> None:
        shown = {name: None if amount is None else typed(name, amount) for name, amount in limits.items()}
        super().__init__(data, initial=shown | {"version": version})
        for name in limits:
            self.fields[name] = _amount(Resource(name).label, required=False)

    def limits(self) -> dict[str, int | None]:
        return {
            name: None if value is None else from_typed(name, value)
            for name, value in self.cleaned_data.items()
            if name != "version"
        }


def add_problems(form: forms.Form, problems: Any, message: str) -> None:
    """What a command refused, at its fields where they are in the form."""
    for one in problems:
        form.add_error(one.field if one.field in form.fields else None, str(one.message))
    if not problems:
        form.add_error(None, message)
