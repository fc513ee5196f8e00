"""The private cluster as a whole: start, stop, leave nothing behind; and what tests do to nodes."""

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from launcher import cgroups, network
from launcher.commands import attempt, run
from launcher.kubernetes import binaries, control, extras, lan, node, pictures, registry
from launcher.kubernetes.certificates import ADMIN, Certificates
from launcher.kubernetes.members import BOOT, HOST, Members
from launcher.paths import ROOT, State, make_folder
from launcher.problems import Problem
from launcher.processes import until

SECONDS = 90.0
FIRST = "n1"


class PrivateCluster:
    """The cluster of one state folder. Use `start`, `stop`, `destroy`, `kill_node`, `cut`, `heal`, `kubectl`."""

    def __init__(self, state: Path) -> None:
        self.state = State(state.resolve())
        self.folder = self.state.folder / "kubernetes"
        self.members = Members(self.folder)
        self.keys = Certificates(self.folder / "keys")

    @cached_property
    def lan(self) -> lan.Lan:
        kept = self.folder / "network.json"
        return lan.choose(self.state.short, kept=kept, taken=network.networks_in_use())

    @property
    def server(self) -> str:
        return f"https://{self.lan.address(1)}:6443"

    @property
    def registry(self) -> str:
        """Where the nodes may fetch images: host and port."""
        return f"{self.lan.machine}:{registry.PORT}"

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "keys" / "admin.kubeconfig"

    def start(self, nodes: int = 1) -> Path:
        """Start what does not run yet; the administrator's kubeconfig. Raises `Problem` with the way out."""
        if reason := binaries.why_not():
            raise Problem(f"No private Kubernetes: {reason}.")
        binaries.build()
        make_folder(self.state.folder)
        make_folder(self.folder)
        with self.lock():
            self.lan.lay()
            self.lan.plug(1, of=nodes)
            self.keys.authorities()
            self.start_control()
            for number in range(1, nodes + 1):
                self.start_node(number, of=nodes)
            self.start_extras(nodes)
            self.await_all(nodes)
        return self.kubeconfig

    def stop(self) -> None:
        """End every process, and take away namespaces, links and control groups; files stay."""
        if not self.folder.is_dir():
            return
        with self.lock():
            numbers = self.numbers()
            self.members.kill_all()
            self.members.sweep()
            self.lan.clear()
            for number in numbers:
                cgroups.remove(self.lan.namespace(number))

    def destroy(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def numbers(self) -> list[int]:
        return sorted(int(path.name[1:]) for path in self.folder.glob("n[0-9]*"))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Only one launcher at a time starts or stops this cluster."""
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def start_control(self) -> None:
        kube, keys, inside = str(binaries.kube()), self.keys, self.lan.inside(1)
        address = self.lan.address(1)
        names = f"IP:{address},IP:127.0.0.1,IP:{lan.FIRST_SERVICE},DNS:kubernetes.default.svc,DNS:kubernetes"
        keys.issue("apiserver", "/CN=kube-apiserver", names=names)
        keys.issue("kubelet-client", "/O=system:masters/CN=apiserver-kubelet")
        keys.issue("front-client", "/CN=front-proxy", authority="front")
        keys.kubeconfig("admin", ADMIN, server=self.server)
        self.members.start(FIRST, "etcd", [*inside, *control.etcd(str(self.folder / FIRST / "etcd"))])
        self.members.start(FIRST, "apiserver", [*inside, *control.api_server(kube, keys, address=address)])
        self.await_("The API server", lambda: self.answers("/readyz"))
        manager, scheduler = (
            keys.kubeconfig(name, f"/CN=system:kube-{name}", server=self.server)
            for name in ("controller-manager", "scheduler")
        )
        words = control.controllers(kube, keys, config=manager, plugins=str(self.folder / "plugins"))
        self.members.start(FIRST, "controller-manager", [*inside, *words])
        self.members.start(FIRST, "scheduler", [*inside, *control.scheduler(kube, config=scheduler)])

    def start_node(self, number: int, *, of: int) -> None:
        name, home, kube = f"n{number}", self.folder / f"n{number}", str(binaries.kube())
        self.lan.plug(number, of=of)
        self.write_node(number)
        inside = self.enter_node(number)
        self.members.start(name, "containerd", [*inside, "containerd", "--config", f"{home}/containerd.toml"])
        version = [*inside, *pictures.client(), "version"]
        self.await_(f"containerd of {name}", lambda: attempt(version).returncode == 0)
        pictures.load(inside, folder=home)
        subject = f"/O=system:nodes/CN=system:node:{name}"
        own = self.keys.kubeconfig(f"node-{name}", subject, server=self.server)
        proxy = self.keys.kubeconfig("proxy", "/CN=system:kube-proxy", server=self.server)
        address = self.lan.address(number)
        kubelet = node.kubelet_words(kube, str(home), config=own, name=name, address=address)
        self.members.start(name, "kubelet", [*inside, *kubelet])
        self.members.start(name, "proxy", [*inside, *node.proxy_words(kube, config=proxy, name=name)])
        self.start_policies(number)

    def enter_node(self, number: int) -> list[str]:
        """The words that lead into a node's namespaces, which are made if they are not there."""
        namespaces = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]
        words = [*self.lan.inside(number), *namespaces, "--mount-proc", "sh", "-c", BOOT, f"{self.folder}/n{number}"]
        words.append(str(self.folder / node.RESOLVER))
        self.members.start(f"n{number}", "node", words)
        return ["nsenter", "--target", str(self.members.first(f"n{number}").pid), "--mount", "--pid", "--net", "--"]

    def write_node(self, number: int) -> None:
        home = self.folder / f"n{number}"
        (home / "cni").mkdir(parents=True, exist_ok=True)
        (home / "containerd.toml").write_text(node.containerd(str(home)))
        for address in (self.registry, f"{self.lan.machine}:{registry.GUARDED_PORT}"):
            registry.let_fetch(home, address)
        network = node.pod_network(number, home=str(home))
        (home / "cni" / "10-berth.conflist").write_text(json.dumps(network))
        resolver = self.folder / node.RESOLVER
        resolver.write_text(f"nameserver {self.lan.address(1)}\n")
        settings = node.kubelet(
            str(home),
            cgroup=self.lan.namespace(number),
            dns=self.lan.address(1),
            authority=self.keys.path("ca.pem"),
            resolver=str(resolver),
            plugins=str(self.folder / "plugins"),
        )
        (home / "kubelet.json").write_text(json.dumps(settings))
        make_groups(self.lan.namespace(number))

    def start_policies(self, number: int) -> None:
        config = extras.keep(self.keys, server=self.server)
        about = [config, f"{lan.PODS}.{number}.", self.lan.address(1)]
        agent = [sys.executable, "-u", "-m", "launcher.kubernetes.policy_agent", *about]
        env = {"PYTHONPATH": str(ROOT), "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
        self.members.start(f"n{number}", "policies", [*self.lan.inside(number), *agent], env=env)

    def start_extras(self, nodes: int) -> None:
        home, inside = self.folder / HOST, self.lan.inside(1)
        home.mkdir(exist_ok=True)
        config = extras.keep(self.keys, server=self.server)
        self.kubectl(
            *("apply", "--server-side", "--force-conflicts", "--field-manager=berth-launcher", "-f", "-"),
            text=json.dumps({"apiVersion": "v1", "kind": "List", "items": extras.objects(self.lan.address(1))}),
        )
        address = self.lan.address(1)
        self.members.start(HOST, "names", [*inside, *extras.names(home, config=config, address=address)])
        self.members.start(HOST, "metrics", [*inside, *extras.metrics(home, config=config, address=address)])
        self.members.start(HOST, "registry", registry.words(home, address=self.registry))
        self.members.start(HOST, "volumes", [*inside, *extras.volumes(home, self.folder, config=config)])

    def await_all(self, nodes: int) -> None:
        ready = ["get", "nodes", "--no-headers"]
        self.await_("The nodes", lambda: self.tried(*ready).count(" Ready ") >= nodes)
        shown = "-o=jsonpath={.status.conditions[?(@.type=='Available')].status}"
        metrics = ["get", "apiservice", "v1beta1.metrics.k8s.io", shown]
        self.await_("Metrics", lambda: self.tried(*metrics).strip() == "True")

    def await_(self, what: str, condition: Callable[[], bool]) -> None:
        if not until(condition, seconds=SECONDS, every=0.1):
            raise Problem(f"{what} did not come up in {SECONDS:.0f} seconds.", hint=f"Logs are under {self.folder}.")

    def answers(self, path: str) -> bool:
        return attempt([*self._kubectl(), "--request-timeout=3s", "get", "--raw", path]).returncode == 0

    def kubectl(self, *words: str, text: str | None = None) -> str:
        return run([*self._kubectl(), *words], text=text)

    def tried(self, *words: str) -> str:
        """What kubectl says; nothing where it fails."""
        return attempt([*self._kubectl(), *words]).stdout

    def _kubectl(self) -> list[str]:
        return [str(binaries.kube()), "kubectl", "--kubeconfig", str(self.kubeconfig)]

    def kill_node(self, number: int) -> None:
        """As a power cut: the cable dead, programs and containers gone. Of the first only the node's part."""
        if number > 1:
            self.lan.cable(number, whole=False)
        for name in ("kubelet", "proxy", "containerd", "node", "policies"):
            self.members.kill(f"n{number}", name)

    def start_again(self, number: int) -> None:
        self.lan.cable(number, whole=True)
        self.start_node(number, of=len(self.numbers()))

    def let_fetch(self, address: str) -> None:
        """Have every node fetch from the registry at HOST:PORT over plain HTTP, from its next pull on."""
        for number in self.numbers():
            registry.let_fetch(self.folder / f"n{number}", address)

    def lose_image(self, digest: str) -> None:
        """Have every node forget an image under all of its names, as one does that needs its room."""
        for number in self.numbers():
            words = [*self.enter_node(number), *pictures.client(), "images"]
            rows = [line.split() for line in run([*words, "ls"]).splitlines()]
            if names := [row[0] for row in rows if len(row) > 2 and row[2] == digest]:
                run([*words, "rm", "--sync", *names])

    def cut(self, number: int) -> None:
        self.lan.cable(number, whole=False)

    def heal(self, number: int) -> None:
        self.lan.cable(number, whole=True)


def make_groups(name: str) -> None:
    """The control group below which a node's pods live, in every hierarchy."""
    for top in (path for path in cgroups.TREE.iterdir() if path.is_dir() and path.name != "unified"):
        (top / name).mkdir(exist_ok=True)
        if top.name == "cpuset":
            for file in ("cpuset.cpus", "cpuset.mems"):
                (top / name / file).write_text((top / file).read_text())
