"""How the address of a registry elsewhere is written, and what of it credentials are bound to."""

import re
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from core.errors import FieldProblem, Invalid
from core.foreign import USUAL_PORTS

LONGEST = 200
HOST = re.compile(r"[a-z0-9.\-]+(?::[0-9]{1,5})?\Z|\[[0-9a-f:.]+\](?::[0-9]{1,5})?\Z", re.ASCII)
HUB = "https://registry-1.docker.io"
_CALLED_HUB = {"docker.io", "index.docker.io", "hub.docker.com", "registry.hub.docker.com"}


def checked(text: str, *, field: str = "address") -> str:
    """`scheme://host[:port]`; without a scheme https is meant. Errors: Invalid."""
    scheme, separator, rest = text.strip().lower().partition("://")
    if not separator:
        scheme, rest = "https", scheme
    rest = rest.rstrip("/")
    if scheme not in USUAL_PORTS or len(rest) > LONGEST - len("https://") or not HOST.match(rest):
        message = _("This is not the address of a registry.")
        hint = _("It looks like https://registry.example.com, with a port where it has one and nothing after it.")
        raise Invalid(errors=[FieldProblem(field, "bad_address", message, hint)])
    return HUB if rest in _CALLED_HUB else f"{scheme}://{rest}"


def checked_host(text: str, *, field: str = "signs_in_at") -> str:
    """`host[:port]`, or nothing. Errors: Invalid."""
    return shown(checked(text, field=field)) if text.strip() else ""


def shown(address: str) -> str:
    """Without its scheme, as it stands before the name of an image."""
    return address.partition("://")[2]


def place_of(url: str) -> str:
    """Scheme, host and port, as `core.foreign.Target.place` says them; empty for what is no address of the web."""
    try:
        parts = urlsplit(url)
        port = parts.port or USUAL_PORTS.get(parts.scheme)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname.rstrip('.')}:{port}" if parts.hostname and port else ""


def repository_there(address: str, name: str) -> str:
    """Names without a slash are short for others on the one registry where everybody writes them so."""
    return f"library/{name}" if address == HUB and name and "/" not in name else name
