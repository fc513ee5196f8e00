"""Which engine is taken, seen from small engines that answer only who they are."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from launcher import engine_choice
from launcher.engine import Engine, PrivateEngine
from launcher.engine_choice import Chooser
from launcher.paths import State
from launcher.problems import Problem

MANAGER: dict[str, Any] = {"LocalNodeState": "active", "ControlAvailable": True}
WORKER: dict[str, Any] = {"LocalNodeState": "active", "ControlAvailable": False}
ALONE: dict[str, Any] = {"LocalNodeState": "inactive", "ControlAvailable": False}


@contextmanager
def engine(swarm: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """An engine in this standing; gives its address and the list of changes it was asked for."""
    changes: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer({"Swarm": swarm} if self.path == "/info" else {})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            changes.append(self.path)
            self.answer("id")

        def answer(self, data: object) -> None:
            body = json.dumps(data).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{server.server_address[1]}", changes
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def no_real_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Starting a real one is the live tests' matter; here it is enough to see that it was wanted."""
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(engine_choice, "LOCAL", f"unix://{tmp_path}/none.sock")
    monkeypatch.setattr(PrivateEngine, "start", lambda _: Engine("unix:///private", "10.207.0.2", started_now=True))


def chooser(tmp_path: Path, *, asked: str = "", answer: bool | None = None) -> Chooser:
    return Chooser(
        State(tmp_path),
        asked=asked,
        may_install=False,
        ask=None if answer is None else lambda _: bool(answer),
    )


def test_a_manager_in_docker_host_is_taken_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine(MANAGER) as (url, changes):
        monkeypatch.setenv("DOCKER_HOST", url)
        assert chooser(tmp_path).choose().url == url
        monkeypatch.delenv("DOCKER_HOST")
        assert chooser(tmp_path).choose().url == url
    assert changes == []


def test_an_engine_that_is_no_manager_is_left_alone_without_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine(ALONE) as (url, changes):
        monkeypatch.setenv("DOCKER_HOST", url)
        choice = chooser(tmp_path).choose()
    assert choice.private
    assert url in choice.note
    assert changes == []


@pytest.mark.parametrize("answer", [True, False])
def test_at_a_terminal_the_question_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bool) -> None:
    with engine(ALONE) as (url, changes):
        monkeypatch.setenv("DOCKER_HOST", url)
        choice = chooser(tmp_path, answer=answer).choose()
    assert choice.private is not answer
    assert changes == (["/swarm/init"] if answer else [])


def test_naming_it_is_consent_where_nobody_can_be_asked(tmp_path: Path) -> None:
    with engine(ALONE) as (url, changes):
        assert chooser(tmp_path, asked=url).choose().url == url
    assert changes == ["/swarm/init"]


def test_a_worker_is_refused_when_named_and_left_when_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine(WORKER) as (url, changes):
        with pytest.raises(Problem, match="manager"):
            chooser(tmp_path, asked=url).choose()
        monkeypatch.setenv("DOCKER_HOST", url)
        assert chooser(tmp_path).choose().private
    assert changes == []


def test_a_named_engine_must_answer(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="No engine answers") as refused:
        chooser(tmp_path, asked=f"unix://{tmp_path}/nothing.sock").choose()
    assert "--engine" in refused.value.hint


@pytest.mark.parametrize("address", ["docker.sock", "ftp://x", "unix"])
def test_an_address_that_is_none_is_named(tmp_path: Path, address: str) -> None:
    with pytest.raises(Problem, match="not the address of an engine"):
        chooser(tmp_path, asked=address).choose()


def test_the_private_engine_is_kept_when_another_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert chooser(tmp_path).choose().private
    with engine(MANAGER) as (url, _):
        monkeypatch.setenv("DOCKER_HOST", url)
        assert chooser(tmp_path).choose().private


def test_without_any_engine_the_reason_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: PrivateEngine) -> Engine:
        raise Problem("A private engine needs root.", hint="Run as root.")

    monkeypatch.setattr(PrivateEngine, "start", refuse)
    choice = chooser(tmp_path).choose()
    assert (choice.url, choice.note) == ("", "A private engine needs root. Run as root.")
