"""What of the private Keystone can be seen without starting one."""

import stat
from pathlib import Path

import pytest

from launcher.cli import main, parser
from launcher.identity import dev
from launcher.identity.server import LOCK, PrivateKeystone, environment
from launcher.paths import ROOT, State


def test_its_packages_are_locked_with_hashes() -> None:
    lines = (ROOT / LOCK).read_text().splitlines()
    pinned = [line for line in lines if line[:1].isalnum()]
    assert any(line.startswith("keystone==30.0.0 ") for line in pinned)
    assert all("==" in line and line.endswith("\\") for line in pinned)


def test_its_packages_are_not_berths(tmp_path: Path) -> None:
    assert environment(tmp_path).folder == tmp_path / "venv"
    assert not environment(tmp_path).current(LOCK)


def test_only_its_owner_reads_keys_and_password(tmp_path: Path) -> None:
    server = PrivateKeystone(tmp_path / "data", Path("python"), port=5000)
    server.configure()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert {mode for name, mode in modes.items() if (tmp_path / "data" / name).is_dir()} == {0o700}
    assert {mode for name, mode in modes.items() if (tmp_path / "data" / name).is_file()} == {0o600}
    assert "http://127.0.0.1:5000" in (tmp_path / "data" / "keystone.conf").read_text()


def test_it_comes_back_at_its_port(tmp_path: Path) -> None:
    first = PrivateKeystone(tmp_path, Path("python"))
    first.configure()
    assert PrivateKeystone.of(tmp_path, Path("python")).port == first.port
    (tmp_path / "place.json").write_text("{")
    assert PrivateKeystone.of(tmp_path, Path("python")).port > 0


def test_admin_is_nothing_a_domain_manager_gives(tmp_path: Path) -> None:
    server = PrivateKeystone(tmp_path, Path("python"))
    server.configure()
    policy = (tmp_path / "policy.yaml").read_text()
    assert "'developer':%(target.role.name)s" in policy
    assert "admin" not in policy


def test_without_the_option_the_portal_is_told_of_none(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.prepare()
    dev.connect(state, PrivateKeystone(tmp_path, Path("python"), port=5000), user="u", password="p")
    assert stat.S_IMODE(dev.connection_file(state).stat().st_mode) == 0o600
    dev.disconnect(state)
    assert not dev.connection_file(state).exists()


def test_only_dev_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert parser().parse_args(["up", "--keystone", "dev"]).keystone == "dev"
    with pytest.raises(SystemExit):
        main(["up", "--keystone", "prod"])
    assert "--keystone" in capsys.readouterr().err
