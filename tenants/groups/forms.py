"""The forms of groups: a new one and a new name, somebody who comes in, a role for all of them."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tenants.groups.holders import OWNER
from tenants.members.forms import GrantForm


class GroupForm(forms.Form):
    name = forms.CharField(
        label=_("Short name"), max_length=40, help_text=_("Small letters, digits and hyphens."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )  # fmt: skip
    title = forms.CharField(label=_("Title"), max_length=100, required=False, help_text=_("What others read."))


class AddForm(forms.Form):
    person = forms.CharField(
        label=_("Person"), max_length=150, help_text=_("The user name of somebody with a role in this tenant."),
        error_messages={"required": _("Say who.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )  # fmt: skip


class GroupRoleForm(GrantForm):
    """As the form that gives a role to a person, without one, and without the role that only people have."""

    subject = None  # type: ignore[assignment]  # this is how Django takes a field out

    def __init__(self, data: Any = None, **given: Any) -> None:
        super().__init__(data, **given)
        role: Any = self.fields["role"]
        role.choices = [(title, [one for one in roles if one[0] != OWNER]) for title, roles in role.choices]
