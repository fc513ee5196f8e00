"""The registry that people push to: Debian's own, a process of its own, which asks Berth who may do what.

In front of it stands the gate (launcher/gate), which alone listens where clients and engines look for the registry.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from launcher.commands import find
from launcher.keeper import GRACE_SECONDS
from launcher.keys import make_registry_keys
from launcher.packages import REGISTRY, way_out
from launcher.paths import ROOT, State, make_folder
from launcher.problems import Problem
from launcher.processes import Mark, rotate, spawn, until
from launcher.services import answers_at, free_at

PROGRAM = "docker-registry"
SERVICE = "berth-registry"
PORT = 5000
START_SECONDS = 30.0
SOCKET = "registry.sock"  # in its folder, which only its owner may enter: nobody goes round the gate
LAYERS = (
    "application/octet-stream",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.oci.image.layer.v1.tar+gzip",
)


@dataclass(frozen=True)
class Berth:
    """Where the portal is: `realm` as clients and engines reach it, `events` as the registry does."""

    realm: str
    events: str

    @property
    def asked(self) -> bool:
        """Whether there is a portal to ask; without one the registry stands alone, with no gate before it."""
        return bool(self.events)

    @property
    def gate(self) -> str:
        """Where the gate asks: beside where the registry tells."""
        return f"{self.events.rpartition('/')[0]}/gate"


class PrivateRegistry:
    """The registry of one state folder. It keeps its port, which stands in the names of images."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.folder = state.folder / "registry"
        self.mark_file = state.run / "registry.mark"
        self.gate_mark_file = state.run / "registry_gate.mark"
        self.log = state.logs / "registry.log"

    def start(self, host: str, berth: Berth) -> str:
        """Start it at an address of this machine; gives back its URL. Raises `Problem` with the way out."""
        if find(PROGRAM) is None:
            raise Problem(f"{PROGRAM} is not installed, so nobody can push images.", hint=way_out(REGISTRY))
        make_folder(self.folder)
        make_registry_keys(self.state.keys)
        self.stop()
        port = self.port(host)
        write(self.config, self.settings(f"{host}:{port}", berth))
        rotate(self.log)
        try:
            self._start_registry(host, port, gated=berth.asked)
            if berth.asked:
                write(self.gate_config, self.gate_settings(f"{host}:{port}", berth))
                self._start_gate(host, port)
        except Problem:
            self.stop()
            raise
        write(self.place_file, {"url": f"http://{host}:{port}"})
        return f"http://{host}:{port}"

    def _start_registry(self, host: str, port: int, *, gated: bool) -> None:
        place = self.folder / SOCKET
        place.unlink(missing_ok=True)

        def ready() -> bool:
            return place.exists() if gated else answers_at(host, port)

        self._keep("The registry", self.mark_file, [find(PROGRAM) or PROGRAM, "serve", str(self.config)], ready)

    def _start_gate(self, host: str, port: int) -> None:
        words = [sys.executable, "-P", "-m", "launcher.gate", str(self.gate_config)]
        self._keep(
            "The gate in front of the registry", self.gate_mark_file, words, ready=lambda: answers_at(host, port)
        )

    def _keep(self, name: str, mark_file: Path, words: Sequence[str], ready: Callable[[], bool]) -> None:
        """Start a program under a keeper, which starts it again should it end; wait until it is ready."""
        keeper = [sys.executable, "-P", "-m", "launcher.keeper", str(mark_file), *words]
        env = clean_environment() | {"PYTHONPATH": str(ROOT)}
        with self.log.open("ab") as log:
            started = spawn(keeper, log=log, env=env, cwd=self.folder)
        mark = Mark.of(started.pid)
        if mark:
            mark.save(keeper_of(mark_file))
            until(lambda: ready() or started.poll() is not None, seconds=START_SECONDS)
        if mark is None or started.poll() is not None or not ready():
            raise Problem(f"{name} did not start.", hint=f"Its log is {self.log}.")

    @property
    def config(self) -> Path:
        return self.folder / "config.json"

    @property
    def gate_config(self) -> Path:
        return self.folder / "gate.json"

    def gate_settings(self, address: str, berth: Berth) -> dict[str, object]:
        """What the gate reads. Both work in the registry's folder: a socket's whole path may be too long for one."""
        return {
            "listen": address,
            "registry": SOCKET,
            "berth": berth.gate,
            "shown_file": str(self.state.keys / "registry_notices"),
            "collect": [find(PROGRAM) or PROGRAM, "garbage-collect", str(self.config)],
            "stored": str(self.folder / "data"),
            "lock": str(self.folder / "collect.lock"),
        }

    def settings(self, address: str, berth: Berth) -> dict[str, object]:
        """What it reads; JSON is YAML too."""
        keys = self.state.keys
        listens = {"net": "unix", "addr": SOCKET} if berth.asked else {"addr": address}
        shown = (keys / "registry_notices").read_text().strip()
        kept: dict[str, object] = {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "http": listens | {"secret": (keys / "registry_http").read_text().strip()},
            "storage": {"filesystem": {"rootdirectory": str(self.folder / "data")}, "delete": {"enabled": True}},
            "auth": {
                "token": {
                    "realm": berth.realm,
                    "service": SERVICE,
                    "issuer": "berth",
                    "rootcertbundle": str(keys / "registry_certificate"),
                }
            },
        }
        return kept | ({"notifications": {"endpoints": self.told_of(berth, shown)}} if berth.asked else {})

    @staticmethod
    def told_of(berth: Berth, shown: str) -> list[dict[str, object]]:
        """Pulls have a queue of their own, so that a push never waits behind them."""
        return [
            told("berth", berth.events, shown, ignoring=["pull"]),
            told("berth-pulls", berth.events, shown, ignoring=["push", "delete", "mount"]),
        ]

    @property
    def place_file(self) -> Path:
        """Where the portal's settings find it (portal/environment.py reads it)."""
        return self.state.keys / "registry.json"

    @property
    def url(self) -> str:
        """Where it was last; empty before its first start."""
        try:
            return str(json.loads(self.place_file.read_text())["url"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def port(self, host: str) -> int:
        """The one it had before, else the usual one, else one that is free."""
        before = self.url.rpartition(":")[2]
        wanted = [int(before)] if before.isdigit() else [PORT]
        return next((port for port in wanted if free_at(host, port)), 0) or free_at(host, 0)

    def running(self) -> Mark | None:
        """The registry itself, where its gate, if it has one, runs too."""
        gone = self.gate_mark_file.exists() and Mark.load(self.gate_mark_file) is None
        return None if gone else Mark.load(self.mark_file)

    def stop(self) -> bool:
        """End both, the gate first and each with its keeper; False if none was running."""
        ended = [self._end(file) for file in (self.gate_mark_file, self.mark_file)]
        (self.folder / SOCKET).unlink(missing_ok=True)
        return any(ended)

    @staticmethod
    def _end(mark_file: Path) -> bool:
        """The keeper first, which ends what it keeps; then the program itself, should its keeper be gone."""
        found = False
        for file in (keeper_of(mark_file), mark_file):
            if mark := Mark.load(file):
                found = True
                mark.end(grace_seconds=GRACE_SECONDS + 2)
            file.unlink(missing_ok=True)
        return found

    def forget(self) -> None:
        """The portal is to know of none."""
        self.place_file.unlink(missing_ok=True)

    def destroy(self) -> None:
        """End it and delete all it stored."""
        self.stop()
        self.forget()
        shutil.rmtree(self.folder, ignore_errors=True)


def keeper_of(mark_file: Path) -> Path:
    """Where the process is written down that keeps another one running."""
    return mark_file.with_name(f"{mark_file.stem}_keeper.mark")


def told(name: str, url: str, shown: str, *, ignoring: list[str]) -> dict[str, object]:
    """One way by which it tells. Each has a queue of its own: a push does not wait behind a thousand pulls."""
    return {
        "name": name,
        "url": url,
        "headers": {"Authorization": [f"Bearer {shown}"]},
        "timeout": "5s",
        "threshold": 5,
        "backoff": "1s",
        "ignore": {"mediatypes": list(LAYERS), "actions": ignoring},
    }


def clean_environment() -> dict[str, str]:
    """It takes every variable that begins with REGISTRY_ for a setting of its own; ours are not meant for it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("REGISTRY_", "OTEL_"))}


def write(path: Path, document: dict[str, object]) -> None:
    """A file only its owner reads, whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(json.dumps(document, indent=2))
    fresh.replace(path)
