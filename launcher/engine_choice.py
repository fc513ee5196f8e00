"""Which engine Berth deploys to: one that is there, or a private one."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from launcher import packages
from launcher.engine import PrivateEngine
from launcher.engine_api import EngineClient, EngineError
from launcher.paths import State
from launcher.problems import Problem

LOCAL = "unix:///var/run/docker.sock"
PRIVATE = "private"
NONE = "none"


@dataclass(frozen=True)
class Choice:
    """The engine to register: `url` is empty where none can be had, `note` says why and the way out."""

    url: str
    note: str = ""
    private: bool = False
    started_now: bool = False
    address: str = ""  # where ports that containers publish are reached
    code: str = ""  # names the note, so that the portal says it in each reader's language


@dataclass(frozen=True)
class Chooser:
    """How to choose. `asked` is the --engine option; `ask` puts a yes-or-no question (None: no terminal)."""

    state: State
    asked: str
    may_install: bool
    ask: Callable[[str], bool] | None

    def choose(self) -> Choice:
        """Find or start an engine. Raises `Problem` only where --engine names one that cannot be used."""
        if self.asked == NONE:
            return Choice("", "Berth was started with --engine none, so it has no engine of its own.", code=NONE)
        if self.asked == PRIVATE:
            return self.private(note="")
        if self.asked:
            return self.named(self.asked)
        return self.found()

    def named(self, url: str) -> Choice:
        """The engine a person named: it must be usable."""
        client = EngineClient(url)
        if not client.answers():
            raise Problem(
                f"No engine answers at {url}.",
                hint="Check the address after --engine, or leave the option out.",
            )
        standing = self.standing(client)
        if standing == "manager" or (standing == "inactive" and self.make_manager(client, explicit=True)):
            self.remember(url)
            return Choice(url, address=client.parts.hostname or "127.0.0.1")
        if standing == "inactive":
            return self.private(note=f"The engine at {url} is not a Swarm manager and was left as it is.")
        raise Problem(
            f"The engine at {url} belongs to a Swarm without being a manager of it.",
            hint="Give --engine the address of a manager.",
        )

    def found(self) -> Choice:
        """The engine of the last time, else the machine's own if it is fit, else a private one."""
        url = self.remembered() or os.environ.get("DOCKER_HOST") or LOCAL
        if url == PRIVATE:
            return self.private(note="")
        client = EngineClient(url)
        if not client.answers():
            return self.private(note="")
        standing = self.standing(client)
        if standing == "manager" or (standing == "inactive" and self.make_manager(client, explicit=False)):
            self.remember(url)
            return Choice(url, address=client.parts.hostname or "127.0.0.1")
        left = f"The engine at {url} is not a Swarm manager and was left as it is"
        return self.private(note=f"{left}; --engine {url} would use it.")

    def standing(self, client: EngineClient) -> str:
        """What the engine is in its Swarm: manager, worker or inactive (in none)."""
        try:
            swarm = client.swarm()
        except (OSError, EngineError) as error:
            raise Problem(f"The engine at {client.url} does not say what it is: {error}") from error
        if swarm.get("ControlAvailable"):
            return "manager"
        return "inactive" if swarm.get("LocalNodeState") in {"inactive", None, ""} else "worker"

    def make_manager(self, client: EngineClient, *, explicit: bool) -> bool:
        """Turn an engine into a Swarm of one if a person says so: at the terminal, or else by --engine."""
        question = f"The engine at {client.url} is not a Swarm manager. Make it one?"
        if not (self.ask(question) if self.ask else explicit):
            return False
        request = {"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1"}
        try:
            client.call("POST", "/swarm/init", body=request)
        except (OSError, EngineError) as error:
            raise Problem(f"The engine at {client.url} did not become a Swarm manager: {error}") from error
        return True

    def private(self, *, note: str) -> Choice:
        """Start the private engine; without one the portal still starts, with the reason as note."""
        try:
            if self.may_install and os.geteuid() == 0:
                packages.install([*packages.ENGINE, *packages.IMAGES])
            engine = PrivateEngine(self.state.folder).start()
        except Problem as problem:
            return Choice("", f"{problem.message} {problem.hint}".strip())
        self.remember(PRIVATE)
        return Choice(engine.url, note, private=True, started_now=engine.started_now, address=engine.address)

    @property
    def memory(self) -> Path:
        return self.state.folder / "engine.choice.json"

    def remembered(self) -> str:
        """The last choice, so that an engine that appears later does not take an app's place away."""
        try:
            return str(json.loads(self.memory.read_text())["url"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def remember(self, url: str) -> None:
        self.memory.write_text(json.dumps({"url": url}))
