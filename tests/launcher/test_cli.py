"""The command line: what it takes, and how it says no."""

import argparse
import socket
from pathlib import Path

import pytest

from launcher.cli import main, parser, port, split
from launcher.portal import Place
from launcher.up import Wishes


@pytest.mark.parametrize("text", ["0", "65536", "-1", "8000x", "", "８０８０ "])
def test_a_bad_port_is_named(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a port"):
        port(text)


def test_an_unknown_option_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["up", "--prot", "8001"])
    assert ended.value.code == 2
    assert "--prot" in capsys.readouterr().err


def test_defaults_are_for_this_machine_only() -> None:
    asked = parser().parse_args(["up"])
    assert (asked.host, asked.port, asked.engine, asked.detach, asked.no_install) == (
        "127.0.0.1",
        8000,
        "",
        False,
        False,
    )


def test_every_option_of_up_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Wishes] = []
    monkeypatch.setenv("BERTH_STATE", str(tmp_path / "state"))
    monkeypatch.setattr("launcher.cli.up", lambda wishes, state: asked.append(wishes) or 0)
    words = ["--host", "::1", "--port", "8001", "--engine", "none", "--keystone", "dev", "--cast"]
    assert main(["up", *words, "--no-install", "--detach"]) == 0
    assert asked == [Wishes(Place("::1", 8001), "none", install=False, detach=True, cast=True, keystone="dev")]


def test_words_after_two_dashes_are_kept_apart() -> None:
    assert split(["test", "fast", "--", "-k", "keys", "--", "x"]) == (
        ["test", "fast"],
        ["-k", "keys", "--", "x"],
    )


def test_an_unknown_part_of_the_tests_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "nonsense"]) == 1
    said = capsys.readouterr().err
    assert "nonsense" in said
    assert "postgres" in said


def test_a_port_in_use_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BERTH_STATE", str(tmp_path / "state"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        assert main(["up", "--port", str(taken)]) == 1
    said = capsys.readouterr().err
    assert str(taken) in said
    assert "--port" in said


def test_a_state_folder_that_cannot_be_made_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("BERTH_STATE", str(tmp_path / "file" / "state"))
    assert main(["up"]) == 1
    assert "BERTH_STATE" in capsys.readouterr().err


def test_an_address_of_another_machine_names_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BERTH_STATE", str(tmp_path))
    assert main(["up", "--host", "192.0.2.1"]) == 1
    assert "--host" in capsys.readouterr().err


def test_status_and_down_of_nothing_are_calm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BERTH_STATE", str(tmp_path / "none"))
    assert main(["status"]) == 3
    assert main(["down"]) == 0
    assert "Nothing runs" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()
