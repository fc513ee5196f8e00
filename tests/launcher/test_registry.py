"""The registry's process: what it is started with, and that Berth is of use without it."""

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from launcher import registry as module
from launcher.keys import make_registry_keys
from launcher.paths import State
from launcher.problems import Problem
from launcher.registry import Berth, PrivateRegistry, clean_environment

BERTH = Berth("http://10.0.0.1:8000/registry/token", "http://127.0.0.1:8000/registry/events")


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / "state")
    made.prepare()
    return made


def test_keys_are_made_once_and_read_by_their_owner_alone(state: State) -> None:
    make_registry_keys(state.keys)
    made = {path.name: path.read_bytes() for path in state.keys.iterdir()}
    make_registry_keys(state.keys)
    assert made == {path.name: path.read_bytes() for path in state.keys.iterdir()}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in state.keys.iterdir())
    key = load_pem_private_key(made["registry_key"], None)
    assert load_pem_x509_certificate(made["registry_certificate"]).public_key() == key.public_key()  # type: ignore[comparison-overlap]


def test_it_asks_berth_and_tells_berth(state: State) -> None:
    make_registry_keys(state.keys)
    said = json.loads(json.dumps(PrivateRegistry(state).settings("10.0.0.1:5000", BERTH)))
    assert said["auth"]["token"]["realm"] == BERTH.realm
    assert said["storage"]["delete"] == {"enabled": True}
    pushes, pulls = said["notifications"]["endpoints"]
    for endpoint in (pushes, pulls):
        assert endpoint["url"] == BERTH.events
        word = (state.keys / "registry_notices").read_text().strip()
        assert endpoint["headers"]["Authorization"] == [f"Bearer {word}"]
    assert pushes["ignore"]["actions"] == ["pull"]
    assert "pull" not in pulls["ignore"]["actions"], "each has a queue of its own"


def test_nobody_goes_round_the_gate(state: State) -> None:
    make_registry_keys(state.keys)
    registry = PrivateRegistry(state)
    said = registry.settings("10.0.0.1:5000", BERTH)["http"]
    assert isinstance(said, dict)
    assert said["net"] == "unix", "which only who may enter the folder reaches"
    gate = registry.gate_settings("10.0.0.1:5000", BERTH)
    assert gate["listen"] == "10.0.0.1:5000"
    assert gate["registry"] == said["addr"]
    assert gate["berth"] == "http://127.0.0.1:8000/registry/gate"
    assert "shown" not in gate, "the secret stays in its own file"


def test_where_nobody_is_to_be_asked_there_is_no_gate(state: State) -> None:
    make_registry_keys(state.keys)
    http = PrivateRegistry(state).settings("10.0.0.1:5000", Berth("", ""))["http"]
    assert isinstance(http, dict)
    assert http["addr"] == "10.0.0.1:5000"


def test_our_own_variables_are_no_settings_of_its(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_URL", "http://elsewhere")
    monkeypatch.setenv("REGISTRY_AUTH", "none")
    assert not [name for name in clean_environment() if name.startswith("REGISTRY")]


def test_where_it_is_not_installed_that_is_said(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find", lambda _name: None)
    with pytest.raises(Problem, match="docker-registry is not installed"):
        PrivateRegistry(state).start("127.0.0.1", BERTH)
    assert PrivateRegistry(state).url == ""
    assert not PrivateRegistry(state).stop()
