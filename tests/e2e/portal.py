"""A real portal in a process of its own, on a real engine: what a person or a program sees after `./berth up`."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from launcher import sample_images
from tests.engine import LiveEngine

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0


@dataclass
class Portal:
    """`url` without a slash at its end. `start` and `stop` may be called again and again."""

    state: Path
    engine_url: str
    engine_address: str
    password: str = ""
    url: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    port: int = 0  # 0: whichever is free at each start
    also: str = ""  # one more address at which it listens

    @classmethod
    def prepared(cls, state: Path, engine: LiveEngine | None, *, kubeconfig: str = "", **environment: str) -> "Portal":
        """With an engine, or the cluster of a kubeconfig, and the samples; without either nothing can be deployed, and
        it starts in seconds.

        What is prepared alike is prepared once in a run: the others begin with a copy of its state.
        """
        alike = (engine, kubeconfig, *sorted(environment.items()))
        if alike not in _PREPARED:
            _PREPARED[alike] = cls._first(state.with_name(f"{state.name}-prepared"), engine, kubeconfig, environment)
        first = _PREPARED[alike]
        shutil.copytree(first.state, state, dirs_exist_ok=True)
        return replace(first, state=state, environment=first.environment | {"BERTH_STATE": str(state)})

    @classmethod
    def _first(cls, state: Path, engine: LiveEngine | None, kubeconfig: str, environment: dict[str, str]) -> "Portal":
        state.mkdir()
        kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        keys = {"SECRET_KEY": secrets.token_urlsafe(50), "FIELD_KEYS": Fernet.generate_key().decode()}
        url, address = (engine.url, engine.address) if engine else ("", "")
        portal = cls(state, url, address, environment=kept | keys | {"BERTH_STATE": str(state)} | environment)
        samples = sample_images.facts()
        words = ["--engine-url", url, "--engine-address", address, "--engine-note", "" if engine else "none"]
        if kubeconfig:
            file = state / "kubeconfig"
            file.write_text(kubeconfig)
            words += ["--attach", "kubernetes", str(file)]
        said = portal.manage("prepare", *words, "--facts", json.dumps(samples), "--samples", *samples)
        assert "refused" not in json.loads(said.splitlines()[-1]), said
        portal.password = json.loads(said.splitlines()[-1])["password"]
        return portal

    def manage(self, *words: str) -> str:
        """`manage.py ...` of this portal; its standard output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip()

    def token(self, name: str = "") -> str:
        return self.manage("create_token", "owner", "--name", name or secrets.token_hex(4))

    def start(self) -> None:
        port = self.port or free_port()
        log = (self.state / "serve.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port), "--also", self.also],
            cwd=ROOT,
            env=self.environment,
            stdout=log,
            stderr=log,
        )
        self.url = f"http://127.0.0.1:{port}"
        until(self.answers, seconds=START_SECONDS, said=lambda: (self.state / "serve.log").read_text()[-3000:])

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.state / "serve.log").read_text()[-3000:]
        try:
            return bool(urllib.request.urlopen(f"{self.url}/readyz", timeout=5).status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=20)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=10)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
    return found


_PREPARED: dict[tuple[object, ...], Portal] = {}


def until(condition: Any, *, seconds: float, said: Any = None, every: float = 0.1) -> Any:
    """Look again and again until it is so; fail with what `said` says when the time is over. Answers the last look."""
    end = time.monotonic() + seconds
    while True:
        seen = condition()
        if seen:
            return seen
        assert time.monotonic() < end, f"not so after {seconds} s: {said() if said else condition}"
        time.sleep(every)
