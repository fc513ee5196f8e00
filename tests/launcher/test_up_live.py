"""`./berth up`, `down`, `status` as a person uses them: real processes, a real engine, real signals."""

import os
import re
import shutil
import signal
import stat
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError

import pytest

from launcher.engine import PrivateEngine
from launcher.paths import ROOT, State
from launcher.portal import Place, Server
from launcher.processes import Mark, until
from launcher.services import free_port
from tests.launcher.machine import new_since, snapshot

pytestmark = pytest.mark.live
OURS_ALONE = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_KEYS", "DJANGO_SETTINGS_MODULE", "DOCKER_HOST", "DEBUG")
PASSWORD = re.compile(r"one-time password (\S+)")


@dataclass
class Berth:
    """The command with a state folder and a port of its own."""

    state: State
    port: int

    @property
    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in OURS_ALONE}
        return kept | {"BERTH_STATE": str(self.state.folder)}

    def run(self, *words: str, code: int = 0) -> str:
        """Run it to its end; gives what it said."""
        done = subprocess.run(
            [ROOT / "berth", *words], env=self.env, capture_output=True, text=True, timeout=180, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def up(self, *words: str) -> str:
        return self.run("up", "--no-install", "--detach", "--port", str(self.port), *words)

    def start(self, log: Path, *words: str) -> subprocess.Popen[bytes]:
        """Start it in the foreground and wait for the page."""
        with log.open("wb") as file:
            process = subprocess.Popen(
                [ROOT / "berth", "up", "--no-install", "--port", str(self.port), *words],
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        assert until(lambda: "Ctrl-C" in log.read_text() or process.poll() is not None, seconds=120)
        assert process.poll() is None, log.read_text()
        return process

    def page(self) -> int:
        """The status of the first page."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=20) as answer:  # noqa: S310
                return int(answer.status)
        except HTTPError as error:
            return error.code

    @property
    def serving(self) -> bool:
        return Place("127.0.0.1", self.port).healthy()

    @property
    def engine(self) -> PrivateEngine:
        return PrivateEngine(self.state.folder)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of a Berth that was up once: the first start's work, done once for most tests."""
    first = Berth(State(tmp_path_factory.mktemp("first").resolve()), free_port())
    first.up("--engine", "none")
    first.run("down")
    return first.state.folder


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Berth]:
    """Berth before its first start."""
    made = Berth(State((tmp_path / "state").resolve()), free_port())
    yield made
    made.run("down")
    made.engine.destroy()


@pytest.fixture
def berth(empty: Berth, prepared: Path) -> Berth:
    """Berth after its first start, at rest."""
    shutil.copytree(prepared, empty.state.folder)
    return empty


def test_from_nothing_to_a_page_and_back_to_nothing(empty: Berth) -> None:
    berth = empty
    before = snapshot(berth.engine)
    said = berth.up()
    assert PASSWORD.search(said)
    assert f"http://127.0.0.1:{berth.port}/" in said
    assert berth.page() == 200
    assert berth.engine.status().running
    for key in ("secret_key", "field_keys"):
        assert stat.S_IMODE((berth.state.keys / key).stat().st_mode) == 0o600
    status = berth.run("status")
    assert "serves" in status
    assert f"registry running at http://{berth.engine.machine}:" in status
    assert berth.run("manage", "registry_address").strip().startswith(f"{berth.engine.machine}:")
    gate = Mark.load(berth.state.run / "registry_gate.mark")
    assert gate is not None
    gate.kill()
    assert until(lambda: Mark.load(berth.state.run / "registry_gate.mark") not in (None, gate), seconds=60)
    assert "registry running" in berth.run("status")
    assert "private, running" in status
    assert "already runs" in berth.run("up", "--no-install")
    berth.run("down")
    assert not berth.serving
    assert new_since(before, berth.engine) == {}
    berth.run("status", code=3)


def test_the_password_is_shown_only_once_and_stored_nowhere(empty: Berth) -> None:
    berth = empty
    match = PASSWORD.search(berth.up("--engine", "none"))
    assert match
    berth.run("down")
    assert not PASSWORD.search(berth.up("--engine", "none"))
    for path in berth.state.folder.rglob("*"):
        if path.is_file():
            assert match.group(1).encode() not in path.read_bytes(), path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_that_was_started(berth: Berth, tmp_path: Path, number: signal.Signals) -> None:
    before = snapshot(berth.engine)
    process = berth.start(tmp_path / "log")
    server = Server(berth.state).running()
    process.send_signal(number)
    assert process.wait(timeout=60) == 0
    assert not berth.serving
    assert server
    assert not server.alive()
    assert new_since(before, berth.engine) == {}


def test_a_signal_leaves_an_engine_that_ran_before(berth: Berth, tmp_path: Path) -> None:
    started = berth.engine.start()
    process = berth.start(tmp_path / "log")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    assert berth.engine.status().running
    assert berth.engine.status().url == started.url


def test_down_ends_a_launcher_in_the_foreground(berth: Berth, tmp_path: Path) -> None:
    process = berth.start(tmp_path / "log", "--engine", "none")
    berth.run("down")
    assert process.wait(timeout=60) == 0
    assert not berth.serving


def test_everything_killed_is_no_hindrance(berth: Berth, tmp_path: Path) -> None:
    before = snapshot(berth.engine)
    process = berth.start(tmp_path / "log")
    process.kill()
    process.wait(timeout=10)
    assert berth.serving, "the portal outlives its launcher"
    server = Server(berth.state).running()
    assert server
    server.kill()
    berth.engine.kill()
    berth.up()
    assert berth.page() == 200
    berth.run("down")
    assert new_since(before, berth.engine) == {}


def test_down_finds_what_a_killed_launcher_left(berth: Berth, tmp_path: Path) -> None:
    before = snapshot(berth.engine)
    process = berth.start(tmp_path / "log")
    process.kill()
    process.wait(timeout=10)
    berth.run("down")
    assert not berth.serving
    assert new_since(before, berth.engine) == {}


def test_a_portal_that_dies_is_told_and_takes_the_rest_along(berth: Berth, tmp_path: Path) -> None:
    process = berth.start(tmp_path / "log")
    server = Server(berth.state).running()
    assert server
    server.kill()
    assert process.wait(timeout=60) == 1
    assert "ended by itself" in (tmp_path / "log").read_text()
    assert not berth.engine.status().running


def test_a_stranger_with_a_recorded_number_is_left_alone(berth: Berth) -> None:
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        berth.state.prepare()
        mark = Mark.of(stranger.pid)
        assert mark
        for name in ("serve.mark", "up.mark"):
            Mark(mark.pid, mark.began - 100, mark.boot).save(berth.state.run / name)
        berth.run("down")
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_without_an_engine_the_portal_still_starts(berth: Berth) -> None:
    said = berth.up("--engine", "none")
    assert "without one" in said
    assert berth.page() == 200


def test_an_engine_that_does_not_answer_names_the_option(berth: Berth) -> None:
    said = berth.run("up", "--no-install", "--port", str(berth.port), "--engine", "unix:///nowhere.sock", code=1)
    assert "--engine" in said
    assert not berth.serving
