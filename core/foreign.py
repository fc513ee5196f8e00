"""Where Berth goes when a person gives it an address: to the public internet, and to networks that operators opened."""

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from core.errors import Invalid, Text

Address = IPv4Address | IPv6Address
USUAL_PORTS = {"https": 443, "http": 80}
LONGEST = 2000
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?\Z", re.ASCII)
_LIKE_A_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)\.?\Z", re.ASCII)  # 127.1, 0x7f.1 and 2130706433 are addresses too


class Refused(Invalid):
    """An address that Berth does not call. What stands there inside, or whether anything does, is not told."""

    code = "address_refused"
    title = _("Berth does not call this address")


@dataclass(frozen=True)
class Target:
    """An address that may be called, with the numbers that its name had when it was looked at."""

    scheme: str
    host: str
    port: int
    path: str
    numbers: tuple[str, ...]

    @property
    def place(self) -> str:
        """What credentials are bound to: scheme, host and port."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def shown(self) -> str:
        """HOST or HOST:PORT, as it stands in the header and in sentences."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == USUAL_PORTS[self.scheme] else f"{host}:{self.port}"


def target(url: str) -> Target:
    """Look an address up and say yes to it. The numbers found here are those to be called: a name may change its own.

    Errors: Refused, for what is no web address, for names that mean nothing, and for where nobody is to be led.
    """
    parts, port = _parts(url)
    host = str(parts.hostname).rstrip(".")
    numbers = _numbers(host)
    opened = [_is_opened(number) for number in numbers]
    if not numbers or not all(good or _is_public(number) for good, number in zip(opened, numbers, strict=True)):
        raise _refused(_("There is nothing at %(host)s that Berth may call.") % {"host": host})
    if parts.scheme == "http" and not all(opened):
        raise Refused(_("%(host)s is not called without encryption.") % {"host": host}, hint=_("Use https://."))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path, tuple(str(number) for number in numbers))


def _parts(url: str) -> tuple[SplitResult, int]:
    wanted = _("It looks like https://host/path, with neither user nor password in it.")
    try:
        if len(url) > LONGEST or any(not 32 < ord(letter) < 127 for letter in url) or "\\" in url:
            raise ValueError
        parts = urlsplit(url)
        port = USUAL_PORTS[parts.scheme] if parts.port is None else parts.port
        if "@" in parts.netloc or not parts.hostname or not _is_host(parts.hostname):
            raise ValueError
    except (ValueError, KeyError) as error:
        raise Refused(_("This is not a web address."), hint=wanted) from error
    if port < 1024 and port not in USUAL_PORTS.values():
        raise Refused(
            _("Port %(port)s belongs to another service.") % {"port": port}, hint=_("Use 443, 80, or 1024 and above.")
        )
    return parts, port


def _is_host(host: str) -> bool:
    if ":" in host:
        return "%" not in host  # urlsplit has looked at it; a zone leads into this machine's links
    last = host.rstrip(".").rpartition(".")[2]
    if _LIKE_A_NUMBER.match(last):
        return str(ip_address(host)) == host
    return len(host) < 254 and bool(_NAME.match(host))


def _numbers(host: str) -> Sequence[Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return list(dict.fromkeys(_plain(ip_address(str(where[0]).partition("%")[0])) for *_kind, where in found))


def _plain(address: Address) -> Address:
    """An address of the older kind may stand inside one of the newer, in several ways."""
    if isinstance(address, IPv4Address):
        return address
    inside = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if inside is None and address in _NAT64:
        inside = IPv4Address(int(address) & 0xFFFFFFFF)
    return inside or address


_NAT64 = IPv6Network("64:ff9b::/96")
_NEVER: tuple[IPv4Network | IPv6Network, ...] = (  # not even where an operator opens a network around them
    IPv4Network("169.254.0.0/16"),
    IPv4Network("0.0.0.0/8"),
    IPv4Network("100.100.100.200/32"),
    IPv6Network("fe80::/10"),
    IPv6Network("fd00:ec2::254/128"),
)


def _is_opened(address: Address) -> bool:
    opened: list[IPv4Network | IPv6Network] = settings.OUTBOUND["networks"]
    return not _is_in(address, _NEVER) and _is_in(address, opened)


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved and not _is_in(address, _NEVER)


def _is_in(address: Address, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _refused(message: Text) -> Refused:
    return Refused(
        message,
        hint=_("Check how it is written. Where it is inside, an operator opens its network (OUTBOUND_NETWORKS)."),
    )
