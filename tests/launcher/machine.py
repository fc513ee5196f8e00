"""What a private engine could change on the machine, to compare before and after."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from launcher.cgroups import TREE
from launcher.commands import run
from launcher.engine import PrivateEngine
from launcher.engine_api import EngineClient, EngineError
from launcher.processes import until

OTHER_ENGINES = re.compile(r"(berth|out)-[0-9a-f]{8}|berthk-?[0-9a-f]{8}")  # the last: a private Kubernetes
OTHER_MOUNTS = re.compile(r"/(overlay2|netns|containers)/")


def snapshot(engine: PrivateEngine) -> dict[str, list[str]]:
    """Firewall, routes, links, mounts, control groups and /run.

    Left out is what other engines on the machine do meanwhile: their links and groups go by their names,
    their mounts by where they lie.
    """
    short, folder = engine.state.short, str(engine.state.folder)
    links = [link["ifname"] for link in json.loads(run(["ip", "-json", "link"]))]
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    mounts = [mount for mount in mounts if folder in mount or not OTHER_MOUNTS.search(mount)]
    groups = [str(path) for top in (TREE, *TREE.glob("*/")) for path in top.glob("*/")]
    found = {
        "firewall": rules(run(["iptables-save"])),
        "routes": rules(run(["ip", "-4", "route", "show", "table", "all"])),
        "links": links,
        "mounts": mounts,
        "groups": groups,
        "run": [str(path) for path in Path("/run").iterdir()],
    }
    return {kind: sorted(name for name in names if mine(name, short=short)) for kind, names in found.items()}


def new_since(before: dict[str, list[str]], engine: PrivateEngine) -> dict[str, list[str]]:
    """What is on the machine now and was not before: empty if the engine left nothing.

    What has gone since is not looked at, since that may be anybody's doing; a test of its own watches that.
    """
    now = snapshot(engine)
    added = {kind: sorted(set(now[kind]) - set(before[kind])) for kind in now}
    return {kind: names for kind, names in added.items() if names}


def mine(name: str, *, short: str) -> bool:
    match = OTHER_ENGINES.search(name)
    return match is None or short in match.group()


def rules(text: str) -> list[str]:
    """Lines without comments and counters."""
    lines = [re.sub(r"\[\d+:\d+\]", "", line).strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def containers(client: EngineClient, service: str) -> list[dict[str, Any]]:
    """Running containers of a service."""
    filters = quote(json.dumps({"label": [f"com.docker.swarm.service.name={service}"]}))
    found: list[dict[str, Any]] = client.call("GET", f"/containers/json?filters={filters}")
    return found


def run_service(client: EngineClient, name: str, *, image: str, published: bool = True) -> dict[str, Any]:
    """Make a service of one instance and wait until its container runs; gives the container's row."""
    port = {"Protocol": "tcp", "TargetPort": 8080, "PublishMode": "host"}
    client.call(
        "POST",
        "/services/create",
        body={
            "Name": name,
            "TaskTemplate": {"ContainerSpec": {"Image": image}},
            "Mode": {"Replicated": {"Replicas": 1}},
            "EndpointSpec": {"Mode": "dnsrr", "Ports": [port] if published else []},
        },
    )
    assert until(lambda: len(running(client, name)) == 1, seconds=60)
    return running(client, name)[0]


def running(client: EngineClient, service: str) -> list[dict[str, Any]]:
    """Containers of a service that are healthy."""
    return [row for row in containers(client, service) if "(healthy)" in row["Status"]]


def public_port(row: dict[str, Any]) -> int:
    """The port under which a container's 8080 answers."""
    return next(int(port["PublicPort"]) for port in row["Ports"] if "PublicPort" in port)


def shell(client: EngineClient, container: str, script: str) -> tuple[int, str]:
    """Run a script in a container; gives exit code and output."""
    words = ["sh", "-c", script]
    made = client.call("POST", f"/containers/{container}/exec", body={"Cmd": words, "Tty": True, "AttachStdout": True})
    output = str(client.call("POST", f"/exec/{made['Id']}/start", body={"Detach": False, "Tty": True}))
    assert until(lambda: not client.call("GET", f"/exec/{made['Id']}/json")["Running"], seconds=30)
    return int(client.call("GET", f"/exec/{made['Id']}/json")["ExitCode"]), output


def gone(client: EngineClient) -> bool:
    """Whether nothing answers any more."""
    try:
        client.call("GET", "/_ping")
    except (OSError, EngineError):
        return True
    return False
