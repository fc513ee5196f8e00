"""A real registry that asks a real portal, and the clients people use: the engine's own and skopeo."""

import os
import sqlite3
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.db.backends.sqlite3.base import SQLiteCursorWrapper
from django.db.transaction import Atomic
from pytest_django.live_server_helper import LiveServer

from launcher.paths import State
from launcher.registry import Berth, PrivateRegistry
from portal import environment as environments
from tests.engine import LiveEngine

SECONDS = 120
LOCKED_SECONDS = 20
T = TypeVar("T", bound=PrivateRegistry)


@dataclass(frozen=True)
class Clients:
    """`address` is HOST:PORT of the registry."""

    engine: LiveEngine
    address: str
    home: Path

    @classmethod
    def of(cls, engine: LiveEngine, registry: PrivateRegistry, folder: Path) -> "Clients":
        """With settings of their own, in a folder."""
        home = folder / "home"
        home.mkdir()
        return cls(engine, registry.url.partition("://")[2], home)

    def docker(self, *words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        return self._run(["docker", "--config", str(self.home / "docker"), *words], text=text)

    def skopeo(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._run(["skopeo", *words])

    def login(self, name: str, password: str) -> subprocess.CompletedProcess[str]:
        return self.docker("login", "--username", name, "--password-stdin", self.address, text=password)

    def image(self, path: str, tag: str = "1") -> str:
        return f"{self.address}/{path}:{tag}"

    def put(self, path: str, tag: str = "1", *, of: str = "berth/hello:1") -> subprocess.CompletedProcess[str]:
        """Push a sample image under this name."""
        tagged = self.docker("tag", of, self.image(path, tag))
        assert tagged.returncode == 0, tagged.stderr
        return self.docker("push", self.image(path, tag))

    def fetch(self, path: str, tag: str = "1") -> subprocess.CompletedProcess[str]:
        """Pull it, though the engine may hold it already under this name."""
        self.docker("rmi", "--no-prune", self.image(path, tag))
        return self.docker("pull", self.image(path, tag))

    def _run(self, words: list[str], *, text: str | None = None) -> subprocess.CompletedProcess[str]:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.home),
            "DOCKER_HOST": self.engine.url,
        }
        return subprocess.run(
            words, env=env, input=text, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=self.home
        )


@contextmanager
def asked(host: str, folder: Path, settings: Any, kind: type[T]) -> Iterator[tuple[T, Berth]]:
    """A registry at an address of this machine, and a portal that it asks and tells, which has answered once already:
    what it loads for that keeps no engine waiting.
    """
    settings.ALLOWED_HOSTS = ["*"]
    server = LiveServer(f"{host}:0")
    state = State(folder / "state")
    state.prepare()
    registry = kind(state)
    berth = Berth(f"{server.url}/registry/token", f"{server.url}/registry/events")
    try:
        registry.start(host, berth)
        settings.REGISTRY = environments.registry(state.keys)
        with one_transaction_at_a_time():
            urllib.request.urlopen(f"{server.url}/healthz", timeout=SECONDS).read()
            yield registry, berth
    finally:
        registry.destroy()
        server.stop()


@contextmanager
def one_transaction_at_a_time() -> Iterator[None]:
    """The portal of these tests answers in threads of its own, on the one connection that a database in memory has.

    There a transaction that begins within another thread's is an error, and so is whatever looks at a table that
    another is writing to; two threads that ask at once may wait for each other for ever, since what the database calls
    back is Python. On a real database each has a connection, and waits.
    """
    turn, asking = threading.RLock(), threading.RLock()
    begin, end = Atomic.__enter__, Atomic.__exit__

    def enter(self: Atomic) -> None:
        turn.acquire()
        try:
            begin(self)
        except BaseException:
            turn.release()
            raise

    def leave(self: Atomic, *raised: Any) -> None:
        try:
            end(self, *raised)
        finally:
            turn.release()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Atomic, "__enter__", enter)
        patch.setattr(Atomic, "__exit__", leave)
        for name in ("execute", "executemany"):
            patch.setattr(SQLiteCursorWrapper, name, _in_turn(turn, _alone(asking, name)))
        for name in ("fetchone", "fetchmany", "fetchall", "close"):  # a writer in its turn waits for who still reads
            patch.setattr(SQLiteCursorWrapper, name, _alone(asking, name))
        yield


def _alone(asking: threading.RLock, name: str) -> Callable[..., Any]:
    ask = getattr(SQLiteCursorWrapper, name)

    def run(self: SQLiteCursorWrapper, *asked: Any) -> Any:
        with asking:
            return ask(self, *asked)

    return run


def _in_turn(turn: threading.RLock, ask: Callable[..., Any]) -> Callable[..., Any]:
    def run(self: SQLiteCursorWrapper, *asked: Any) -> Any:
        end = time.monotonic() + LOCKED_SECONDS
        while True:
            try:
                with turn:
                    return ask(self, *asked)
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(0.005)

    return run
