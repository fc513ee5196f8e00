"""Forms of one's own account."""

import zoneinfo
from datetime import timedelta
from functools import cache
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from tenants.models import User
from tenants.profile.selectors import shown_account
from tenants.roles import PERMISSIONS

AUTO = "auto"  # in the form; the row has nothing then
THEMES = [("", _("as the system has it")), ("light", _("light")), ("dark", _("dark"))]
LANGUAGES = [("", _("as the browser asks for")), ("en", "English"), ("zh-hans", "简体中文")]
DAYS = [(7, _("7 days")), (30, _("30 days")), (90, _("90 days")), (366, _("366 days"))]


@cache
def zone_names() -> list[str]:
    """Read from disk once: that takes a while."""
    return sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))


def time_zones() -> list[tuple[str, Any]]:
    return [
        (AUTO, _("of the server (%(zone)s)") % {"zone": settings.TIME_ZONE}),
        *((name, name) for name in zone_names()),
    ]


class ProfileForm(forms.Form):
    title = forms.CharField(
        label=_("Name"), max_length=100, required=False,
        help_text=_("What Berth calls you. In the audit you stand with your user name."),
    )  # fmt: skip
    language = forms.ChoiceField(label=_("Language"), choices=[(code or AUTO, words) for code, words in LANGUAGES])
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zones)
    theme = forms.ChoiceField(label=_("Theme"), choices=[(code or AUTO, words) for code, words in THEMES])
    keys = forms.BooleanField(
        label=_("Single keys do something"), required=False,
        help_text=_("Such as j and k in lists; the list under ? says which. Ctrl K works either way."),
    )  # fmt: skip
    reader = forms.BooleanField(
        label=_("For screen readers"), required=False,
        help_text=_("Terminal and logs are drawn as text that a screen reader can follow."),
    )  # fmt: skip

    @classmethod
    def of(cls, user: User, data: Any = None) -> "ProfileForm":
        kept = shown_account(user)
        return cls(
            data, initial={name: value if name == "title" or value != "" else AUTO for name, value in kept.items()}
        )

    def settings(self) -> dict[str, Any]:
        """As the row keeps them."""
        auto = {name: "" for name, value in self.cleaned_data.items() if value == AUTO and name != "title"}
        return self.cleaned_data | auto


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=60,
        help_text=_("What uses it, such as the name of a pipeline."), error_messages={"required": _("Name it.")},
    )  # fmt: skip
    days = forms.TypedChoiceField(label=_("Valid for"), choices=DAYS, coerce=int, initial=90)
    place = forms.ChoiceField(label=_("Counts in"), required=False)
    scopes = forms.MultipleChoiceField(
        label=_("May do"),
        required=False,
        choices=[(code, words) for code, words in PERMISSIONS.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Choose what it needs and nothing else. With nothing chosen it may do all that you may."),
    )

    def __init__(self, data: Any = None, *, places: list[tuple[str, str]]) -> None:
        super().__init__(data)
        self.fields["place"].choices = [("", _("every place of mine")), *places]  # type: ignore[attr-defined]  # it has

    @property
    def lifetime(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"])
