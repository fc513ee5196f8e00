"""A private Docker engine with a one-node Swarm, apart from everything else on the machine.

Its processes live in namespaces of their own (network, mounts, process numbers), so that they, their mounts
and their links go together; control groups and files lie under names derived from the state folder.
"""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from launcher import cgroups, network
from launcher.commands import attempt, find
from launcher.engine_api import EngineClient, EngineError
from launcher.paths import State, make_folder
from launcher.problems import Problem
from launcher.processes import Mark, children, rotate, spawn, until, with_words

PROGRAMS = {
    "dockerd": "docker.io",
    "docker-init": "tini",
    "slirp4netns": "slirp4netns",
    "ip": "iproute2",
    "iptables-restore": "iptables",
    "nsenter": "util-linux",
    "unshare": "util-linux",
}
OURS = {"unshare", "docker-init", "dockerd", "sh", "slirp4netns"}
SOCKET_LIMIT = 100  # a Unix socket's path ends at 107 bytes
LONGEST_SOCKET = "exec/containerd/containerd-debug.sock"
CERTIFICATE_NANOSECONDS = 10 * 365 * 24 * 3600 * 10**9
START_SECONDS = 60.0

# Runs as the first process of the namespaces: hides the machine's /run (sockets of other engines), puts our
# resolver in place, and becomes dockerd once the network stands.
BOOT = """
set -e
mount -t tmpfs -o mode=755 tmpfs /run
[ -z "$3" ] || ln -s "$4" "$3"
resolver=$(readlink -m /etc/resolv.conf)
mkdir -p "${resolver%/*}"
[ -e "$resolver" ] || : > "$resolver"
mount --bind "$2" "$resolver"
read -r go
exec dockerd --config-file "$1"
"""


@dataclass(frozen=True)
class Engine:
    """A running engine: where to call it (`url`) and where its containers' ports answer (`address`)."""

    url: str
    address: str
    started_now: bool


@dataclass(frozen=True)
class EngineStatus:
    """What can be seen of a private engine from outside."""

    running: bool
    url: str
    address: str
    pid: int | None
    way_out: bool


def missing_programs() -> dict[str, str]:
    """Programs a private engine needs and this machine lacks, each with its Debian package."""
    return {program: package for program, package in PROGRAMS.items() if find(program) is None}


class PrivateEngine:
    """The private engine of one state folder. Use `start`, `stop`, `kill`, `status`, `destroy`."""

    def __init__(self, state: Path) -> None:
        self.state = State(state.resolve())
        self.folder = self.state.engine
        self.name = f"berth-{self.state.short}"
        self.config = self.folder / "daemon.json"
        self.log = self.folder / "dockerd.log"

    @property
    def shortcut(self) -> Path | None:
        """A link in /run to the engine's folder, for folders whose own path is too long for sockets."""
        too_long = len(os.fsencode(self.folder / LONGEST_SOCKET)) > SOCKET_LIMIT
        return Path("/run") / self.name if too_long else None

    @property
    def base(self) -> Path:
        """The engine's folder by a path short enough for sockets."""
        return self.shortcut or self.folder

    @property
    def url(self) -> str:
        return f"unix://{self.base / 'docker.sock'}"

    def start(self) -> Engine:
        """Start the engine and its Swarm, or find both running. Raises `Problem` with the way out."""
        self.refuse_if_impossible()
        make_folder(self.state.folder)
        make_folder(self.folder)
        with self.lock():
            if self.status().running:
                return Engine(self.url, self.address, started_now=False)
            self.sweep()
            with ExitStack() as undo:
                undo.callback(self.sweep)
                self.boot()
                undo.pop_all()
        return Engine(self.url, self.address, started_now=True)

    def stop(self, *, grace_seconds: float = 15) -> None:
        """Stop dockerd in good order, then leave nothing of it on the machine but its files."""
        if not self.folder.is_dir():
            return
        with self.lock():
            inner = Mark.load(self.folder / "dockerd.mark")
            if inner:
                inner.end(grace_seconds=grace_seconds)
            self.sweep()

    def kill(self) -> None:
        """End engine and containers at once, as a power cut would; files and links are left as they fall."""
        for file in ("slirp4netns.mark", "dockerd.mark"):
            mark = Mark.load(self.folder / file)
            if mark:
                mark.kill()

    def destroy(self) -> None:
        """Stop the engine and delete all it stored."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def status(self) -> EngineStatus:
        """How the engine is, without changing anything."""
        mark = Mark.load(self.folder / "dockerd.mark")
        return EngineStatus(
            running=mark is not None and EngineClient(self.url, timeout_seconds=5).answers(),
            url=self.url,
            address=self.address,
            pid=mark.pid if mark else None,
            way_out=Mark.load(self.folder / "slirp4netns.mark") is not None,
        )

    @property
    def address(self) -> str:
        """The engine's address on its link; empty before the first start."""
        subnet = network.remembered(self.folder / "network.json")
        return str(subnet[2]) if subnet else ""

    @property
    def machine(self) -> str:
        """This machine's address on the engine's link; empty before the first start."""
        subnet = network.remembered(self.folder / "network.json")
        return str(subnet[1]) if subnet else ""

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Only one launcher at a time starts or stops this engine."""
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def refuse_if_impossible(self) -> None:
        if os.geteuid() != 0:
            raise Problem(
                "A private engine needs root, and you are another user.",
                hint="Run ./berth up as root, or name an engine you may use with --engine URL.",
            )
        missing = missing_programs()
        if missing:
            raise Problem(
                f"A private engine needs {', '.join(sorted(missing))}, which this machine lacks.",
                hint=f"Install with: apt-get install -y {' '.join(sorted(set(missing.values())))}",
            )
        if self.folder.is_relative_to("/run"):
            raise Problem(
                f"A private engine cannot keep its state below /run ({self.folder}).",
                hint="Set BERTH_STATE to a folder that outlives a reboot.",
            )

    def boot(self) -> None:
        """Start the processes in their order and wait for the Swarm. Nothing may be left from before."""
        before = self.address
        link = network.choose(self.state.short, kept=self.folder / "network.json", taken=network.networks_in_use())
        if before and before != link.engine:
            self.move_swarm(before, link.engine)
        self.write_files()
        outer, inner = self.start_namespaces()
        try:
            network.plug(link, pid=inner.pid)
            way_out = network.open_way_out(link, pid=inner.pid, log=self.folder / "slirp4netns.log")
            way_out.save(self.folder / "slirp4netns.mark")
            self.release(outer)
        except BrokenPipeError as error:
            raise Problem(f"The engine's namespaces broke down: {self.last_words()}") from error
        self.await_answer(inner)
        try:
            self.await_swarm(link)
        except (EngineError, OSError) as error:
            raise Problem(f"The engine's Swarm failed: {error}", hint=f"Its log is {self.log}.") from error

    def write_files(self) -> None:
        """Write what dockerd reads."""
        self.config.write_text(json.dumps(self.settings(), indent=2))
        (self.folder / "resolv.conf").write_text(f"nameserver {network.RESOLVER}\n")
        if self.shortcut:
            with suppress(FileNotFoundError):
                self.shortcut.unlink()
            self.shortcut.symlink_to(self.folder)

    def settings(self) -> dict[str, object]:
        """The content of daemon.json."""
        base = self.base
        link = network.remembered(self.folder / "network.json")
        own: dict[str, object] = {
            "data-root": str(self.folder / "data"),
            "exec-root": str(base / "exec"),
            "pidfile": str(self.folder / "docker.pid"),
            "hosts": [self.url],
            "group": "root",
            "cgroup-parent": f"/{self.name}",
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "live-restore": False,
            "userland-proxy": False,
            "shutdown-timeout": 8,
            "dns": [network.RESOLVER],
            "insecure-registries": [str(link)] if link else [],  # Berth's own, which listens at this very link
            "default-address-pools": [{"base": network.BRIDGES, "size": 24}],
            "log-driver": "json-file",
            "log-opts": {"max-size": "100m", "max-file": "20"},
        }
        if older_than_23():
            own["deprecated-key-path"] = str(self.folder / "key.json")  # else it goes to /etc/docker
        return own

    def move_swarm(self, old: str, new: str) -> None:
        """Tell a Swarm that is not running that its node's address has changed; it keeps its services."""
        notes = self.folder / "data" / "swarm" / "docker-state.json"
        with suppress(FileNotFoundError):
            notes.write_text(notes.read_text().replace(old, new))

    def start_namespaces(self) -> tuple[subprocess.Popen[bytes], Mark]:
        """Start the namespaces' first process, which then waits for its network."""
        words = ["unshare", "--net", "--mount", "--propagation", "slave", "--pid", "--fork"]
        words += ["--kill-child", "--mount-proc", "docker-init", "--", "sh", "-c", BOOT, self.name]
        words += [
            str(self.config),
            str(self.folder / "resolv.conf"),
            str(self.shortcut or ""),
            str(self.folder),
        ]
        rotate(self.log)
        with self.log.open("ab") as log:
            outer = spawn(words, log=log, feed=True)
        until(lambda: bool(children(outer.pid)) or outer.poll() is not None, seconds=5)
        found = children(outer.pid)
        inner = Mark.of(found[0]) if found else None
        if inner is None:
            outer.kill()
            outer.wait()
            raise Problem(f"The engine's namespaces could not be made: {self.last_words()}")
        inner.save(self.folder / "dockerd.mark")
        return outer, inner

    def release(self, outer: subprocess.Popen[bytes]) -> None:
        """Let dockerd begin."""
        if outer.stdin:
            outer.stdin.write(b"go\n")
            outer.stdin.close()

    def await_answer(self, inner: Mark) -> None:
        client = EngineClient(self.url, timeout_seconds=5)
        until(lambda: client.answers() or not inner.alive(), seconds=START_SECONDS)
        if not inner.alive():
            raise Problem(f"dockerd ended at once: {self.last_words()}", hint=f"Its log is {self.log}.")
        if not client.answers():
            raise Problem(f"dockerd did not answer within {START_SECONDS:.0f} seconds.", hint=f"Its log is {self.log}.")

    def await_swarm(self, link: network.Link) -> None:
        """Make this engine a Swarm of one, or wait until the Swarm it already is has come back."""
        client = EngineClient(self.url, timeout_seconds=30)
        until(lambda: client.swarm().get("LocalNodeState") != "pending", seconds=START_SECONDS)
        if client.swarm().get("LocalNodeState") == "inactive":
            client.call("POST", "/swarm/init", body=swarm_request(link))
        if not until(lambda: is_manager(client), seconds=START_SECONDS, every=0.05):
            said = client.swarm().get("Error") or "it did not say why"
            raise Problem(f"The engine's Swarm did not come up: {said}.", hint=f"Its log is {self.log}.")

    def last_words(self) -> str:
        """The end of dockerd's log."""
        try:
            return " | ".join(self.log.read_text(errors="replace").splitlines()[-3:])
        except OSError:
            return "no log was written"

    def sweep(self) -> None:
        """Remove whatever an engine of this folder left on the machine, however it ended."""
        for mark in with_words(OURS, str(self.config)) + with_words(OURS, f"out-{self.state.short}"):
            mark.kill()
        with suppress(Problem):
            network.unplug(self.name)
        cgroups.remove(self.name)
        for mount in mounts_below(self.folder):
            attempt(["umount", "--lazy", mount])
        shutil.rmtree(self.folder / "exec", ignore_errors=True)
        for name in ("docker.sock", "docker.pid", "dockerd.mark", "slirp4netns.mark"):
            (self.folder / name).unlink(missing_ok=True)
        if self.shortcut:
            self.shortcut.unlink(missing_ok=True)


def swarm_request(link: network.Link) -> dict[str, object]:
    """The body of POST /swarm/init."""
    return {
        "ListenAddr": f"{link.engine}:2377",
        "AdvertiseAddr": link.engine,
        "DefaultAddrPool": [network.OVERLAYS],
        "SubnetSize": 24,
        "Spec": {
            # of each place the engine must still know the failed ones after it went back twice: they tell why
            "Orchestration": {"TaskHistoryRetentionLimit": 5},
            # an engine left off for three months would otherwise come back with a dead certificate
            "CAConfig": {"NodeCertExpiry": CERTIFICATE_NANOSECONDS},
        },
    }


def is_manager(client: EngineClient) -> bool:
    """True once the engine is a Swarm manager that answers for its nodes."""
    try:
        return client.swarm().get("ControlAvailable") is True and bool(client.call("GET", "/nodes"))
    except (OSError, EngineError):
        return False


def older_than_23() -> bool:
    """Whether dockerd still wants the key file that version 23 gave up."""
    words = attempt(["dockerd", "--version"]).stdout.split("version ")
    number = words[1].split(".")[0] if len(words) > 1 else ""
    return number.isdigit() and int(number) < 23


def mounts_below(folder: Path) -> list[str]:
    """Mount points under a folder, the innermost first."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    points = [line.split()[1].encode().decode("unicode_escape") for line in lines]
    return [point for point in points if Path(point).is_relative_to(folder)][::-1]
