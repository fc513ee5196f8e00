"""Sources from a real git server: the commit that is asked for, and nothing that leads elsewhere."""

import io
import tarfile
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from core.foreign import Refused
from core.secrets import Secret
from images.building.git import Wanted, fetch
from images.building.problems import BuildProblem
from tests.building.git_server import GitServer, served

MOST = 2 * 2**20


@pytest.fixture
def server(tmp_path: Path, settings: Any) -> Iterator[GitServer]:
    folder = tmp_path / "git"
    folder.mkdir()
    with served(folder) as told:
        settings.OUTBOUND = {"networks": [ip_network("127.0.0.0/8")], "authorities": str(told.authority)}
        yield told


def files_of(wanted: Wanted, tmp_path: Path, *, most: int = MOST) -> tuple[str, dict[str, str]]:
    archive = tmp_path / "archive"
    commit = fetch(wanted, archive, most=most, seconds=60, given_up=lambda: False)
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as opened:
        plain = [one for one in opened.getmembers() if one.isfile()]
        return commit, {one.name: (opened.extractfile(one) or io.BytesIO()).read().decode() for one in plain}


def test_a_branch_a_commit_and_what_the_address_calls_its_own(server: GitServer, tmp_path: Path) -> None:
    first = server.commit({"Dockerfile": "FROM scratch\n", ".gitattributes": "tests export-ignore\n", "tests": "kept"})
    second = server.commit({"Dockerfile": "FROM other\n"}, branch="next")
    commit, found = files_of(Wanted(server.address, ""), tmp_path)
    assert commit == first
    assert found["Dockerfile"] == "FROM scratch\n"
    assert found["tests"] == "kept"
    assert files_of(Wanted(server.address, "next"), tmp_path) == (second, found | {"Dockerfile": "FROM other\n"})
    assert files_of(Wanted(server.address, first), tmp_path)[0] == first
    with pytest.raises(BuildProblem) as none:
        files_of(Wanted(server.address, "nothing"), tmp_path)
    assert none.value.code == "git_refused"
    assert not list(tmp_path.glob("tmp*")), "the folder of git is gone"


def test_a_password_is_shown_to_its_address_and_told_to_nobody(server: GitServer, tmp_path: Path) -> None:
    server.commit({"Dockerfile": "FROM scratch\n"})
    server.password = "opens it"  # noqa: S105
    assert files_of(Wanted(server.address, "", "me", Secret("opens it")), tmp_path)[1]
    for wrong in (None, Secret("no")):
        with pytest.raises(BuildProblem) as refused:
            files_of(Wanted(server.address, "", "me", wrong), tmp_path)
        assert refused.value.code == "git_refused"
        assert "no" not in str(refused.value.params["said"]).split()


def test_it_is_led_nowhere(server: GitServer, tmp_path: Path) -> None:
    server.commit({"Dockerfile": "FROM scratch\n"})
    with served(_made(tmp_path / "inner")) as inner:
        server.leads = f"https://127.0.0.1:{inner.port}"
        with pytest.raises(BuildProblem) as refused:
            files_of(Wanted(server.address, "", "me", Secret("shown")), tmp_path)
        assert refused.value.code == "git_refused"
        assert not inner.asked


def test_what_it_hangs_on_elsewhere_is_left_alone(server: GitServer, tmp_path: Path) -> None:
    modules = f'[submodule "inner"]\n\tpath = inner\n\turl = https://127.0.0.1:{server.port}/inner.git\n'
    server.commit({"Dockerfile": "FROM scratch\n", ".gitmodules": modules})
    asked = len(server.asked)
    assert "Dockerfile" in files_of(Wanted(server.address, ""), tmp_path)[1]
    assert len(server.asked) - asked <= 3


def test_what_is_too_large_is_not_taken(server: GitServer, tmp_path: Path) -> None:
    server.commit({"Dockerfile": "FROM scratch\n", "large": "0123456789" * 300_000})
    with pytest.raises(BuildProblem) as refused:
        files_of(Wanted(server.address, ""), tmp_path)
    assert refused.value.code == "git_large"


def test_addresses_inside_are_not_called(server: GitServer, tmp_path: Path, settings: Any) -> None:
    settings.OUTBOUND = settings.OUTBOUND | {"networks": []}
    with pytest.raises(Refused):
        files_of(Wanted(server.address, ""), tmp_path)
    assert not server.asked


def test_it_ends_when_nobody_wants_it_any_more(server: GitServer, tmp_path: Path) -> None:
    server.commit({"Dockerfile": "FROM scratch\n"})
    with pytest.raises(BuildProblem) as late:
        fetch(Wanted(server.address, ""), tmp_path / "archive", most=MOST, seconds=0, given_up=lambda: True)
    assert late.value.code in ("git_slow", "git_refused")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
