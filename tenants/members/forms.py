"""The form that gives a role, and the one that asks who could do what."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tenants.custom.resolving import roles_at
from tenants.roles import PERMISSIONS

HOURS = [
    ("", _("no end")),
    ("1", _("1 hour")),
    ("4", _("4 hours")),
    ("24", _("1 day")),
    ("168", _("1 week")),
    ("720", _("30 days")),
    ("at", _("the time beside")),
]
MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


def role_choices(tenant: uuid.UUID) -> list[tuple[Any, Any]]:
    """Roles in two groups: of the tenant, and of a project; in each the tenant's own ones last."""
    known = roles_at(tenant)
    groups = {"tenant": _("on the whole tenant"), "project": _("on a project")}
    return [
        (title, [(role.key, role.title) for role in known if role.level == level]) for level, title in groups.items()
    ]


class GrantForm(forms.Form):
    subject = forms.CharField(
        label=_("Person"), max_length=150, help_text=_("The user name."),
        error_messages={"required": _("Say who.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )  # fmt: skip
    role = forms.ChoiceField(label=_("Role"))
    project = forms.ChoiceField(label=_("On"), required=False)
    hours = forms.ChoiceField(label=_("Until"), choices=HOURS, required=False)
    ends_at = forms.DateTimeField(label=_("Ends at"), required=False, widget=MOMENT)
    reason = forms.CharField(label=_("Why"), max_length=500, required=False, help_text=_("Kept in the audit."))

    def __init__(
        self, data: Any = None, *, projects: list[str], tenant: uuid.UUID, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.fields["role"].choices = role_choices(tenant)  # type: ignore[attr-defined]  # a ChoiceField
        named = [("", _("the whole tenant")), *((name, name) for name in projects)]
        self.fields["project"].choices = named  # type: ignore[attr-defined]  # a ChoiceField

    def clean(self) -> dict[str, Any]:
        asked = super().clean() or {}
        if asked.get("hours") == "at" and not asked.get("ends_at") and "ends_at" not in self.errors:
            self.add_error("ends_at", _("Say when it ends."))
        return asked

    @property
    def until(self) -> datetime | None:
        """When the role is to end; None: never."""
        hours = self.cleaned_data["hours"]
        if hours == "at":
            ends: datetime = self.cleaned_data["ends_at"]
            return ends
        return timezone.now() + timedelta(hours=int(hours)) if hours else None


class ProjectGrantForm(GrantForm):
    """As in a tenant, and to a group as well: groups have their own pages in the tenant, but not in a project."""

    subject = forms.CharField(
        label=_("Person"), max_length=150, required=False, help_text=_("The user name."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )  # fmt: skip
    group = forms.CharField(
        label=_("Or a group"), max_length=40, required=False,
        help_text=_("The short name of a group of the tenant, instead of a person."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "list": "groups"}),
    )  # fmt: skip
    field_order = ("subject", "group")

    def clean(self) -> dict[str, Any]:
        asked = super().clean()
        if bool(asked.get("subject")) == bool(asked.get("group")):
            self.add_error("subject", _("Name a person or a group, one of them."))
        return asked


class SuccessorForm(forms.Form):
    """Who takes over what somebody keeps for others; the names of `known` are proposed while typing."""

    hand_over_to = forms.CharField(
        label=_("Hand over to"), max_length=150, required=False, help_text=_("The user name of another member here."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "list": "successors"}),
    )  # fmt: skip

    @property
    def named(self) -> dict[str, str]:
        """Nothing where nobody is named."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class ExtendForm(forms.Form):
    """A later end for a role, in hours after its present one or as a moment."""

    hours = forms.ChoiceField(label=_("Longer by"), choices=[row for row in HOURS if row[0]], initial="1")
    ends_at = forms.DateTimeField(label=_("Ends at"), required=False, widget=MOMENT)
    reason = forms.CharField(
        label=_("Why"), max_length=500, error_messages={"required": _("Say why it goes on.")},
        help_text=_("The person reads it. Kept in the audit."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        asked = super().clean() or {}
        if asked.get("hours") == "at" and not asked.get("ends_at") and "ends_at" not in self.errors:
            self.add_error("ends_at", _("Say when it ends."))
        return asked

    def until(self, present: datetime) -> datetime:
        hours = self.cleaned_data["hours"]
        ends: datetime | None = self.cleaned_data["ends_at"]
        return ends if hours == "at" and ends else present + timedelta(hours=int(hours))


class HistoryForm(forms.Form):
    """What the page "who could do what, when" asks; a damaged field narrows nothing."""

    at = forms.DateTimeField(label=_("At"), required=False, widget=MOMENT)
    person = forms.CharField(label=_("Who"), max_length=150, required=False)
    project = forms.ChoiceField(label=_("Where"), required=False)
    permission = forms.ChoiceField(label=_("What"), required=False)

    def __init__(self, data: Any, *, projects: list[str]) -> None:
        super().__init__(data)
        places = [("", _("everywhere in the tenant")), *((name, name) for name in projects)]
        rights = [("", _("every right")), *PERMISSIONS.items()]
        self.fields["project"].choices = places  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["permission"].choices = rights  # type: ignore[attr-defined]  # a ChoiceField

    @property
    def asked(self) -> dict[str, Any]:
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}
