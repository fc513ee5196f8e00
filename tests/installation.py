"""Berth as an operator runs it for many: the processes of the Procfile, on a private PostgreSQL and Redis."""

import json
import os
import secrets
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from launcher.paths import PYTHON, ROOT
from launcher.processes import Mark, spawn, until
from launcher.services import PrivatePostgres, PrivateRedis, free_port
from tests.engine import LiveEngine

PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line[:1] != "#")
PROCESSES = ("web", "sockets", "worker", "beat", "observer")
START_SECONDS = 90.0
GRACE_SECONDS = 20.0
SAMPLES = ("berth/hello:1", "berth/hello:2")


@dataclass
class Installation:
    """Every process of Berth apart. `folder` has to let user postgres pass."""

    folder: Path
    redis: PrivateRedis
    environment: dict[str, str]
    ports: dict[str, int]
    processes: dict[str, Mark] = field(default_factory=dict)
    password: str = ""
    token: str = ""

    @classmethod
    def started(
        cls, engine: LiveEngine | None, undo: ExitStack, *, processes: Sequence[str] = PROCESSES
    ) -> "Installation":
        """All of it, from an empty database to a portal that is ready; `undo` takes it away again.

        `engine` None: there is none, and its cluster says so.
        """
        folder = Path(tempfile.mkdtemp(prefix="berth-many-", dir="/var/tmp"))  # noqa: S108 -- mkdtemp makes it ours
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o711)
        postgres, redis = PrivatePostgres(folder / "postgres"), PrivateRedis(folder / "redis")
        undo.callback(postgres.destroy)
        undo.callback(redis.stop)
        ports = {"web": free_port(), "sockets": free_port()}
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("BERTH_", "DJANGO_"))}
        values = {
            "PATH": f"{PYTHON.parent}:{os.environ['PATH']}",
            "BERTH_STATE": str(folder),
            "SECRET_KEY": secrets.token_urlsafe(50),
            "FIELD_KEYS": Fernet.generate_key().decode(),
            "DATABASE_URL": postgres.start(),
            "REDIS_URL": redis.start(),
            "WEB_CONCURRENCY": "2",
            "WORKER_CONCURRENCY": "2",
            "PORT": str(ports["web"]),
            "SOCKETS_PORT": str(ports["sockets"]),
        }
        made = cls(folder, redis, kept | values, ports)
        undo.callback(made.stop)
        made.prepare(engine)
        for name in processes:
            made.start(name)
        for name in ports.keys() & set(processes):
            assert until(lambda name=name: made.ready(name), seconds=START_SECONDS), made.said(name)
        return made

    def prepare(self, engine: LiveEngine | None) -> None:
        words = (
            ["--engine-url", engine.url, "--engine-address", engine.address, "--samples", *SAMPLES] if engine else []
        )
        self.password = json.loads(self.manage("prepare", *words).splitlines()[-1])["password"]
        self.token = self.manage("create_token", "owner", "--name", "many").splitlines()[-1]

    def manage(self, *words: str) -> str:
        asked = [str(PYTHON), "manage.py", *words]
        done = subprocess.run(asked, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip()

    def start(self, name: str, *, called: str = "", **more: str) -> None:
        """One line of the Procfile, as a process manager runs it.

        `called`: what it is known by here, where there are several; `more`: variables of this one alone.
        """
        called = called or name
        with (self.folder / f"{called}.log").open("ab") as log:
            started = spawn(["sh", "-c", f"exec {PROCFILE[name]}"], log=log, env=self.environment | more, cwd=ROOT)
        mark = Mark.of(started.pid)
        assert mark is not None, self.said(called)
        self.processes[called] = mark

    def stop(self) -> None:
        for mark in reversed(self.processes.values()):
            mark.end(grace_seconds=GRACE_SECONDS)

    def said(self, name: str) -> str:
        """The end of a process's log."""
        return f"{name}: {(self.folder / f'{name}.log').read_text()[-3000:]}"

    def ready(self, name: str) -> bool:
        try:
            return bool(self.get("/readyz", at=name)["ready"])
        except (urllib.error.URLError, OSError):
            return False

    def get(self, path: str, *, at: str = "web") -> Any:
        return json.loads(self.read(path, at=at))

    def read(self, path: str, *, at: str = "web") -> bytes:
        return self._ask(urllib.request.Request(self.url(path, at=at)))

    def post(self, path: str, document: Any) -> Any:
        sent = urllib.request.Request(self.url(path), json.dumps(document).encode(), method="POST")
        sent.add_header("Content-Type", "application/json")
        return json.loads(self._ask(sent))

    def url(self, path: str, *, at: str = "web") -> str:
        return f"http://127.0.0.1:{self.ports[at]}{path}"

    def _ask(self, request: urllib.request.Request) -> bytes:
        request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 -- our own address
            return bytes(answer.read())
