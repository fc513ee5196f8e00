"""Forms about second factors."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

CODE = {"autocomplete": "one-time-code", "inputmode": "numeric"}


class AppForm(forms.Form):
    """`sealed` brings the secret back that the page showed."""

    sealed = forms.CharField(widget=forms.HiddenInput, max_length=2000)
    code = forms.CharField(
        label=_("Code"), max_length=20, help_text=_("The six digits that the app shows now."),
        widget=forms.TextInput(attrs=CODE),
    )  # fmt: skip


class PasskeyForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=60, help_text=_("The device it is on, such as “my laptop”."),
        error_messages={"required": _("Name it.")},
    )  # fmt: skip
    credential = forms.CharField(widget=forms.HiddenInput, max_length=20_000)
    challenge = forms.CharField(widget=forms.HiddenInput, max_length=2000)


class ProofForm(forms.Form):
    """One of three; a script fills in the last two fields."""

    password = forms.CharField(
        label=_("Password"), strip=False, max_length=1024, required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )  # fmt: skip
    code = forms.CharField(
        label=_("Or a code"), max_length=20, required=False, help_text=_("Of your app, or a recovery code."),
        widget=forms.TextInput(attrs=CODE),
    )  # fmt: skip
    credential = forms.CharField(required=False, widget=forms.HiddenInput)
    challenge = forms.CharField(required=False, widget=forms.HiddenInput)

    @property
    def proof(self) -> dict[str, str]:
        """As `proof.right` takes it; empty where nothing was given."""
        typed: dict[str, Any] = self.cleaned_data
        if typed.get("credential"):
            return {"passkey": typed["credential"], "challenge": typed["challenge"] or "-"}
        return next(({name: typed[name]} for name in ("password", "code") if typed.get(name)), {})


class LostForm(forms.Form):
    person = forms.CharField(
        label=_("User name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    reason = forms.CharField(
        label=_("Why"), max_length=500, help_text=_("How you know that it is they who ask. The person reads it."),
        error_messages={"required": _("Say why; the person and auditors read it.")},
    )  # fmt: skip
