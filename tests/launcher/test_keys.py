"""Keys: made once, secret, and never replaced."""

import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from launcher.keys import make_keys
from launcher.problems import Problem


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    assert make_keys(tmp_path) == ["secret_key", "field_keys"]
    assert {path.name: mode(path) for path in tmp_path.iterdir()} == {
        "secret_key": 0o600,
        "field_keys": 0o600,
    }
    assert len((tmp_path / "secret_key").read_text().strip()) >= 50


def test_a_field_key_encrypts(tmp_path: Path) -> None:
    make_keys(tmp_path)
    [key] = (tmp_path / "field_keys").read_text().split()
    assert Fernet(key).decrypt(Fernet(key).encrypt(b"x")) == b"x"


def test_keys_that_are_there_stay_and_are_closed_again(tmp_path: Path) -> None:
    make_keys(tmp_path)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    (tmp_path / "secret_key").chmod(0o644)
    assert make_keys(tmp_path) == []
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before
    assert mode(tmp_path / "secret_key") == 0o600


def test_two_installations_have_different_keys(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        make_keys(tmp_path / name)
    for key in ("secret_key", "field_keys"):
        assert (tmp_path / "a" / key).read_text() != (tmp_path / "b" / key).read_text()


def test_an_emptied_key_is_not_replaced(tmp_path: Path) -> None:
    make_keys(tmp_path)
    (tmp_path / "field_keys").write_text("")
    with pytest.raises(Problem, match="empty"):
        make_keys(tmp_path)
