"""A private engine's network: a link to this machine for what comes in, slirp4netns for what goes out.

The namespace belongs to the engine's first process and has no name, so it goes, with both ends of its link,
when that process does. Nothing of the machine's own network is changed but this one link.
"""

import ipaddress
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from launcher.commands import attempt, run
from launcher.problems import Problem
from launcher.processes import Mark, spawn

POOL = ipaddress.IPv4Network("10.207.0.0/16")  # of these /30 networks each engine gets one
CLUSTERS = ipaddress.IPv4Network("10.78.0.0/16")  # of these /24 networks each private Kubernetes gets one
OVERLAYS = "10.208.0.0/12"  # Swarm's own choice, 10.0.0.0/8, would run into slirp's 10.0.2.0/24
BRIDGES = "172.30.0.0/16"
RESOLVER = "10.0.2.3"  # slirp4netns answers names here
INSIDE = "berth0"
METADATA = "169.254.0.0/16"  # clouds hand out a machine's credentials here


@dataclass(frozen=True)
class Link:
    """Names and addresses of one engine's links."""

    short: str
    subnet: ipaddress.IPv4Network

    @property
    def outside(self) -> str:
        """The link's end on this machine."""
        return f"berth-{self.short}"

    @property
    def tap(self) -> str:
        """The way out inside the namespace; also the word by which its slirp4netns is known."""
        return f"out-{self.short}"

    @property
    def machine(self) -> str:
        """This machine's address on the link."""
        return str(self.subnet[1])

    @property
    def engine(self) -> str:
        """The engine's address on the link, where container ports answer."""
        return str(self.subnet[2])


def choose(short: str, *, kept: Path, taken: Iterable[ipaddress.IPv4Network]) -> Link:
    """The engine's link: as written in `kept`, else by its name; steps on while its subnet is taken."""
    busy = list(taken)
    subnets: list[ipaddress.IPv4Network] = list(POOL.subnets(new_prefix=30))
    start = remembered(kept) or subnets[int(short, 16) % len(subnets)]
    first = subnets.index(start)
    for subnet in subnets[first:] + subnets[:first]:
        if not any(subnet.overlaps(other) for other in busy):
            kept.write_text(json.dumps({"subnet": str(subnet)}))
            return Link(short, subnet)
    raise Problem(
        f"No free network is left in {POOL} for a private engine.",
        hint="Remove the route that covers all of it, or name an engine with --engine URL.",
    )


def remembered(kept: Path) -> ipaddress.IPv4Network | None:
    try:
        subnet = ipaddress.IPv4Network(json.loads(kept.read_text())["subnet"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return subnet if subnet.prefixlen == 30 and subnet.subnet_of(POOL) else None


def networks_in_use() -> list[ipaddress.IPv4Network]:
    """Every IPv4 network this machine has a route or an address for, the default route left out."""
    routes = json.loads(run(["ip", "-json", "-4", "route", "show", "table", "all"]) or "[]")
    targets = [route.get("dst", "default") for route in routes]
    return [ipaddress.IPv4Network(target, strict=False) for target in targets if target != "default"]


def own_addresses() -> list[str]:
    """This machine's IPv4 addresses, loopback left out."""
    links = json.loads(run(["ip", "-json", "-4", "addr"]) or "[]")
    found = [entry.get("local", "") for link in links for entry in link.get("addr_info", [])]
    return [address for address in found if address and not address.startswith("127.")]


def plug(link: Link, *, pid: int) -> None:
    """Make the link between this machine and the network namespace of process `pid`, and the rules inside."""
    inside = ["nsenter", f"--net=/proc/{pid}/ns/net"]
    run(["ip", "link", "add", link.outside, "type", "veth", "peer", "name", INSIDE, "netns", str(pid)])
    run(["ip", "link", "set", link.outside, "addrgenmode", "none"])
    run(["ip", "addr", "add", f"{link.machine}/30", "dev", link.outside])
    run(["ip", "link", "set", link.outside, "up"])
    script = "\n".join(
        (
            "link set lo up",
            f"link set {INSIDE} addrgenmode none",
            f"addr add {link.engine}/30 dev {INSIDE}",
            f"link set {INSIDE} up",
        )
    )
    run([*inside, "ip", "-batch", "-"], text=script + "\n")
    run([*inside, "iptables-restore"], text=rules(link, machine=own_addresses()))


def rules(link: Link, *, machine: Iterable[str]) -> str:
    """Firewall of the namespace, in the table Docker leaves alone.

    In: only this machine itself. Out of a container: answers, and the wide world, but neither this machine's own
    addresses, nor other private engines and clusters, also those that start later, nor a cloud's metadata service,
    nor a neighbour's open port.
    """
    closed = sorted({*machine, str(POOL), str(CLUSTERS), METADATA} - {link.machine})
    return "\n".join(
        (
            "*mangle",
            f"-A PREROUTING -i {INSIDE} ! -s {link.machine}/32 -j DROP",
            "-A INPUT -i docker_gwbridge -m conntrack --ctstate NEW -j DROP",
            "-A INPUT -i docker0 -m conntrack --ctstate NEW -j DROP",
            f"-A FORWARD -o {INSIDE} -m conntrack --ctstate NEW -j DROP",
            "-A FORWARD -i docker_gwbridge -o docker_gwbridge -j DROP",
            *(f"-A FORWARD -o {link.tap} -d {address} -j DROP" for address in closed),
            "COMMIT",
            "",
        )
    )


def open_way_out(link: Link, *, pid: int, log: Path) -> Mark:
    """Start slirp4netns for the namespace of process `pid`; returns once the way out is up.

    Its sandbox unmounts what it does not need, and that reaches mounts the machine shares (everybody's named
    network namespaces), unless it gets mounts of its own first.
    """
    reader, writer = os.pipe()
    words = ["unshare", "--mount", "--propagation", "private"]
    words += ["slirp4netns", "--configure", "--mtu=65520", "--disable-host-loopback", "--enable-sandbox"]
    words += [f"--ready-fd={writer}", "--netns-type=path", f"/proc/{pid}/ns/net", link.tap]
    with log.open("ab") as file:
        started = spawn(words, log=file, keep=[writer])
    os.close(writer)
    with os.fdopen(reader, "rb") as ready:
        is_up = bool(ready.read(1))
    mark = Mark.of(started.pid)
    if mark is None or not is_up:
        started.kill()
        started.wait()
        raise Problem("slirp4netns did not start.", hint=f"Its last words are in {log}.")
    return mark


def unplug(link: str) -> None:
    """Take away this machine's end of a link, if it is still there."""
    if attempt(["ip", "link", "show", "dev", link]).returncode == 0:
        run(["ip", "link", "del", link])
