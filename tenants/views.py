"""The door."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.utils.translation import gettext_lazy as _


class SignInForm(AuthenticationForm):
    """One text for a wrong name and a wrong password."""

    username = forms.CharField(label=_("User name"), max_length=150)
    password = forms.CharField(label=_("Password"), max_length=1024, strip=False, widget=forms.PasswordInput)
    error_messages = {  # noqa: RUF012  as in the class it extends
        "invalid_login": _("User name or password is wrong. Check both; capital letters count."),
        "inactive": _("User name or password is wrong. Check both; capital letters count."),
    }


class SignIn(LoginView):
    form_class = SignInForm
    template_name = "door/sign_in.html"
    redirect_authenticated_user = True
