"""What allauth.mfa asks of its surroundings. Imported by the library, on first use."""

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.translation import gettext as _

from core.secrets import ring

NAME = "Berth"


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]  # untyped library
    """Secrets are encrypted as all others of ours; a passkey belongs to the host that it was made at."""

    def encrypt(self, text: str) -> str:
        return ring().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return ring().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return NAME

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        """The name and where: somebody may have accounts of two portals in one app."""
        return _("%(name)s at %(host)s") % {"name": user.get_username(), "host": context.request.get_host()}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": host_of(context.request), "name": NAME}

    def _get_user_identifier(self, user: AbstractBaseUser) -> str:
        return user.get_username()


def host_of(request: object) -> str:
    """The name in the address, without the port."""
    host: str = request.get_host()  # type: ignore[attr-defined]  # of a Django request; the library hands on any
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
