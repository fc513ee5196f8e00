"""The forms of the door."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tenants.identity.door import Waiting
from tenants.identity.errors import Refused
from tenants.models import User

LONGEST_BYTES = 72  # Keystone's bcrypt ignores what comes after
WRONG = _("User name or password is wrong. Check both; capital letters count.")


class SignInForm(AuthenticationForm):
    """One text for a wrong name, a wrong password and a wrong organization."""

    organization = forms.CharField(
        label=_("Organization"), max_length=64, required=False,
        help_text=_("Its name, as your administrator gave it. Empty for an account of Berth itself."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )  # fmt: skip
    username = forms.CharField(label=_("User name"), max_length=150)
    password = forms.CharField(label=_("Password"), max_length=1024, strip=False, widget=forms.PasswordInput)
    field_order = ("organization", "username", "password")
    error_messages = {"invalid_login": WRONG, "inactive": WRONG}  # noqa: RUF012  as in the class it extends

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.KEYSTONE["url"]:
            del self.fields["organization"]
        else:
            self.fields["username"].widget.attrs.pop("autofocus", None)
            self.fields["organization"].widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        """Raises what tenants.identity.errors names, where the password is not wrong."""
        typed = self.cleaned_data
        if typed.get("username") and typed.get("password"):
            self.user_cache = authenticate(
                self.request,
                username=typed["username"],
                password=typed["password"],
                organization=typed.get("organization", ""),
            )
            if self.user_cache is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return typed


class _Step(forms.Form):
    """Of somebody who waits between a right password and being in."""

    def __init__(self, *args: Any, request: HttpRequest, waiting: Waiting, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request, self.waiting = request, waiting
        self.user: User | None = None

    def get_user(self) -> User | None:
        return self.user

    def enter(self, **proof: str) -> None:
        """Sign in with what was typed now. Counts as a failure where it is wrong."""
        who = {"username": self.waiting.username, "organization": self.waiting.organization}
        self.user = authenticate(self.request, **who, **proof)


class CodeForm(_Step):
    """The second step of a sign-in."""

    code = forms.CharField(
        label=_("Code"), max_length=20, help_text=_("Six digits, from the app on your phone."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.waiting.organization:
            self.fields["code"].help_text = _("Six digits from your app, or one of your recovery codes.")

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        if "code" in typed:
            self.enter(code=typed["code"].replace(" ", ""), receipt=self.waiting.key)
            if self.user is None:
                raise forms.ValidationError(_("The code is wrong or too old. Wait for the next one, then type that."))
        return typed


class PasskeyForm(forms.Form):
    """The answer of a browser that was asked for a passkey; filled in by a script."""

    credential = forms.CharField(required=False, widget=forms.HiddenInput)
    challenge = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.user: User | None = None

    def get_user(self) -> User | None:
        return self.user

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        answer = {"passkey": typed.get("credential") or "-", "challenge": typed.get("challenge") or "-"}
        self.user = authenticate(self.request, **answer)
        if self.user is None:
            raise forms.ValidationError(_("This passkey does not open Berth here. Try again, or use your password."))
        return typed


class ExpiredForm(_Step):
    """A new password in place of one that has expired."""

    old = forms.CharField(
        label=_("Present password"), strip=False, max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )  # fmt: skip
    new = forms.CharField(
        label=_("New password"), strip=False, max_length=1024, help_text=_("At most 72 bytes."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    again = forms.CharField(
        label=_("New password, again"), strip=False, max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    def clean_new(self) -> str:
        new: str = self.cleaned_data["new"]
        if len(new.encode()) > LONGEST_BYTES:
            raise forms.ValidationError(_("It is longer than 72 bytes."))
        return new

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        if self.errors:
            return typed
        if typed["new"] != typed["again"]:
            self.add_error("again", _("The two are not the same."))
            return typed
        self._change(typed["old"], typed["new"])
        return typed

    def _change(self, old: str, new: str) -> None:
        from tenants.identity import wire

        try:
            right = wire.change_password(self.waiting.key, old, new)
        except Refused as refused:
            self.add_error("new", str(refused))
            return
        if not right:
            who = {"username": self.waiting.username}
            user_login_failed.send(sender=__name__, credentials=who, request=self.request)
            self.add_error("old", _("This is not the present password."))
            return
        self.enter(password=new)  # at once: a token of this second is taken back, but only its answer is read here
