"""What may come of asking Keystone."""

from django.utils.translation import gettext_lazy as _

from core.errors import Unavailable


class IdentityUnavailable(Unavailable):
    """Keystone is down, slow, or talks rubbish: nobody's password is wrong because of it."""

    code = "identity_unavailable"
    title = _("The identity service is not available")
    hint = _("Nothing is wrong with your password. Who is signed in stays so for a while; try again in a minute.")


class SecondFactorNeeded(Exception):
    """The password is right; a code is needed too. `receipt` lets it be sent alone, for five minutes."""

    def __init__(self, receipt: str) -> None:
        super().__init__("second factor needed")
        self.receipt = receipt


class PasswordExpired(Exception):
    """The password is right, but has to be changed first. `user` is Keystone's id of its owner."""

    def __init__(self, user: str) -> None:
        super().__init__("password expired")
        self.user = user


class Refused(Exception):
    """Keystone says no, in a sentence that may be shown."""
