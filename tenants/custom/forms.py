"""The form of a role that a tenant makes for itself."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.access import Actor, may
from tenants.custom.models import CustomRole
from tenants.models import Tenant
from tenants.roles import CHOOSABLE, PERMISSIONS


def choices(actor: Actor, home: Tenant, level: str) -> list[tuple[str, Any]]:
    """Rights that a role of this level can be made of and that the actor holds."""
    return [(code, words) for code, words in PERMISSIONS.items() if code in CHOOSABLE[level] and may(actor, code, home)]


class RoleForm(forms.Form):
    """What can be changed of a role. `version` is what it was read at."""

    title = forms.CharField(label=_("Title"), max_length=100, required=False, help_text=_("What people read."))
    permissions = forms.MultipleChoiceField(
        label=_("May"), widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one right.")},
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(
        self, data: Any = None, *, rights: list[tuple[str, Any]], initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.fields["permissions"].choices = rights  # type: ignore[attr-defined]  # a MultipleChoiceField


class NewRoleForm(RoleForm):
    name = forms.CharField(
        label=_("Name"), max_length=40, help_text=_("Small letters, digits and hyphens; it stays for good."),
        error_messages={"required": _("Name it.")},
    )  # fmt: skip
    level = forms.ChoiceField(
        label=_("Given"), choices=CustomRole.Level.choices, initial="project",
        help_text=_("Rights of the tenant alone count only in a role that is given on the whole tenant."),
    )  # fmt: skip
