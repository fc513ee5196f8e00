"""Where a cluster cannot be: addresses that only a machine itself is to call."""

import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

from backends.contract import Unusable, UnusableError

_METADATA = frozenset({ip_address("fd00:ec2::254"), ip_address("100.100.100.200")})  # of clouds, beside 169.254/16
LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost")


def refuse_elsewhere(host: str, *, field: str, loopback: bool) -> None:
    """Errors: NOWHERE (such as a cloud's metadata service), and LOOPBACK unless that is allowed. Nothing is asked."""
    if is_local_name(host) and not loopback:
        raise UnusableError(Unusable.LOOPBACK, field=field, address=host)
    with suppress(ValueError):
        _refuse(ip_address(host), host, field=field, loopback=loopback)


def refuse_where_it_leads(host: str, *, field: str, loopback: bool) -> None:
    """The same of every address that the name has now. One that has none is somebody else's to tell."""
    with suppress(OSError, UnicodeError):
        for *_kind, where in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM):
            found = str(where[0]).partition("%")[0]
            _refuse(ip_address(found), host, field=field, loopback=loopback)


def is_own(host: str) -> bool:
    """Whether it is, as it is written, the machine itself."""
    if is_local_name(host):
        return True
    with suppress(ValueError):
        return plain(ip_address(host)).is_loopback
    return False


def is_local_name(host: str) -> bool:
    bare = host.rstrip(".").lower()
    return bare in LOCAL_NAMES or bare.endswith(".localhost")


def plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An address of the older kind may be written inside one of the newer."""
    return (getattr(address, "ipv4_mapped", None) or address) if address.version == 6 else address


def _refuse(address: IPv4Address | IPv6Address, host: str, *, field: str, loopback: bool) -> None:
    found = plain(address)
    if found.is_loopback:
        if not loopback:
            raise UnusableError(Unusable.LOOPBACK, field=field, address=host)
    elif found in _METADATA or found.is_link_local or found.is_unspecified or found.is_multicast or _is_class_e(found):
        raise UnusableError(Unusable.NOWHERE, field=field, address=host)


def _is_class_e(address: IPv4Address | IPv6Address) -> bool:
    return address.version == 4 and address.is_reserved
