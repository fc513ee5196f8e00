"""Enforces NetworkPolicies on one node: follows what they speak of, and rewrites one nftables table when it changes.

  python -m launcher.kubernetes.policy_agent KUBECONFIG POD-PREFIX DNS-ADDRESS     (in the node's network)

A new pod is open until its address is known to the API, about a second.
"""

import base64
import http.client
import json
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from launcher.commands import attempt
from launcher.kubernetes.policies import table

PATHS = {
    "namespaces": "/api/v1/namespaces",
    "pods": "/api/v1/pods",
    "policies": "/apis/networking.k8s.io/v1/networkpolicies",
}
AGAIN_SECONDS = 0.5
GATHER_SECONDS = 0.05

Connect = Callable[[float], http.client.HTTPSConnection]
Kept = dict[tuple[str, str], dict[str, Any]]


class Follower:
    """Keeps one kind of objects equal to the API's: list, then watch; from the start where the watch breaks."""

    def __init__(self, path: str, connect: Connect, changed: threading.Event) -> None:
        self.objects: Kept = {}
        self._path = path
        self._connect = connect
        self._changed = changed

    def run(self) -> None:
        while True:
            try:
                self._watch(self._list())
            except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
                print(self._path, repr(error), flush=True)
            time.sleep(AGAIN_SECONDS)

    def _list(self) -> str:
        connection = self._connect(10)
        connection.request("GET", self._path)
        listed = json.load(connection.getresponse())
        self.objects = {key(one): one for one in listed["items"]}
        self._changed.set()
        return str(listed["metadata"]["resourceVersion"])

    def _watch(self, version: str) -> None:
        connection = self._connect(330)
        connection.request("GET", f"{self._path}?watch=1&timeoutSeconds=300&resourceVersion={version}")
        for line in connection.getresponse():
            event = json.loads(line)
            if event["type"] == "ERROR":
                return
            known = self.objects | {key(event["object"]): event["object"]}
            if event["type"] == "DELETED":
                known.pop(key(event["object"]))
            self.objects = known
            self._changed.set()


def key(thing: dict[str, Any]) -> tuple[str, str]:
    return thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


def connector(path: Path) -> Connect:
    config = json.loads(path.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    with tempfile.NamedTemporaryFile() as pair:
        pair.write(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
        pair.flush()
        tls.load_cert_chain(pair.name)
    host = cluster["server"].removeprefix("https://")
    return lambda seconds: http.client.HTTPSConnection(host, context=tls, timeout=seconds)


def main(config: str, prefix: str, dns: str) -> None:
    changed = threading.Event()
    connect = connector(Path(config))
    followers = {name: Follower(path, connect, changed) for name, path in PATHS.items()}
    for follower in followers.values():
        threading.Thread(target=follower.run, daemon=True).start()
    last = ""
    while changed.wait():
        changed.clear()
        text = table(*(followers[name].objects for name in PATHS), prefix=prefix, dns=dns)
        if text != last:
            done = attempt(["nft", "-f", "-"], text=text)
            print(time.strftime("%H:%M:%S"), "applied" if done.returncode == 0 else done.stderr, flush=True)
            last = text if done.returncode == 0 else ""
        time.sleep(GATHER_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
