"""The stamp that lets a second start skip the installation."""

import json
from pathlib import Path

import pytest

from launcher.install import DEVELOPMENT, RUNTIME, Environment


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    for lock in (RUNTIME, DEVELOPMENT):
        (tmp_path / lock).write_text(f"{lock}\n")
    made = Environment(tmp_path)
    made.python.parent.mkdir(parents=True)
    made.python.touch(mode=0o755)
    return made


def test_without_a_stamp_nothing_is_current(environment: Environment) -> None:
    assert not environment.current(RUNTIME)


@pytest.mark.parametrize("text", ["", "[", "{}"])
def test_a_spoiled_stamp_counts_for_nothing(environment: Environment, text: str) -> None:
    environment.stamp.write_text(text)
    assert not environment.current(RUNTIME)


def test_a_stamp_holds_until_the_lock_changes(environment: Environment) -> None:
    environment.stamp.write_text(json.dumps({RUNTIME: environment.fingerprint(RUNTIME)}))
    assert environment.current(RUNTIME)
    assert not environment.current(DEVELOPMENT)
    (environment.root / RUNTIME).write_text("something newer\n")
    assert not environment.current(RUNTIME)


def test_the_tools_environment_holds_the_runtime_too(environment: Environment) -> None:
    environment.stamp.write_text(json.dumps({DEVELOPMENT: environment.fingerprint(DEVELOPMENT)}))
    assert environment.current(RUNTIME)


def test_an_environment_without_python_is_not_current(environment: Environment) -> None:
    environment.stamp.write_text(json.dumps({RUNTIME: environment.fingerprint(RUNTIME)}))
    environment.python.unlink()
    assert not environment.current(RUNTIME)
