"""A portal of its own for the measurements: an empty state folder, its engine, one process."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.client import Client, Wrong
from launcher.engine import PrivateEngine
from launcher.identity import dev as identity
from launcher.paths import ROOT, State
from launcher.portal import Server
from launcher.services import free_port

BASE = "/api/v1/tenants/demo/projects/shop"


@dataclass
class Portal:
    """A running portal. `first` and `second`: seconds of the two starts, each until the first page is there."""

    state: State
    port: int
    engine: str
    password: str = ""
    token: str = ""
    first: float = 0.0
    second: float = 0.0
    steps: str = ""
    keystone: bool = False
    kubeconfig: str = ""
    image: str = "berth/hello:1"  # what is deployed

    @property
    def pid(self) -> int:
        mark = Server(self.state).running()
        if mark is None:
            raise Wrong("the portal does not run")
        return mark.pid

    def client(self) -> Client:
        return Client(self.port, token=self.token)

    def person(self) -> Client:
        client = Client(self.port)
        client.sign_in("owner", self.password)
        return client

    def run(self, *words: str) -> str:
        """One `./berth` command in this state; gives back what it printed."""
        env = os.environ | {"BERTH_STATE": str(self.state.folder)}
        done = subprocess.run([str(ROOT / "berth"), *words], env=env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Wrong(f"./berth {' '.join(words)} failed: {done.stdout[-1500:]}{done.stderr[-1500:]}")
        return done.stdout

    def up(self) -> tuple[float, str]:
        """Start; seconds until the door's page has been read, and what was printed."""
        words = ["up", "--detach", "--no-install", "--port", str(self.port)]
        words += ["--engine", self.engine] if self.engine else []
        words += ["--keystone", "dev"] if self.keystone else []
        words += ["--kubeconfig", self.kubeconfig] if self.kubeconfig else []
        began = time.monotonic()
        said = self.run(*words)
        Client(self.port).get("/accounts/sign-in/")
        return time.monotonic() - began, said

    @property
    def docker(self) -> list[str]:
        """The docker command for the same engine."""
        url = self.engine or PrivateEngine(self.state.folder).url
        return ["docker", "--host", url]


@contextmanager
def portal(*, engine: str, twice: bool = True, keystone: bool = False, kubeconfig: str = "") -> Iterator[Portal]:
    """First start and, if `twice`, stop and second start; then a portal to use. All of it is gone afterwards.

    `engine`: URL of one that is there already; empty: Berth starts its own. `keystone`: with one beside it, whose
    packages are kept in the lasting state folder. `kubeconfig`: of a cluster that is made known at the first start.
    """
    folder = Path(tempfile.mkdtemp(prefix="berth-bench-", dir="/var/tmp"))  # noqa: S108 -- mkdtemp makes it ours
    made = Portal(State(folder.resolve()), free_port(), engine, keystone=keystone, kubeconfig=kubeconfig)
    try:
        if keystone:
            lend_packages(made.state)
        made.first, said = made.up()
        made.steps = said
        found = re.search(r"one-time password (\S+)", said)
        if found is None:
            raise Wrong(f"the first start printed no password: {said}")
        made.password = found[1]
        if twice:
            made.run("down")
            made.second, _said = made.up()
        made.token = made.run("manage", "create_token", "owner", "--name", "bench", "--expires", "12h").split()[-1]
        yield made
    finally:
        made.run("down")
        shutil.rmtree(folder, ignore_errors=True)


def lend_packages(state: State) -> None:
    """Keystone's packages take a minute to install; they are the same for every state folder."""
    own = State.from_environment()
    own.prepare()
    python, _note = identity.install(own, may_install=True)
    identity.folder(state).mkdir(mode=0o700)
    (identity.folder(state) / "venv").symlink_to(python.parent.parent)
