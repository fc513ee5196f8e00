"""Where the portal listens, and which names it answers to."""

import socket
from pathlib import Path

import pytest

from launcher.paths import State
from launcher.portal import Place, environment, kubeconfig_file
from launcher.problems import Problem


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/"),
        ("0.0.0.0", "http://127.0.0.1:8000/"),  # noqa: S104 -- only looked at
        ("::1", "http://[::1]:8000/"),
        ("::", "http://[::1]:8000/"),
    ],
)
def test_the_address_is_one_a_browser_can_open(host: str, url: str) -> None:
    assert Place(host, 8000).url == url


def test_a_free_port_is_no_problem_and_a_taken_one_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = Place("127.0.0.1", server.getsockname()[1])
        with pytest.raises(Problem, match=str(taken.port)):
            taken.refuse_if_taken()
    taken.refuse_if_taken()


def test_names_are_only_widened_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALLOWED_HOSTS", raising=False)
    state = State(tmp_path)
    assert "ALLOWED_HOSTS" not in environment(state, place=Place("127.0.0.1", 8000))
    wide = environment(state, place=Place("berth.example", 8000))["ALLOWED_HOSTS"].split(",")
    assert {"berth.example", "127.0.0.1"} <= set(wide)
    monkeypatch.setenv("ALLOWED_HOSTS", "mine.example")
    assert environment(state, place=Place("berth.example", 8000))["ALLOWED_HOSTS"] == "mine.example"


def test_nothing_of_our_own_python_leaks_into_the_portals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    assert "PYTHONPATH" not in environment(State(tmp_path))
    assert environment(State(tmp_path))["BERTH_STATE"] == str(tmp_path)


def test_a_kubeconfig_that_is_not_there_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "east.yaml").write_text("{}")
    assert kubeconfig_file(str(tmp_path / "east.yaml")) == (tmp_path / "east.yaml").resolve()
    assert kubeconfig_file("") is None
    with pytest.raises(Problem, match="west.yaml"):
        kubeconfig_file(str(tmp_path / "west.yaml"))
