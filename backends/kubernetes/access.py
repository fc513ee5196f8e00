"""How a cluster is reached and as whom: from a kubeconfig that needs nothing but itself."""

import base64
import binascii
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from backends.contract import DriverError, Reason, ReasonCode

Raw = Mapping[str, Any]

# what would run a program, read a file of ours or send our credentials elsewhere
_REFUSED_OF_USER = (
    "exec",
    "auth-provider",
    "tokenFile",
    "client-certificate",
    "client-key",
    "username",
    "password",
    "as",
)
_REFUSED_OF_CLUSTER = ("proxy-url", "insecure-skip-tls-verify", "certificate-authority")


@dataclass(frozen=True)
class Access:
    """PEM texts. Either a certificate with its key or a token; an empty `authority`: the machine's own list."""

    server: str
    authority: str = ""
    certificate: str = ""
    key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def contexts(text: str) -> list[str]:
    """The names of what a kubeconfig (JSON or YAML) offers, its current one first. Errors: ENGINE_REFUSED."""
    config = _read(text)
    names = [str(one.get("name", "")) for one in config.get("contexts") or ()]
    return sorted(names, key=lambda name: name != config.get("current-context"))


def from_kubeconfig(text: str, *, context: str = "") -> Access:
    """Errors: ENGINE_REFUSED, permanent, with the words of what it is that cannot be taken."""
    config = _read(text)
    chosen = _named(config, "context", context or str(config.get("current-context", "")))
    cluster = _named(config, "cluster", str(chosen.get("cluster", "")))
    user = _named(config, "user", str(chosen.get("user", "")))
    for part, names in ((cluster, _REFUSED_OF_CLUSTER), (user, _REFUSED_OF_USER)):
        for name in names:
            if part.get(name):
                raise _no(f"{name} is not taken from a kubeconfig: put what it leads to into the file itself")
    server = str(cluster.get("server", ""))
    _refuse_elsewhere(server)
    return Access(
        server=server.rstrip("/"),
        authority=_decoded(cluster, "certificate-authority-data"),
        certificate=_decoded(user, "client-certificate-data"),
        key=_decoded(user, "client-key-data"),
        token=str(user.get("token") or ""),
    )


def _refuse_elsewhere(server: str) -> None:
    """Nothing in the clear, and nowhere that only a machine itself is to call, such as a cloud's metadata service."""
    try:
        parts = urlsplit(server)
        host = parts.hostname or ""
    except ValueError as error:
        raise _no("the server's address is none") from error
    if parts.scheme != "https" or not host or parts.username or parts.query or parts.fragment:
        raise _no("the server's address has to begin with https:// and name a host")
    with suppress(ValueError):
        address = ip_address(host)
        if address.is_link_local or address.is_unspecified or address.is_multicast:
            raise _no(f"no cluster answers at {host}")


def _read(text: str) -> Raw:
    from ruamel.yaml import YAML  # late: JSON needs none of it
    from ruamel.yaml.error import YAMLError

    try:
        config = json.loads(text) if text.lstrip().startswith("{") else YAML(typ="safe", pure=True).load(text)
    except (ValueError, YAMLError) as error:
        raise _no("it is neither YAML nor JSON") from error
    if not isinstance(config, dict):
        raise _no("it is no kubeconfig")
    return config


def _named(config: Raw, kind: str, name: str) -> Raw:
    """The entry of that name in the kubeconfig's list of clusters, users or contexts."""
    for one in config.get(f"{kind}s") or ():
        if isinstance(one, dict) and one.get("name") == name and isinstance(one.get(kind), dict):
            found: Raw = one[kind]
            return found
    raise _no(f"it has no {kind} called {name!r}")


def _decoded(part: Raw, name: str) -> str:
    try:
        return base64.b64decode(str(part.get(name) or ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _no(f"{name} is not what it should be") from error


def _no(said: str) -> DriverError:
    return DriverError(Reason(ReasonCode.ENGINE_REFUSED, {"said": f"kubeconfig: {said}"}), permanent=True)
