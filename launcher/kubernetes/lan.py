"""The private cluster's network: a bridge in a namespace of its own, and cables to it from nodes and this machine."""

import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from launcher.commands import attempt, run
from launcher.network import CLUSTERS
from launcher.problems import Problem

PODS = "10.88"  # /24 of node N is 10.88.N.0; nothing outside of the nodes has a route to it
POD_NETWORK = f"{PODS}.0.0/16"
SERVICES = "10.96.0.0/16"
FIRST_SERVICE = "10.96.0.1"
FIRST_NODE = 10


@dataclass(frozen=True)
class Lan:
    """Names and addresses of one cluster; nodes are numbered from 1."""

    short: str
    subnet: ipaddress.IPv4Network

    @property
    def name(self) -> str:
        return f"berthk-{self.short}"

    @property
    def fabric(self) -> str:
        """The namespace with the bridge."""
        return f"{self.name}-lan"

    @property
    def link(self) -> str:
        """This machine's end of its own cable: at most 15 letters."""
        return f"berthk{self.short}"

    @property
    def machine(self) -> str:
        return str(self.subnet[1])

    def namespace(self, number: int) -> str:
        return f"{self.name}-n{number}"

    def address(self, number: int) -> str:
        return str(self.subnet[FIRST_NODE + number])

    def inside(self, number: int) -> list[str]:
        """Words before a command that runs in a node's network."""
        return ["nsenter", f"--net=/run/netns/{self.namespace(number)}"]

    def namespaces(self) -> list[str]:
        found = [line.split()[0] for line in run(["ip", "netns", "list"]).splitlines() if line.strip()]
        return [name for name in found if name.startswith(f"{self.name}-")]

    def lay(self) -> None:
        """The bridge, and this machine's cable to it."""
        if self.fabric in self.namespaces():
            return
        run(["ip", "netns", "add", self.fabric])
        batch(["-n", self.fabric], "link set lo up", "link add br0 type bridge", "link set br0 addrgenmode none up")
        run(["ip", "link", "add", self.link, "type", "veth", "peer", "name", "machine", "netns", self.fabric])
        batch(["-n", self.fabric], "link set machine master br0 up")
        batch([], f"link set {self.link} addrgenmode none up", f"addr add {self.machine}/24 dev {self.link}")

    def plug(self, number: int, *, of: int) -> None:
        """A node's namespace with its cable and its routes to the pods of `of` nodes."""
        name = self.namespace(number)
        if name not in self.namespaces():
            run(["ip", "netns", "add", name])
            batch(["-n", name], "link set lo up", f"link add eth0 type veth peer name n{number} netns {self.fabric}")
            batch(["-n", self.fabric], f"link set n{number} master br0 up")
            address = f"addr add {self.address(number)}/24 dev eth0"
            batch(["-n", name], address, "link set eth0 up", f"route add default via {self.machine}")
            run([*self.inside(number), "sh", "-c", FORWARD])
        others = [other for other in range(1, of + 1) if other != number]
        batch(["-n", name], *(f"route replace {PODS}.{n}.0/24 via {self.address(n)}" for n in others))

    def cable(self, number: int, *, whole: bool) -> None:
        """Cut a node's cable, or mend it."""
        batch(["-n", self.fabric], f"link set n{number} {'up' if whole else 'down'}")

    def clear(self) -> None:
        """Take away every namespace and this machine's end of the cable."""
        for name in self.namespaces():
            attempt(["ip", "netns", "del", name])
        attempt(["ip", "link", "del", self.link])


FORWARD = (
    "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables;"
    f" iptables -t nat -A POSTROUTING -s {POD_NETWORK} ! -d {POD_NETWORK} -j MASQUERADE"
)


def batch(options: list[str], *lines: str) -> None:
    """Several `ip` commands in one go."""
    run(["ip", *options, "-batch", "-"], text="\n".join(lines) + "\n")


def choose(short: str, *, kept: Path, taken: Iterable[ipaddress.IPv4Network]) -> Lan:
    """The cluster's network: as written in `kept`, else by its name; steps on while its subnet is taken."""
    busy = list(taken)
    if kept.exists():
        return Lan(short, ipaddress.IPv4Network(json.loads(kept.read_text())["subnet"]))
    subnets = list(CLUSTERS.subnets(new_prefix=24))
    first = int(short, 16) % len(subnets)
    for subnet in subnets[first:] + subnets[:first]:
        if not any(subnet.overlaps(other) for other in busy):
            kept.write_text(json.dumps({"subnet": str(subnet)}))
            return Lan(short, subnet)
    raise Problem(f"No free network is left in {CLUSTERS} for a private cluster.")
