"""How a cluster is reached and as whom: from a kubeconfig that needs nothing but itself."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from backends.addresses import refuse_elsewhere
from backends.contract import Unusable, UnusableError

Raw = Mapping[str, Any]

LARGEST = 200_000  # letters of a kubeconfig
SERVER = "cluster.server"

# what would run a program, read a file of ours or send our credentials elsewhere
_REFUSED_OF_USER = {
    "exec": Unusable.RUNS_A_PROGRAM,
    "auth-provider": Unusable.ASKS_ELSEWHERE,
    "tokenFile": Unusable.OTHER_FILE,
    "client-certificate": Unusable.OTHER_FILE,
    "client-key": Unusable.OTHER_FILE,
    "username": Unusable.PASSWORD,
    "password": Unusable.PASSWORD,
    "as": Unusable.ACTS_AS_ANOTHER,
    "as-uid": Unusable.ACTS_AS_ANOTHER,
    "as-groups": Unusable.ACTS_AS_ANOTHER,
    "as-user-extra": Unusable.ACTS_AS_ANOTHER,
}
_REFUSED_OF_CLUSTER = {
    "proxy-url": Unusable.THROUGH_A_PROXY,
    "insecure-skip-tls-verify": Unusable.UNCHECKED,
    "certificate-authority": Unusable.OTHER_FILE,
    "tls-server-name": Unusable.NOT_TAKEN,
}


@dataclass(frozen=True)
class Access:
    """PEM texts. Either a certificate with its key or a token; an empty `authority`: the machine's own list."""

    server: str
    authority: str = ""
    certificate: str = ""
    key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def contexts(text: str) -> list[str]:
    """The names of what a kubeconfig (JSON or YAML) offers, its current one first. Errors: UnusableError."""
    config = _read(text)
    names = [str(one.get("name", "")) for one in _entries(config, "context")]
    return sorted(names, key=lambda name: name != config.get("current-context"))


def from_kubeconfig(text: str, *, context: str = "", loopback: bool = False) -> Access:
    """`loopback`: Berth's own machine may be meant. Errors: UnusableError, with what cannot be taken."""
    config = _read(text)
    chosen = _named(config, "context", context or _current(config))
    cluster = _named(config, "cluster", str(chosen.get("cluster", "")))
    user = _named(config, "user", str(chosen.get("user", "")))
    for kind, part, refused in (("cluster", cluster, _REFUSED_OF_CLUSTER), ("user", user, _REFUSED_OF_USER)):
        for name, why in refused.items():
            if part.get(name):
                raise UnusableError(why, field=f"{kind}.{name}")
    found = Access(
        server=checked_server(str(cluster.get("server", "")), loopback=loopback),
        authority=_decoded(cluster, "cluster", "certificate-authority-data"),
        certificate=_decoded(user, "user", "client-certificate-data"),
        key=_decoded(user, "user", "client-key-data"),
        token=checked_token(str(user.get("token") or "")),
    )
    if not (found.token or (found.certificate and found.key)):
        raise UnusableError(Unusable.NO_CREDENTIALS)
    return found


def checked_server(server: str, *, loopback: bool, where: str = SERVER) -> str:
    """Nothing in the clear, and nowhere that only a machine itself is to call, such as a cloud's metadata service."""
    try:
        parts = urlsplit(server)
        host = parts.hostname or ""
        port_is_one = parts.port is None or parts.port > 0
    except ValueError as error:
        raise UnusableError(Unusable.BAD_ADDRESS, field=where) from error
    odd = parts.username or parts.query or parts.fragment or any(letter.isspace() for letter in server)
    if parts.scheme != "https" or not host or odd or not port_is_one or not server.isprintable():
        raise UnusableError(Unusable.BAD_ADDRESS, field=where)
    refuse_elsewhere(host, field=where, loopback=loopback)
    return server.rstrip("/")


def checked_token(token: str, *, where: str = "user.token") -> str:
    """It goes into a header, so it is one word."""
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise UnusableError(Unusable.BAD_TEXT, field=where)
    return token


def _read(text: str) -> Raw:
    from ruamel.yaml import YAML  # late: JSON needs none of it
    from ruamel.yaml.error import YAMLError

    if len(text) > LARGEST:
        raise UnusableError(Unusable.TOO_LARGE)
    try:
        config = json.loads(text) if text.lstrip().startswith("{") else YAML(typ="safe", pure=True).load(text)
    except (ValueError, YAMLError, RecursionError) as error:
        raise UnusableError(Unusable.UNREADABLE) from error
    if not isinstance(config, dict):
        raise UnusableError(Unusable.NOT_THE_FILE)
    return config


def _current(config: Raw) -> str:
    if name := str(config.get("current-context") or ""):
        return name
    names = [str(one.get("name", "")) for one in _entries(config, "context")]
    if not names:
        raise UnusableError(Unusable.NOT_THE_FILE)
    raise UnusableError(Unusable.NO_CONTEXT, names=", ".join(names)[:300])


def _entries(config: Raw, kind: str) -> list[Raw]:
    """The kubeconfig's list of clusters, users or contexts, as far as it is one."""
    listed = config.get(f"{kind}s")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _named(config: Raw, kind: str, name: str) -> Raw:
    for one in _entries(config, kind):
        if one.get("name") == name and isinstance(one.get(kind), dict):
            found: Raw = one[kind]
            return found
    raise UnusableError(Unusable.MISSING, field=kind, name=name[:100])


def _decoded(part: Raw, kind: str, name: str) -> str:
    try:
        return base64.b64decode("".join(str(part.get(name) or "").split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise UnusableError(Unusable.BAD_TEXT, field=f"{kind}.{name}") from error
