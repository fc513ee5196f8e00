"""The form that changes how many instances of a service run."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.selectors.state import wanted_instances
from apps.services import MOST_INSTANCES
from apps.views.app_frame import AppFrame
from core.errors import FieldProblem, Invalid


class ScaleForm(forms.Form):
    """`wanted`: {service: how many instances are declared now}."""

    service = forms.ChoiceField(label=_("Service"))
    instances = forms.IntegerField(label=_("Instances"), min_value=0, max_value=MOST_INSTANCES)

    def __init__(self, data: Any = None, *, wanted: dict[str, int]) -> None:
        super().__init__(data, auto_id="scale-%s")
        self.fields["service"].choices = [(name, name) for name in wanted]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["instances"].initial = next(iter(wanted.values()), 1)
        now = ", ".join(f"{name} {count}" for name, count in wanted.items())
        self.fields["instances"].help_text = gettext("Now: %(now)s") % {"now": now}


def scale_form(page: AppFrame) -> ScaleForm:
    return ScaleForm(wanted=wanted_instances(page.place))


def asked(page: AppFrame, data: Any) -> dict[str, Any]:
    """`service` and `instances` as sent. Raises Invalid with each field that is wrong."""
    form = ScaleForm(data, wanted=wanted_instances(page.place))
    if not form.is_valid():
        raise Invalid(
            errors=[
                FieldProblem(name, str(error.code or "invalid"), error.messages[0])
                for name, errors in form.errors.as_data().items()
                for error in errors
            ]
        )
    return form.cleaned_data
