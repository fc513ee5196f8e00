"""A Swarm of two hosts: two private engines with a link between their namespaces."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from launcher import sample_images
from launcher.commands import run
from launcher.engine import PrivateEngine
from launcher.engine_api import EngineClient
from launcher.network import OVERLAYS
from launcher.processes import Mark, until

SECONDS = 60
ADDRESSES = ("10.206.255.1", "10.206.255.2")  # seen by these two alone
PORT = "berth1"


@contextmanager
def two_hosts(folder: Path) -> Iterator[str]:
    """The address of the manager. Its engine holds the sample images, and so does the other's."""
    engines = [PrivateEngine(folder / name) for name in ("one", "two")]
    try:
        for engine in engines:
            engine.start()
            sample_images.ensure(engine.url)
            EngineClient(engine.url, timeout_seconds=SECONDS).call("POST", "/swarm/leave?force=true")
        _link([_pid(engine) for engine in engines])
        _join([EngineClient(engine.url, timeout_seconds=SECONDS) for engine in engines])
        yield engines[0].url
    finally:
        for engine in engines:
            engine.destroy()


def _pid(engine: PrivateEngine) -> int:
    mark = Mark.load(engine.folder / "dockerd.mark")
    assert mark is not None
    return mark.pid


def _link(pids: list[int]) -> None:
    first, second = pids
    run(["ip", "link", "add", PORT, "netns", str(first), "type", "veth", "peer", "name", PORT, "netns", str(second)])
    for pid, address in zip(pids, ADDRESSES, strict=True):
        inside = ["nsenter", f"--net=/proc/{pid}/ns/net", "ip"]
        run([*inside, "addr", "add", f"{address}/30", "dev", PORT])
        run([*inside, "link", "set", PORT, "up"])


def _join(clients: list[EngineClient]) -> None:
    manager, worker = clients
    for client in clients:
        assert until(partial(_alone, client), seconds=SECONDS)
    first, second = ADDRESSES
    own = {"ListenAddr": f"{first}:2377", "AdvertiseAddr": first}
    manager.call("POST", "/swarm/init", body=own | {"DefaultAddrPool": [OVERLAYS], "SubnetSize": 24})
    token = manager.call("GET", "/swarm")["JoinTokens"]["Worker"]
    own = {"ListenAddr": f"{second}:2377", "AdvertiseAddr": second}
    worker.call("POST", "/swarm/join", body=own | {"RemoteAddrs": [f"{first}:2377"], "JoinToken": token})
    assert until(lambda: len(_ready(manager)) == 2, seconds=SECONDS), manager.call("GET", "/nodes")


def _alone(client: EngineClient) -> bool:
    return bool(client.swarm().get("LocalNodeState") == "inactive")


def _ready(manager: EngineClient) -> list[str]:
    return [node["ID"] for node in manager.call("GET", "/nodes") if node["Status"]["State"] == "ready"]
