"""The form that begins a review."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from tenants.members.forms import MOMENT, role_choices


class ReviewForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Such as “Fourth quarter”."))
    ends_at = forms.DateTimeField(
        label=_("Ends at"), widget=MOMENT, help_text=_("What nobody confirmed until then ends."),
    )  # fmt: skip
    project = forms.ChoiceField(label=_("On"), required=False)
    roles = forms.MultipleChoiceField(
        label=_("Only these roles"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: every role."),
    )  # fmt: skip

    def __init__(
        self, data: Any = None, *, tenant: UUID, projects: list[str], initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        named = [("", _("the whole tenant and its projects")), *((name, name) for name in projects)]
        self.fields["project"].choices = named  # type: ignore[attr-defined]  # a ChoiceField
        flat = [one for _group, roles in role_choices(tenant) for one in roles]
        self.fields["roles"].choices = flat  # type: ignore[attr-defined]  # a ChoiceField
