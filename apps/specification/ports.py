"""Ports as people write them: 80, "80/udp", "8080:80", "127.0.0.1:8080:80/tcp", "3000-3005", or a map."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from apps.specification.problems import Gathering, fault
from apps.specification.scalars import Read

Protocol = Literal["tcp", "udp"]
MOST_PORTS = 20
SHORT = re.compile(
    r"(?:(?:(?P<ip>\[[0-9A-Fa-f:.]{2,45}\]|[0-9.]{7,15}):)?(?P<host>[0-9]{0,5}(?:-[0-9]{1,5})?):)?"
    r"(?P<first>[0-9]{1,5})(?:-(?P<last>[0-9]{1,5}))?(?:/(?P<protocol>[a-z]{1,10}))?\Z",
    re.ASCII,
)
LONG_KEYS = {"target", "published", "protocol", "mode", "host_ip"}
LONG_FIELDS = (
    ("target", re.compile(r"[0-9]{1,5}\Z", re.ASCII), None),
    ("published", re.compile(r"(?:[0-9]{1,5}(?:-[0-9]{1,5})?)?\Z", re.ASCII), ""),
    ("host_ip", re.compile(r"[0-9A-Fa-f.:]{0,45}\Z", re.ASCII), ""),
    ("protocol", re.compile(r"[a-z]{1,10}\Z", re.ASCII), "tcp"),
)
EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104  # compared with what a person wrote; nothing is bound here


@dataclass(frozen=True)
class WrittenPort:
    """One entry of `ports`, with what it asked of the host: `host_port` and `host_address` are "" when not asked."""

    first: int
    last: int
    protocol: Protocol
    host_port: str = ""
    host_address: str = ""

    @property
    def inside(self) -> bool:
        """Bound to the host itself: meant for nobody outside."""
        return self.host_address == "::1" or self.host_address.startswith("127.")


@dataclass(frozen=True)
class Port:
    """`inside`: written under ports, but bound to the host's own address."""

    target: int
    protocol: Protocol = "tcp"
    inside: bool = False

    def short(self) -> str:
        return str(self.target) if self.protocol == "tcp" else f"{self.target}/{self.protocol}"

    def canonical(self) -> dict[str, object]:
        return {"target": self.target, "protocol": self.protocol}


def read_port(value: object) -> WrittenPort:
    """One entry; raises a fault."""
    if isinstance(value, dict):
        return _long(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise fault("bad_port", value=value)
    found = SHORT.match(str(int(value) if isinstance(value, int) else value))
    if found is None:
        raise fault("bad_port", value=value)
    first = int(found["first"])
    last = int(found["last"] or first)
    _check_host_range(found["host"] or "", length=last - first)
    written = WrittenPort(
        first,
        last,
        _protocol(found["protocol"] or "tcp"),
        found["host"] or "",
        (found["ip"] or "").strip("[]"),
    )
    return _checked(written)


def _long(value: dict[str, object]) -> WrittenPort:
    wrong = Gathering()
    for key in sorted(set(value) - LONG_KEYS):
        with wrong.at(key):
            raise fault("extra_forbidden")
    with wrong.at("mode"):
        _require(value.get("mode", "ingress") == "ingress", "port_mode_host")
    for key, pattern, default in LONG_FIELDS:
        with wrong.at(key):
            written = value.get(key, default)
            _require(written is not None, "missing")
            readable = isinstance(written, str | int) and not isinstance(written, bool)
            _require(readable and pattern.match(str(written)), "bad_port", value=written)
    wrong.finish()
    target = int(str(value["target"]))
    published, address = str(value.get("published", "")), str(value.get("host_ip", ""))
    return _checked(WrittenPort(target, target, _protocol(str(value.get("protocol", "tcp"))), published, address))


def _require(holds: object, code: str, *, value: object = "", limit: int = 0) -> None:
    if not holds:
        raise fault(code, value=value, limit=limit)


def _check_host_range(host: str, *, length: int) -> None:
    low, dash, high = host.partition("-")
    if dash and length and int(high) - int(low) != length:
        raise fault("port_range")


def _checked(port: WrittenPort) -> WrittenPort:
    if not (1 <= port.first <= 65535 and 1 <= port.last <= 65535):
        raise fault("port_out_of_range")
    if port.last < port.first:
        raise fault("port_range")
    if port.last - port.first >= MOST_PORTS:
        raise fault("too_many", limit=MOST_PORTS)
    return port


def _protocol(text: str) -> Protocol:
    if text == "tcp":
        return "tcp"
    if text == "udp":
        return "udp"
    raise fault("port_protocol", value=text)


def read_ports(value: object) -> tuple[Port, ...]:
    """All entries, ranges spread out, each port once; raises the faults of all entries together."""
    if not isinstance(value, list | tuple):
        raise fault("not_a_list")
    _require(len(value) <= MOST_PORTS, "too_many", limit=MOST_PORTS)
    found: dict[tuple[int, str], Port] = {}
    wrong = Gathering()
    for index, entry in enumerate(value):
        with wrong.at(index):
            written = read_port(entry)
            for target in range(written.first, written.last + 1):
                _keep(found, Port(target, written.protocol, written.inside))
    wrong.finish()
    _require(len(found) <= MOST_PORTS, "too_many", limit=MOST_PORTS)
    return tuple(sorted(found.values(), key=lambda port: (port.target, port.protocol)))


def _keep(found: dict[tuple[int, str], Port], port: Port) -> None:
    """Written twice, the wider reach counts: published wins over inside."""
    before = found.get((port.target, port.protocol))
    if before is None or before.inside:
        found[port.target, port.protocol] = port


def read_exposed(value: object) -> tuple[Port, ...]:
    """Entries of `expose`: 3000, "3000/udp", "3000-3005"."""
    if not isinstance(value, list | tuple):
        raise fault("not_a_list")
    wrong = Gathering()
    for index, entry in enumerate(value):
        with wrong.at(index):
            _require(not isinstance(entry, dict) and ":" not in str(entry), "bad_port", value=entry)
    wrong.finish()
    return read_ports(value)


SHORT_SCHEMA: dict[str, object] = {"type": ["string", "integer"], "description": '80, "80/udp", "8080:80"'}
LONG_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "target": {"type": "integer", "minimum": 1, "maximum": 65535},
        "protocol": {"enum": ["tcp", "udp"]},
        "published": {"type": ["string", "integer"], "description": "Berth chooses the host's port."},
        "mode": {"enum": ["ingress"]},
        "host_ip": {"type": "string"},
    },
    "required": ["target"],
    "additionalProperties": False,
}
Ports = Annotated[
    tuple[Port, ...],
    Read(read_ports, {"type": "array", "maxItems": MOST_PORTS, "items": {"anyOf": [SHORT_SCHEMA, LONG_SCHEMA]}}),
]
Exposed = Annotated[
    tuple[Port, ...], Read(read_exposed, {"type": "array", "maxItems": MOST_PORTS, "items": SHORT_SCHEMA})
]
